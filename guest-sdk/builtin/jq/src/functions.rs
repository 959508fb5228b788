//! The functions that are written in Rust: jaq's, but those that reach out of the cell or differ from jq's, and ours.

use jaq_core::native::{Filter, Fun, bome, run, unary, v};
use jaq_core::{Bind, Cv, Exn, RunPtr, ValR, ValXs};

use crate::regex::{Find, find};
use crate::surroundings::Data;
use crate::value::{Map, Number, Value, failed, keys, occurrences};
use crate::{format, json};

/// Those of jaq that ours, or definitions in `prelude.jq`, take the place of. `env`, `now`, `localtime` and
/// `strflocaltime` ask the system, which a cell does not have.
const REPLACED: &[&str] = &[
    "decode_base64",
    "env",
    "escape_html",
    "localtime",
    "ltrimstr",
    "matches",
    "now",
    "rtrimstr",
    "split_matches",
    "strflocaltime",
];

/// All functions that a program may use.
pub(crate) fn all() -> impl Iterator<Item = Fun<Data>> {
    let jaq = jaq_core::funs().chain(jaq_std::funs()).filter(|(name, ..)| !REPLACED.contains(name));
    jaq.chain(ours().into_iter().map(|function| run::<Data>(function)))
}

type Values<'a> = ValXs<'a, Value>;

/// A function of the input alone.
macro_rules! of_input {
    ($function:expr) => {
        |cv| {
            let function: fn(&Value) -> ValR<Value> = $function;
            bome(function(&cv.1))
        }
    };
}

/// A function of the input, which must be a string.
macro_rules! of_text {
    ($function:expr) => {
        |cv| {
            let function: fn(&str) -> ValR<Value> = $function;
            bome(text_of(&cv.1).and_then(function))
        }
    };
}

/// A function of the input and one argument.
macro_rules! of_two {
    ($function:expr) => {
        |cv| {
            let function: fn(Value, Value) -> ValR<Value> = $function;
            unary(cv, function)
        }
    };
}

fn ours() -> Vec<Filter<RunPtr<Data>>> {
    vec![
        // Surroundings
        ("now", v(0), |cv| bome(Ok(Value::from(cv.0.data().now)))),
        ("env", v(0), of_input!(|_| Ok(Value::object(Map::default())))),
        ("halt_error", v(1), halt_error),
        // Types and numbers
        ("type", v(0), of_input!(|value| Ok(Value::text(value.type_name())))),
        ("isboolean", v(0), of_input!(|value| Ok(matches!(value, Value::Bool(_)).into()))),
        ("isnumber", v(0), of_input!(|value| Ok(matches!(value, Value::Number(_)).into()))),
        ("isstring", v(0), of_input!(|value| Ok(matches!(value, Value::String(_)).into()))),
        ("isarray", v(0), of_input!(|value| Ok(matches!(value, Value::Array(_)).into()))),
        ("isobject", v(0), of_input!(|value| Ok(matches!(value, Value::Object(_)).into()))),
        ("nan", v(0), of_input!(|_| Ok(Value::from(f64::NAN)))),
        ("infinite", v(0), of_input!(|_| Ok(Value::from(f64::INFINITY)))),
        ("abs", v(0), of_input!(absolute)),
        ("tonumber", v(0), of_input!(to_number)),
        ("length", v(0), of_input!(length)),
        // Inside values
        (
            "keys",
            v(0),
            of_input!(|value| {
                let mut names = keys(value)?;
                names.sort();
                Ok(Value::array(names))
            }),
        ),
        ("has", v(1), of_two!(|value, key| has(&value, &key))),
        ("contains", v(1), of_two!(|value, part| contains(&value, &part).map(Value::from))),
        ("indices", v(1), of_two!(|value, part| indices(&value, &part))),
        (
            "bsearch",
            v(1),
            of_two!(|value, item| match &value {
                Value::Array(items) => Ok(items
                    .binary_search(&item)
                    .map_or_else(|missing| Value::Number(Number::Int(-1 - missing as i64)), Value::from,)),
                other => failed(format_args!("{} cannot be searched from", other.described())),
            }),
        ),
        ("join", v(1), of_two!(|value, separator| join(&value, &separator))),
        // Texts
        ("ltrimstr", v(1), of_two!(|value, part| Ok(trimmed(value, &part, true, false)))),
        ("rtrimstr", v(1), of_two!(|value, part| Ok(trimmed(value, &part, false, true)))),
        ("trimstr", v(1), of_two!(|value, part| Ok(trimmed(value, &part, true, true)))),
        ("matches", vec![Bind::Var(()), Bind::Var(())].into(), |cv| bome(found(cv, Find::Matches))),
        ("split_matches", vec![Bind::Var(()), Bind::Var(())].into(), |cv| bome(found(cv, Find::MatchesAndRest))),
        ("tojson", v(0), of_input!(|value| Ok(Value::text(json::to_text(value))))),
        ("fromjson", v(0), of_text!(from_json)),
        ("format_csv", v(0), of_input!(|value| format::row(value, "csv", ",", format::quoted_for_csv))),
        ("format_tsv", v(0), of_input!(|value| format::row(value, "tsv", "\t", format::escaped_for_tsv))),
        ("escape_html", v(0), of_text!(|text| Ok(Value::text(format::escaped_for_html(text))))),
        ("decode_base64", v(0), of_text!(format::from_base64)),
        ("encode_base32", v(0), of_text!(|text| Ok(Value::text(format::to_base32(text))))),
        ("decode_base32", v(0), of_text!(format::from_base32)),
    ]
}

fn text_of(value: &Value) -> ValR<&str, Value> {
    match value {
        Value::String(text) => Ok(text),
        other => failed(format_args!("{} is not a string", other.described())),
    }
}

fn found(mut cv: Cv<'_, Data>, what: Find) -> ValR<Value> {
    let flags = cv.0.pop_var();
    let pattern = cv.0.pop_var();
    find(what, &cv.1, &pattern, &flags)
}

/// Ends the program, past every `try`. What the input says becomes the error.
fn halt_error(mut cv: Cv<'_, Data>) -> Values<'_> {
    let _exit_code = cv.0.pop_var();
    cv.0.data().last_words.replace(Some(cv.1));
    jaq_core::box_iter::box_once(Err(Exn::halt(5)))
}

fn absolute(value: &Value) -> ValR<Value> {
    match value {
        Value::Number(number) => Ok(Value::Number(number.absolute())),
        other => failed(format_args!("{} has no absolute value", other.described())),
    }
}

fn to_number(value: &Value) -> ValR<Value> {
    match value {
        Value::Number(_) => Ok(value.clone()),
        Value::String(text) => match text.bytes().any(|byte| byte.is_ascii_digit()).then(|| Number::parse(text)) {
            Some(Some(number)) => Ok(Value::Number(number)),
            _ => failed(format_args!("{} cannot be parsed as a number", value.described())),
        },
        other => failed(format_args!("{} cannot be parsed as a number", other.described())),
    }
}

fn length(value: &Value) -> ValR<Value> {
    match value {
        Value::Null => Ok(Value::from(0usize)),
        Value::Bool(_) => failed(format_args!("{} has no length", value.described())),
        Value::Number(number) => Ok(Value::Number(number.absolute())),
        Value::String(text) => Ok(Value::from(text.chars().count())),
        Value::Array(items) => Ok(Value::from(items.len())),
        Value::Object(members) => Ok(Value::from(members.len())),
    }
}

fn has(value: &Value, key: &Value) -> ValR<Value> {
    match (value, key) {
        (Value::Object(members), Value::String(name)) => Ok(members.contains_key(name).into()),
        (Value::Array(items), Value::Number(index)) => {
            let index = index.as_f64();
            Ok((index >= 0.0 && index < items.len() as f64).into())
        }
        _ => failed(format_args!("Cannot check whether {} has a {} key", value.type_name(), key.type_name())),
    }
}

fn contains(value: &Value, part: &Value) -> ValR<bool, Value> {
    match (value, part) {
        (Value::Object(members), Value::Object(parts)) => {
            for (name, part) in parts.iter() {
                match members.get(name) {
                    Some(member) if contains(member, part)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        (Value::Array(items), Value::Array(parts)) => {
            for part in parts.iter() {
                let holds =
                    |item: &Value| item.type_name() == part.type_name() && contains(item, part).unwrap_or(false);
                if !items.iter().any(holds) {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::String(text), Value::String(part)) => Ok(text.contains(part.as_str())),
        (Value::Bool(_), Value::Bool(_)) => Ok(value == part),
        (value, part) if value.type_name() == part.type_name() => Ok(value == part),
        (value, part) => {
            failed(format_args!("{} and {} cannot have their containment checked", value.described(), part.described()))
        }
    }
}

/// Where the part occurs; in texts counted in characters.
fn indices(value: &Value, part: &Value) -> ValR<Value> {
    match (value, part) {
        (Value::Null, _) => Ok(Value::Null),
        (Value::String(text), Value::String(part)) if part.is_empty() || text.is_empty() => Ok(Value::Null),
        (Value::String(text), Value::String(part)) => {
            let starts = text.char_indices().enumerate();
            let found = starts.filter(|(_, (offset, _))| text[*offset..].starts_with(part.as_str()));
            Ok(found.map(|(at, _)| Value::from(at)).collect())
        }
        (Value::Array(items), Value::Array(part)) => Ok(occurrences(items, part)),
        (Value::Array(items), item) => {
            let found = items.iter().enumerate().filter(|(_, present)| *present == item);
            Ok(found.map(|(at, _)| Value::from(at)).collect())
        }
        (value, part) => value.get(part).map(Option::unwrap_or_default),
    }
}

/// Null counts as nothing, numbers and booleans as their text.
fn join(value: &Value, separator: &Value) -> ValR<Value> {
    let Value::Array(items) = value else {
        return failed(format_args!("Cannot iterate over {}", value.described()));
    };
    if items.is_empty() {
        return Ok(Value::text(""));
    }
    let separator = match separator {
        Value::String(separator) => separator.as_str(),
        Value::Null => "",
        other => return failed(format_args!("{} cannot separate what is joined", other.described())),
    };
    let mut out = String::new();
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push_str(separator);
        }
        match item {
            Value::Null => {}
            Value::String(text) => out.push_str(text),
            Value::Number(_) | Value::Bool(_) => out.push_str(&json::to_text(item)),
            other => {
                return failed(format_args!(
                    "{} and {} cannot be added",
                    Value::text(out).described(),
                    other.described()
                ));
            }
        }
    }
    Ok(Value::text(out))
}

/// The value itself if it or the part is not a string, or the part is not there.
fn trimmed(value: Value, part: &Value, start: bool, end: bool) -> Value {
    let (Value::String(text), Value::String(part)) = (&value, part) else { return value };
    let mut rest = text.as_str();
    if start {
        rest = rest.strip_prefix(part.as_str()).unwrap_or(rest);
    }
    if end {
        rest = rest.strip_suffix(part.as_str()).unwrap_or(rest);
    }
    if rest.len() == text.len() { value } else { Value::text(rest) }
}

fn from_json(text: &str) -> ValR<Value> {
    if text.trim() == "nan" {
        return Ok(Value::from(f64::NAN));
    }
    serde_json::from_str(text).or_else(|error| failed(format_args!("{error} (while parsing {})", Value::text(text))))
}
