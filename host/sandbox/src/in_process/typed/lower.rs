//! From JSON to the values of WIT.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};
use wasmtime::component::Val;
use wasmtime::component::types::{Flags, List, OptionType, Record, ResultType, Tuple, Type, Variant};

use super::budget::Budget;
use super::describe::{expected, found, names, similar};
use super::path::Path;
use crate::CallError;
use crate::in_process::outcome::excerpt;

/// Base64 as RFC 4648 has it in section 4; that the padding is missing is no reason to refuse it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Beyond this, a number with a fraction or an exponent may be another integer than the one that was meant.
const EXACT: f64 = 9_007_199_254_740_992.0;

type Result<T> = core::result::Result<T, CallError>;

/// Makes values of WIT.
pub(super) struct Lower {
    budget: Budget,
}

impl Lower {
    pub(super) fn new(budget: Budget) -> Self {
        Lower { budget }
    }

    /// The value of this type. The recursion is bounded: types were checked to be nested at most 100 levels deep.
    pub(super) fn value(&mut self, ty: &Type, value: &Value, path: &Path<'_>) -> Result<Val> {
        self.budget.take(0)?;
        let wrong = || unfit(path, format!("expected {}, got {}", expected(ty), found(value)));
        match ty {
            Type::Bool => value.as_bool().map(Val::Bool).ok_or_else(wrong),
            Type::S8 => integer(value).map(Val::S8).ok_or_else(wrong),
            Type::U8 => integer(value).map(Val::U8).ok_or_else(wrong),
            Type::S16 => integer(value).map(Val::S16).ok_or_else(wrong),
            Type::U16 => integer(value).map(Val::U16).ok_or_else(wrong),
            Type::S32 => integer(value).map(Val::S32).ok_or_else(wrong),
            Type::U32 => integer(value).map(Val::U32).ok_or_else(wrong),
            Type::S64 => integer(value).or_else(|| digits(value)).map(Val::S64).ok_or_else(wrong),
            Type::U64 => integer(value).or_else(|| digits(value)).map(Val::U64).ok_or_else(wrong),
            Type::Float32 => single(value).map(Val::Float32).ok_or_else(wrong),
            Type::Float64 => float(value).map(Val::Float64).ok_or_else(wrong),
            Type::Char => character(value).map(Val::Char).ok_or_else(wrong),
            Type::String => value.as_str().map(|text| Val::String(text.into())).ok_or_else(wrong),
            Type::List(list) => match value {
                Value::Array(elements) => self.list(list, elements, path),
                Value::String(text) if list.ty() == Type::U8 => self.bytes(text, path),
                _ => Err(wrong()),
            },
            Type::Record(record) => self.record(record, value, path),
            Type::Tuple(tuple) => match value {
                Value::Array(elements) if elements.len() == tuple.types().len() => self.tuple(tuple, elements, path),
                _ => Err(wrong()),
            },
            Type::Variant(variant) => self.variant(variant, value, path)?.ok_or_else(wrong),
            Type::Enum(ty) => {
                self.budget.take(ty.names().len())?;
                let name = value.as_str().filter(|name| ty.names().any(|known| known == *name));
                name.map(|name| Val::Enum(name.into())).ok_or_else(wrong)
            }
            Type::Flags(ty) => match value {
                Value::Array(set) => self.flags(ty, set, path),
                _ => Err(wrong()),
            },
            Type::Option(option) => self.option(option, value, path)?.ok_or_else(wrong),
            Type::Result(ty) => self.result(ty, value, path)?.ok_or_else(wrong),
            _ => Err(wrong()),
        }
    }

    /// The members of an object, for fields of these names and types. What is optional may be missing; what is not
    /// known is refused.
    pub(super) fn fields<'a>(
        &mut self,
        fields: impl ExactSizeIterator<Item = (&'a str, Type)> + Clone,
        value: &Value,
        path: &Path<'_>,
        what: &str,
    ) -> Result<Vec<(String, Val)>> {
        let known = || fields.clone().map(|(name, _)| name);
        let Some(members) = value.as_object() else {
            let all: Vec<_> = known().collect();
            let reason = format!("expected an object with {what}, {}, got {}", names(all.into_iter()), found(value));
            return Err(unfit(path, reason));
        };
        let mut given = 0;
        let mut values = Vec::new();
        for (name, ty) in fields.clone() {
            self.budget.take(name.len())?;
            let value = match (members.get(name), &ty) {
                (Some(value), ty) => {
                    given += 1;
                    self.value(ty, value, &path.member(name))?
                }
                (None, Type::Option(_)) => Val::Option(None),
                (None, ty) => return Err(missing(name, ty, members, known(), path)),
            };
            values.push((name.to_owned(), value));
        }
        if given < members.len() {
            return Err(unknown(members, known(), path));
        }
        Ok(values)
    }

    fn record(&mut self, record: &Record, value: &Value, path: &Path<'_>) -> Result<Val> {
        // The number of fields is charged as they are mapped; it is bounded by the component model.
        let fields: Vec<_> = record.fields().map(|field| (field.name, field.ty)).collect();
        self.fields(fields.into_iter(), value, path, "the fields of the record").map(Val::Record)
    }

    fn list(&mut self, list: &List, elements: &[Value], path: &Path<'_>) -> Result<Val> {
        let ty = list.ty();
        let values = elements.iter().enumerate();
        values.map(|(index, value)| self.value(&ty, value, &path.element(index))).collect::<Result<_>>().map(Val::List)
    }

    fn bytes(&mut self, text: &str, path: &Path<'_>) -> Result<Val> {
        let bytes = BASE64.decode(text).map_err(|error| {
            unfit(path, format!("expected bytes in base64, but {}", lower_case(&error.to_string())))
        })?;
        bytes.into_iter().map(|byte| self.budget.take(0).map(|()| Val::U8(byte))).collect::<Result<_>>().map(Val::List)
    }

    fn tuple(&mut self, tuple: &Tuple, elements: &[Value], path: &Path<'_>) -> Result<Val> {
        let values = tuple.types().zip(elements).enumerate();
        values
            .map(|(index, (ty, value))| self.value(&ty, value, &path.element(index)))
            .collect::<Result<_>>()
            .map(Val::Tuple)
    }

    /// `"case"`, or `{"case": payload}` for a case that has one.
    fn variant(&mut self, variant: &Variant, value: &Value, path: &Path<'_>) -> Result<Option<Val>> {
        self.budget.take(variant.cases().len())?;
        let (name, payload) = match value {
            Value::String(name) => (name, None),
            Value::Object(members) if members.len() == 1 => {
                let (name, payload) = members.iter().next().expect("it has one member");
                (name, Some(payload))
            }
            _ => return Ok(None),
        };
        let Some(case) = variant.cases().find(|case| case.name == name) else { return Ok(None) };
        let payload = match (case.ty, payload) {
            (None, None | Some(Value::Null)) => None,
            (None, Some(other)) => {
                let reason = format!("the case has no value; write {name:?} alone instead of {}", found(other));
                return Err(unfit(&path.member(name), reason));
            }
            // A case whose value is optional, too, is told by its name alone.
            (Some(ty), payload) => {
                Some(Box::new(self.value(&ty, payload.unwrap_or(&Value::Null), &path.member(name))?))
            }
        };
        Ok(Some(Val::Variant(name.clone(), payload)))
    }

    fn flags(&mut self, ty: &Flags, set: &[Value], path: &Path<'_>) -> Result<Val> {
        let mut flags = Vec::new();
        for (index, value) in set.iter().enumerate() {
            self.budget.take(ty.names().len())?;
            match value.as_str().filter(|name| ty.names().any(|known| known == *name)) {
                Some(name) => flags.push(name.to_owned()),
                None => {
                    let reason = format!("expected one of the flags {}, got {}", names(ty.names()), found(value));
                    return Err(unfit(&path.element(index), reason));
                }
            }
        }
        Ok(Val::Flags(flags))
    }

    /// `null`, or the value; an option within an option is `{"some": …}`, as `null` is not enough to tell both.
    fn option(&mut self, option: &OptionType, value: &Value, path: &Path<'_>) -> Result<Option<Val>> {
        let ty = option.ty();
        if value.is_null() {
            return Ok(Some(Val::Option(None)));
        }
        if !matches!(ty, Type::Option(_)) {
            let value = self.value(&ty, value, path)?;
            return Ok(Some(Val::Option(Some(Box::new(value)))));
        }
        match only_member(value) {
            Some(("some", value)) => {
                let value = self.value(&ty, value, &path.member("some"))?;
                Ok(Some(Val::Option(Some(Box::new(value)))))
            }
            _ => Ok(None),
        }
    }

    fn result(&mut self, ty: &ResultType, value: &Value, path: &Path<'_>) -> Result<Option<Val>> {
        let Some((side, payload)) = only_member(value) else { return Ok(None) };
        let mut lowered = |ty: Option<Type>| match ty {
            Some(ty) => self.value(&ty, payload, &path.member(side)).map(|value| Some(Box::new(value))),
            None if payload.is_null() => Ok(None),
            None => Err(unfit(&path.member(side), format!("expected null, got {}", found(payload)))),
        };
        match side {
            "ok" => Ok(Some(Val::Result(Ok(lowered(ty.ok())?)))),
            "err" => Ok(Some(Val::Result(Err(lowered(ty.err())?)))),
            _ => Ok(None),
        }
    }
}

fn only_member(value: &Value) -> Option<(&str, &Value)> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    members.iter().next().map(|(name, value)| (name.as_str(), value))
}

fn unfit(path: &Path<'_>, reason: String) -> CallError {
    CallError::Argument { path: excerpt(&path.to_string()), reason }
}

fn missing<'a>(
    name: &str,
    ty: &Type,
    members: &Map<String, Value>,
    known: impl Iterator<Item = &'a str>,
    path: &Path<'_>,
) -> CallError {
    // A name that is written in another way is not only unknown, it is also why this one is missing.
    let known: Vec<_> = known.collect();
    let misspelt = members
        .keys()
        .find(|member| !known.contains(&member.as_str()) && similar(member, [name].into_iter()).is_some());
    match misspelt {
        Some(_) => unknown(members, known.into_iter(), path),
        None => unfit(path, format!("`{}` is missing: {}", excerpt(name), expected(ty))),
    }
}

fn unknown<'a>(members: &Map<String, Value>, known: impl Iterator<Item = &'a str>, path: &Path<'_>) -> CallError {
    let known: Vec<_> = known.collect();
    let is_known: std::collections::HashSet<_> = known.iter().copied().collect();
    let name = members.keys().map(String::as_str).find(|name| !is_known.contains(name)).unwrap_or_default();
    let reason = match similar(name, known.iter().copied()) {
        Some(meant) => format!("there is no field of this name; write `{meant}`, as WIT has it"),
        None => format!("there is no field of this name; there are {}", names(known.into_iter())),
    };
    unfit(&path.member(name), reason)
}

/// An integer, if it is one that the type has. `3.0` is one, too: some programs write their numbers so.
fn integer<T: TryFrom<i128>>(value: &Value) -> Option<T> {
    let number = value.as_number()?;
    let integer = match (number.as_i64(), number.as_u64()) {
        (Some(number), _) => number.into(),
        (None, Some(number)) => number.into(),
        (None, None) => {
            let number = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= EXACT)?;
            number as i128
        }
    };
    T::try_from(integer).ok()
}

/// An integer that is written as a string: digits, and perhaps a minus.
fn digits<T: TryFrom<i128>>(value: &Value) -> Option<T> {
    let text = value.as_str().filter(|text| text.len() <= 20)?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    T::try_from(text.parse().ok()?).ok()
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

/// A number of single precision: the nearest one, unless it is out of the range of the type.
fn single(value: &Value) -> Option<f32> {
    let number = float(value)?;
    let single = number as f32;
    (single.is_finite() || !number.is_finite()).then_some(single)
}

fn character(value: &Value) -> Option<char> {
    let mut characters = value.as_str()?.chars();
    characters.next().filter(|_| characters.next().is_none())
}

fn lower_case(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn integers_keep_to_their_range_and_have_no_fraction() {
        assert_eq!(integer::<u8>(&json!(255)), Some(255));
        assert_eq!(integer::<u8>(&json!(256)), None);
        assert_eq!(integer::<i8>(&json!(-128)), Some(-128));
        assert_eq!(integer::<u64>(&json!(u64::MAX)), Some(u64::MAX));
        assert_eq!(integer::<u32>(&json!(3.0)), Some(3));
        for value in [json!(3.5), json!("3"), json!(1e300), json!(null)] {
            assert_eq!(integer::<u64>(&value), None, "{value}");
        }
    }

    #[test]
    fn large_integers_can_be_strings_of_digits_alone() {
        assert_eq!(digits::<u64>(&json!("18446744073709551615")), Some(u64::MAX));
        assert_eq!(digits::<i64>(&json!("-9223372036854775808")), Some(i64::MIN));
        for text in ["", "-", "+1", " 1", "0x1", "1e3", "18446744073709551616", "-1", "999999999999999999999999"] {
            assert_eq!(digits::<u64>(&json!(text)), None, "{text}");
        }
    }

    #[test]
    fn floats_that_are_no_numbers_are_strings() {
        assert!(float(&json!("NaN")).unwrap().is_nan());
        assert_eq!(single(&json!("-Infinity")), Some(f32::NEG_INFINITY));
        assert_eq!(single(&json!(0.1)), Some(0.1));
        for value in [json!("nan"), json!(""), json!("1")] {
            assert_eq!(float(&value), None, "{value}");
        }
        assert_eq!(single(&json!(1e300)), None);
    }

    #[test]
    fn a_char_is_one_character_of_unicode() {
        assert_eq!(character(&json!("🦀")), Some('🦀'));
        assert_eq!(character(&json!("")), None);
        assert_eq!(character(&json!("ab")), None);
    }
}
