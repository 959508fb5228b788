//! JSON values, as jq computes with them.

mod access;
mod arithmetic;
mod number;
mod order;
mod update;

use std::fmt;
use std::rc::Rc;

use indexmap::IndexMap;
use jaq_core::val::Range;
use jaq_core::{Error, ValR};

use crate::json;
pub(crate) use access::{keys, occurrences, position};
pub(crate) use number::Number;

/// A JSON value. Cloning shares; whoever changes one that is not shared changes it in place.
#[derive(Clone, Debug, Default)]
pub(crate) enum Value {
    #[default]
    Null,
    Bool(bool),
    Number(Number),
    String(Rc<String>),
    Array(Rc<Vec<Value>>),
    Object(Rc<Map>),
}

/// The members of an object, in the order in which they were written.
pub(crate) type Map = IndexMap<Rc<String>, Value, foldhash::fast::FixedState>;

/// How much of a value error messages show, in bytes. jq shows 11.
const SHOWN_IN_MESSAGES: usize = 40;

impl Value {
    /// The string with this text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Value::String(Rc::new(text.into()))
    }

    /// The string with these bytes; what is not UTF-8 becomes U+FFFD, as in jq.
    pub(crate) fn lossy(bytes: &[u8]) -> Self {
        Value::text(String::from_utf8_lossy(bytes))
    }

    /// The array of these items.
    pub(crate) fn array(items: Vec<Value>) -> Self {
        Value::Array(Rc::new(items))
    }

    /// The object with these members.
    pub(crate) fn object(members: Map) -> Self {
        Value::Object(Rc::new(members))
    }

    /// What `type` says.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        }
    }

    /// Type and value, for messages: `string ("a")`.
    pub(crate) fn described(&self) -> String {
        format!("{} ({self})", self.type_name())
    }
}

/// An error with this message.
pub(crate) fn failed<T>(message: impl fmt::Display) -> ValR<T, Value> {
    Err(Error::str(message))
}

/// The value as JSON, shortened, for messages.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&json::abbreviated(self, SHOWN_IN_MESSAGES))
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Value::Bool(flag)
    }
}

impl From<isize> for Value {
    fn from(number: isize) -> Self {
        Value::Number(Number::Int(number as i64))
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Value::Number(Number::from_wide(number as i128))
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value::Number(Number::computed(number))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::text(text)
    }
}

impl From<Range<Value>> for Value {
    fn from(range: Range<Value>) -> Self {
        let bounds = [("start", range.start), ("end", range.end)];
        Value::object(
            bounds.into_iter().map(|(name, bound)| (Rc::new(name.to_owned()), bound.unwrap_or_default())).collect(),
        )
    }
}

impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Value::array(items.into_iter().collect())
    }
}
