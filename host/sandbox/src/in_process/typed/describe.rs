//! Types and values as messages name them.

use serde_json::Value;
use wasmtime::component::types::Type;

use super::super::outcome::{excerpt, shortened};

/// How many names are listed.
const LISTED: usize = 10;
/// The longest excerpt of a value, in bytes.
const VALUE: usize = 60;

/// What a type wants to see.
pub(super) fn expected(ty: &Type) -> String {
    match ty {
        Type::Bool => "a bool: true or false".into(),
        Type::S8 => "s8".into(),
        Type::U8 => "u8".into(),
        Type::S16 => "s16".into(),
        Type::U16 => "u16".into(),
        Type::S32 => "s32".into(),
        Type::U32 => "u32".into(),
        Type::S64 => "s64: a number or, beyond 2^53, a string of digits".into(),
        Type::U64 => "u64: a number or, beyond 2^53, a string of digits".into(),
        Type::Float32 => "f32: a number, \"NaN\", \"Infinity\" or \"-Infinity\"".into(),
        Type::Float64 => "f64: a number, \"NaN\", \"Infinity\" or \"-Infinity\"".into(),
        Type::Char => "a char: a string of one character".into(),
        Type::String => "a string".into(),
        Type::List(list) if list.ty() == Type::U8 => "bytes: a string in base64".into(),
        Type::List(_) => "a list: an array".into(),
        Type::Record(record) => format!("a record: an object with {}", names(record.fields().map(|field| field.name))),
        Type::Tuple(tuple) => format!("a tuple: an array of {}", tuple.types().len()),
        Type::Variant(variant) => format!(
            "a variant: \"CASE\" or {{\"CASE\": VALUE}} with one of {}",
            names(variant.cases().map(|case| case.name))
        ),
        Type::Enum(ty) => format!("an enum: one of {}", names(ty.names())),
        Type::Flags(ty) => format!("flags: an array of {}", names(ty.names())),
        Type::Option(option) => match option.ty() {
            Type::Option(_) => "an option of an option: null or {\"some\": VALUE}".into(),
            inner => format!("null or {}", expected(&inner)),
        },
        Type::Result(_) => "a result: {\"ok\": VALUE} or {\"err\": VALUE}".into(),
        _ => "something that JSON cannot hold".into(),
    }
}

/// What stands there instead.
pub(super) fn found(value: &Value) -> String {
    match value {
        Value::Array(elements) => format!("an array of {}", elements.len()),
        Value::Object(members) if members.is_empty() => "an empty object".into(),
        Value::Object(members) => format!("an object with {}", names(members.keys().map(String::as_str))),
        other => shortened(&other.to_string(), VALUE),
    }
}

/// Some names, and how many others there are.
pub(super) fn names<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let others = names.len().saturating_sub(LISTED);
    if names.len() == 0 {
        return "nothing".into();
    }
    let mut text = String::new();
    for name in names.take(LISTED) {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(&format!("`{}`", shortened(name, VALUE)));
    }
    match others {
        0 => excerpt(&text),
        _ => format!("{} and {others} others", excerpt(&text)),
    }
}

/// The name that was probably meant: the same letters, written as another language does.
pub(super) fn similar<'a>(name: &str, mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let letters =
        |name: &str| name.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect::<String>();
    let wanted = letters(name);
    names.find(|candidate| candidate.len() < 200 && letters(candidate) == wanted)
}
