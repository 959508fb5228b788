//! What stands inside a value: `.a`, `.[0]`, `.[1:3]`, `.[]`.

use std::rc::Rc;

use jaq_core::ValR;
use jaq_core::val::Range;

use super::{Number, Value, failed};

/// Where an index points in an array of this length. Negative ones count from the end.
pub(crate) fn position(index: Number, length: usize) -> Option<usize> {
    if index.is_nan() {
        return None;
    }
    // Not `truncated`, which rounds -0.5 to the first item: jq rounds down.
    let index = match index {
        Number::Float(index) => index.floor() as i64,
        index => index.truncated(),
    };
    if index < 0 {
        usize::try_from(index.unsigned_abs()).ok().and_then(|back| length.checked_sub(back))
    } else {
        usize::try_from(index).ok().filter(|index| *index < length)
    }
}

/// The names of an object or the indices of an array.
pub(crate) fn keys(value: &Value) -> ValR<Vec<Value>, Value> {
    match value {
        Value::Array(items) => Ok((0..items.len()).map(Value::from).collect()),
        Value::Object(members) => Ok(members.keys().map(|name| Value::String(Rc::clone(name))).collect()),
        other => failed(format_args!("{} has no keys", other.described())),
    }
}

/// Where a slice starts and how long it is. Its bounds are rounded outwards, and null is no bound.
pub(crate) fn slice(range: Range<&Value>, length: usize) -> ValR<(usize, usize), Value> {
    let bound = |bound: Option<&Value>, none: usize, round: fn(f64) -> f64| match bound {
        None | Some(Value::Null) => Ok(none),
        Some(Value::Number(number)) => {
            let at = round(number.as_f64());
            let at = if at < 0.0 { at + length as f64 } else { at };
            // A cast saturates: below zero and what is not a number become 0.
            Ok((at as usize).min(length))
        }
        Some(_) => failed("Start and end indices of a slice must be numbers"),
    };
    let start = bound(range.start, 0, f64::floor)?;
    let end = bound(range.end, length, f64::ceil)?;
    Ok((start, end.saturating_sub(start)))
}

/// The part of a text that a slice, counted in characters, takes: where it starts and ends, in bytes.
pub(crate) fn slice_of_text(range: Range<&Value>, text: &str) -> ValR<(usize, usize), Value> {
    let (start, length) = if text.is_ascii() { slice(range, text.len())? } else { slice(range, text.chars().count())? };
    if text.is_ascii() {
        return Ok((start, start + length));
    }
    let mut offsets = text.char_indices().map(|(offset, _)| offset).chain([text.len()]);
    let first = offsets.nth(start).unwrap_or(text.len());
    let last = if length == 0 { first } else { offsets.nth(length - 1).unwrap_or(text.len()) };
    Ok((first, last))
}

impl Value {
    /// `.[key]`, and none where there is nothing.
    pub(crate) fn get(&self, key: &Value) -> ValR<Option<Value>, Value> {
        match (self, key) {
            (Value::Object(members), Value::String(name)) => Ok(members.get(name).cloned()),
            (Value::Array(items), Value::Number(index)) => {
                Ok(position(*index, items.len()).map(|at| items[at].clone()))
            }
            (Value::Null, Value::Null | Value::String(_) | Value::Number(_) | Value::Object(_)) => Ok(None),
            (Value::Array(items), Value::Array(part)) => Ok(Some(occurrences(items, part))),
            (Value::Array(_) | Value::String(_), Value::Object(bounds)) => {
                let bound = |name: &str| bounds.get(&name.to_owned());
                self.part(bound("start")..bound("end")).map(Some)
            }
            (container, Value::String(name)) => failed(format_args!(
                "Cannot index {} with string {}",
                container.type_name(),
                Value::String(Rc::clone(name))
            )),
            (container, key) => failed(format_args!("Cannot index {} with {}", container.type_name(), key.type_name())),
        }
    }

    /// `.[start:end]`
    pub(crate) fn part(&self, range: Range<&Value>) -> ValR<Value> {
        match self {
            Value::Null => Ok(Value::Null),
            Value::Array(items) => {
                let (start, length) = slice(range, items.len())?;
                Ok(Value::array(items[start..start + length].to_vec()))
            }
            Value::String(text) => {
                let (start, end) = slice_of_text(range, text)?;
                Ok(Value::text(&text[start..end]))
            }
            other => failed(format_args!("Cannot index {} with object", other.type_name())),
        }
    }
}

/// Where one array occurs in another.
pub(crate) fn occurrences(items: &[Value], part: &[Value]) -> Value {
    if part.is_empty() {
        return Value::Null;
    }
    let found = items.windows(part.len()).enumerate().filter(|(_, window)| *window == part);
    found.map(|(at, _)| Value::from(at)).collect()
}
