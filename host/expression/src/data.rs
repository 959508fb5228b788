//! JSON whose size and depth are known.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::ExpressionError;

/// JSON that flows through a workflow. Cheap to clone. Its size and depth were measured once, when it was made,
/// and are within [`Data::MAX_BYTES`], [`Data::MAX_VALUES`] and [`Data::MAX_DEPTH`].
///
/// The limits answer loops in a document: `set: { a: ${ . }, b: ${ . } }` doubles the data with every
/// iteration, `set: { a: ${ . } }` deepens it until whoever walks it next has no stack left. And they answer
/// `[0,0,0,…]`, each two bytes of which take some 70 in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    value: Arc<Value>,
    bytes: u64,
    values: u32,
    depth: u16,
}

impl Data {
    /// The largest data, in bytes as JSON: 8 MiB.
    pub const MAX_BYTES: u64 = 8 << 20;

    /// The most values, scalars and arrays and objects counted alike: 1,000,000.
    pub const MAX_VALUES: u32 = 1_000_000;

    /// The deepest nesting of arrays and objects: 100. JSON parsers commonly stop at 128.
    pub const MAX_DEPTH: u16 = 100;

    /// Takes a value in.
    ///
    /// # Errors
    /// [`ExpressionError::DataLimit`] if it is too large or nested too deeply.
    pub fn new(value: impl Into<Arc<Value>>) -> Result<Self, ExpressionError> {
        let value = value.into();
        let mut measure = Measure { bytes: 0, values: 0, deepest: 0 };
        measure.visit(&value, 0)?;
        Ok(Data { value, bytes: measure.bytes, values: measure.values, depth: measure.deepest })
    }

    /// `null`
    pub fn null() -> Self {
        Data { value: Arc::new(Value::Null), bytes: 4, values: 1, depth: 0 }
    }

    /// Parses a JSON text.
    ///
    /// # Errors
    /// [`ExpressionError::Failed`] if it is not JSON, [`ExpressionError::DataLimit`] if it is too much.
    pub fn from_json(text: &str) -> Result<Self, ExpressionError> {
        if text.len() as u64 > Self::MAX_BYTES {
            return Err(too_large());
        }
        let value: Value = serde_json::from_str(text).map_err(|error| match error.classify() {
            serde_json::error::Category::Syntax if error.to_string().starts_with("recursion limit") => too_deep(),
            _ => ExpressionError::Failed(format!("not valid JSON: {error}")),
        })?;
        Data::new(value)
    }

    /// An array of data.
    ///
    /// # Errors
    /// [`ExpressionError::DataLimit`] if all together is too large or too deep. Nothing is copied then.
    pub fn array(items: &[Data]) -> Result<Self, ExpressionError> {
        let bytes = items.iter().map(|item| item.bytes + 1).sum::<u64>().max(1) + 1;
        let depth = items.iter().map(|item| item.depth).max().unwrap_or(0) + 1;
        let values = items.iter().map(|item| u64::from(item.values)).sum::<u64>() + 1;
        if bytes > Self::MAX_BYTES || values > Self::MAX_VALUES.into() {
            return Err(too_large());
        }
        if depth > Self::MAX_DEPTH {
            return Err(too_deep());
        }
        let value = Arc::new(Value::Array(items.iter().map(|item| (*item.value).clone()).collect()));
        let values = u32::try_from(values).expect("it is at most MAX_VALUES");
        Ok(Data { value, bytes, values, depth })
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The value, shared.
    pub fn share(&self) -> Arc<Value> {
        Arc::clone(&self.value)
    }

    /// The size as JSON without blanks, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many values it holds, itself included.
    pub fn values(&self) -> u32 {
        self.values
    }

    /// How deeply arrays and objects are nested; 0 for a scalar.
    pub fn depth(&self) -> u16 {
        self.depth
    }
}

impl Default for Data {
    fn default() -> Self {
        Data::null()
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Data::new(Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Measures a value. Recursion ends at the depth limit.
struct Measure {
    bytes: u64,
    values: u32,
    deepest: u16,
}

impl Measure {
    fn visit(&mut self, value: &Value, depth: u16) -> Result<(), ExpressionError> {
        self.values += 1;
        if self.values > Data::MAX_VALUES {
            return Err(too_large());
        }
        match value {
            Value::Null => self.add(4)?,
            Value::Bool(flag) => self.add(if *flag { 4 } else { 5 })?,
            Value::Number(number) => self.add(number_length(number))?,
            Value::String(text) => self.add(string_length(text))?,
            Value::Array(items) => {
                let inner = self.descend(depth)?;
                self.add(2 + items.len().saturating_sub(1) as u64)?;
                for item in items {
                    self.visit(item, inner)?;
                }
            }
            Value::Object(members) => {
                let inner = self.descend(depth)?;
                self.add(2 + members.len().saturating_sub(1) as u64)?;
                self.visit_members(members, inner)?;
            }
        }
        Ok(())
    }

    fn visit_members(&mut self, members: &Map<String, Value>, depth: u16) -> Result<(), ExpressionError> {
        for (name, value) in members {
            self.add(string_length(name) + 1)?;
            self.visit(value, depth)?;
        }
        Ok(())
    }

    fn descend(&mut self, depth: u16) -> Result<u16, ExpressionError> {
        let inner = depth + 1;
        if inner > Data::MAX_DEPTH {
            return Err(too_deep());
        }
        self.deepest = self.deepest.max(inner);
        Ok(inner)
    }

    fn add(&mut self, bytes: u64) -> Result<(), ExpressionError> {
        self.bytes += bytes;
        if self.bytes > Data::MAX_BYTES { Err(too_large()) } else { Ok(()) }
    }
}

fn number_length(number: &serde_json::Number) -> u64 {
    if let Some(n) = number.as_u64() {
        u64::from(n.checked_ilog10().unwrap_or(0)) + 1
    } else if let Some(n) = number.as_i64() {
        u64::from(n.unsigned_abs().checked_ilog10().unwrap_or(0)) + 2
    } else {
        number.to_string().len() as u64
    }
}

/// The length of a string as serde_json writes it.
fn string_length(text: &str) -> u64 {
    let escapes: usize = text
        .bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
            0..=0x1f => 5,
            _ => 0,
        })
        .sum();
    (text.len() + escapes + 2) as u64
}

pub(crate) fn too_large() -> ExpressionError {
    ExpressionError::DataLimit(format!(
        "the data is larger than {} MiB or has more than {} values; keep less in it, or keep large things outside and pass a reference",
        Data::MAX_BYTES >> 20,
        Data::MAX_VALUES
    ))
}

pub(crate) fn too_deep() -> ExpressionError {
    ExpressionError::DataLimit(format!("the data is nested more than {} levels deep", Data::MAX_DEPTH))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((".*", inner), 0..5).prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_size_is_that_of_the_json_text(value in json_value()) {
            let text = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(Data::new(value).unwrap().bytes(), text.len() as u64);
        }

        #[test]
        fn an_array_measures_what_its_items_measure(values in prop::collection::vec(json_value(), 0..4)) {
            let items: Vec<Data> = values.into_iter().map(|value| Data::new(value).unwrap()).collect();
            let array = Data::array(&items).unwrap();
            prop_assert_eq!(&array, &Data::new(array.value().clone()).unwrap());
        }
    }

    #[test]
    fn data_that_is_nested_too_deeply_is_refused() {
        let nest = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(Data::new(nest(100)).unwrap().depth(), 100);
        assert_eq!(Data::new(nest(101)).unwrap_err(), too_deep());
        assert_eq!(
            Data::from_json(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))).unwrap_err(),
            too_deep()
        );
    }

    #[test]
    fn an_array_that_would_be_too_large_is_refused_before_it_is_made() {
        let big = Data::new(json!("x".repeat(3 << 20))).unwrap();
        assert_eq!(Data::array(&[big.clone(), big.clone(), big]).unwrap_err(), too_large());
    }
}
