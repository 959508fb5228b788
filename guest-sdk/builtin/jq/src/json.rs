//! Values from JSON and back.

use std::fmt;
use std::rc::Rc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::value::{Map, Number, Value};

/// The largest result, in bytes of JSON: 8 MiB, as much as data that flows through a workflow may have.
pub const MAX_BYTES: usize = 8 << 20;
/// The deepest nesting of arrays and objects in a result: 100, for the same reason.
pub const MAX_DEPTH: usize = 100;
/// The most values in a result: against `[0,0,0,…]`, each two bytes of which become some 70 on the host once read.
pub const MAX_VALUES: usize = 1_000_000;

/// In what way a value is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oversize {
    /// More than [`MAX_BYTES`] of JSON.
    Bytes,
    /// Nested more deeply than [`MAX_DEPTH`].
    Depth,
    /// More values than [`MAX_VALUES`].
    Values,
}

/// Writes a result, as long as it is within the limits.
pub(crate) fn write_result(value: &Value, out: &mut Vec<u8>) -> Result<(), Oversize> {
    let bytes = out.len() + MAX_BYTES;
    Writer { out, bytes, depth: MAX_DEPTH, values: MAX_VALUES }.write(value, 0)
}

/// The value as JSON without blanks, however large. For `tojson` and `tostring`.
pub(crate) fn to_text(value: &Value) -> String {
    let mut out = Vec::new();
    let written = Writer { out: &mut out, bytes: usize::MAX, depth: usize::MAX, values: usize::MAX }.write(value, 0);
    debug_assert!(written.is_ok(), "there is no limit to pass");
    String::from_utf8_lossy(&out).into_owned()
}

/// The beginning of the value as JSON.
pub(crate) fn abbreviated(value: &Value, bytes: usize) -> String {
    let mut out = Vec::new();
    let written = Writer { out: &mut out, bytes, depth: MAX_DEPTH, values: usize::MAX }.write(value, 0);
    let text = String::from_utf8_lossy(&out);
    if written.is_ok() { text.into_owned() } else { format!("{}…", shortened(&text, bytes)) }
}

/// As much of a text as fits, in whole characters.
pub(crate) fn shortened(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// Writes JSON until a limit is passed.
struct Writer<'o> {
    out: &'o mut Vec<u8>,
    bytes: usize,
    depth: usize,
    values: usize,
}

impl Writer<'_> {
    fn write(&mut self, value: &Value, depth: usize) -> Result<(), Oversize> {
        self.values = self.values.checked_sub(1).ok_or(Oversize::Values)?;
        match value {
            Value::Null => self.out.extend_from_slice(b"null"),
            Value::Bool(true) => self.out.extend_from_slice(b"true"),
            Value::Bool(false) => self.out.extend_from_slice(b"false"),
            Value::Number(number) => write_number(self.out, *number),
            Value::String(text) => self.write_string(text)?,
            Value::Array(items) => {
                let depth = self.descend(depth)?;
                for (at, item) in items.iter().enumerate() {
                    self.out.push(if at == 0 { b'[' } else { b',' });
                    self.write(item, depth)?;
                }
                self.out.extend_from_slice(if items.is_empty() { b"[]" } else { b"]" });
            }
            Value::Object(members) => {
                let depth = self.descend(depth)?;
                for (at, (name, member)) in members.iter().enumerate() {
                    self.out.push(if at == 0 { b'{' } else { b',' });
                    self.write_string(name)?;
                    self.out.push(b':');
                    self.write(member, depth)?;
                }
                self.out.extend_from_slice(if members.is_empty() { b"{}" } else { b"}" });
            }
        }
        if self.out.len() > self.bytes { Err(Oversize::Bytes) } else { Ok(()) }
    }

    fn descend(&self, depth: usize) -> Result<usize, Oversize> {
        if depth == self.depth { Err(Oversize::Depth) } else { Ok(depth + 1) }
    }

    fn write_string(&mut self, text: &str) -> Result<(), Oversize> {
        // Before anything is copied: the text may be large.
        if self.out.len().saturating_add(text.len()) > self.bytes {
            let fits = shortened(text, self.bytes.saturating_sub(self.out.len()));
            write_text(self.out, fits);
            return Err(Oversize::Bytes);
        }
        write_text(self.out, text);
        Ok(())
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[copied..at]);
        copied = at + 1;
        out.push(b'\\');
        match byte {
            b'"' | b'\\' => out.push(byte),
            b'\n' => out.push(b'n'),
            b'\r' => out.push(b'r'),
            b'\t' => out.push(b't'),
            0x08 => out.push(b'b'),
            0x0c => out.push(b'f'),
            _ => {
                out.extend_from_slice(b"u00");
                out.push(DIGITS[usize::from(byte >> 4)]);
                out.push(DIGITS[usize::from(byte & 15)]);
            }
        }
    }
    out.extend_from_slice(&bytes[copied..]);
    out.push(b'"');
}

fn write_number(out: &mut Vec<u8>, number: Number) {
    use std::io::Write;
    let written = match number {
        Number::Int(number) => write!(out, "{number}"),
        Number::Large(number) => write!(out, "{number}"),
        // JSON has neither; jq writes null and the largest double.
        Number::Float(number) if number.is_nan() => out.write_all(b"null"),
        Number::Float(number) if number.is_infinite() => {
            return write_number(out, Number::Float(f64::MAX.copysign(number)));
        }
        Number::Float(number) if number == 0.0 && number.is_sign_negative() => out.write_all(b"-0"),
        Number::Float(number) => return write_float(out, number),
    };
    debug_assert!(written.is_ok(), "a vector takes all");
}

/// The shortest digits that give the number again, with an exponent where jq writes one: `1e-05`, `1.5e+300`.
fn write_float(out: &mut Vec<u8>, number: f64) {
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').expect("`{:e}` writes an exponent");
    let exponent: i32 = exponent.parse().expect("`{:e}` writes a number behind the e");
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let before_point = exponent + 1;
    if number < 0.0 {
        out.push(b'-');
    }
    if before_point <= -4 || before_point > digits.len() as i32 + 15 {
        out.extend_from_slice(mantissa.as_bytes());
        let sign = if exponent < 0 { '-' } else { '+' };
        out.extend_from_slice(format!("e{sign}{:02}", exponent.abs()).as_bytes());
    } else if before_point <= 0 {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + before_point.unsigned_abs() as usize, b'0');
        out.extend_from_slice(&digits);
    } else {
        let before_point = before_point as usize;
        let (whole, fraction) = digits.split_at(before_point.min(digits.len()));
        out.extend_from_slice(whole);
        out.resize(out.len() + (before_point - whole.len()), b'0');
        out.push(b'.');
        out.extend_from_slice(if fraction.is_empty() { b"0" } else { fraction });
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(Number::Int(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(Number::from_wide(number.into())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(Number::Float(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::text(text))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::default();
        while let Some((name, value)) = members.next_entry::<String, Value>()? {
            object.insert(Rc::new(name), value);
        }
        Ok(Value::object(object))
    }
}
