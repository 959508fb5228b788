//! What jaq's standard library asks of values.

use jaq_std::ValT;

use crate::value::{Number, Value};

impl ValT for Value {
    fn into_seq<S: FromIterator<Self>>(self) -> Result<S, Self> {
        match self {
            Value::Array(items) => Ok(std::rc::Rc::unwrap_or_clone(items).into_iter().collect()),
            other => Err(other),
        }
    }

    fn is_int(&self) -> bool {
        matches!(self, Value::Number(Number::Int(_) | Number::Large(_)))
    }

    fn as_isize(&self) -> Option<isize> {
        match self {
            Value::Number(number) => isize::try_from(number.as_wide()?).ok(),
            _ => None,
        }
    }

    fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(number.as_f64()),
            _ => None,
        }
    }

    fn is_utf8_str(&self) -> bool {
        matches!(self, Value::String(_))
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::String(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    fn as_sub_str(&self, part: &[u8]) -> Self {
        Value::lossy(part)
    }

    fn from_utf8_bytes(bytes: impl AsRef<[u8]> + Send + 'static) -> Self {
        Value::lossy(bytes.as_ref())
    }
}
