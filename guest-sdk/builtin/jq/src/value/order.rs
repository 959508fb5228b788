//! Which value comes first: null, false, true, numbers, strings, arrays, objects.

use std::cmp::Ordering;
use std::rc::Rc;

use super::{Map, Value};

impl Value {
    fn rank(&self) -> u8 {
        match self {
            Value::Null => 0,
            Value::Bool(false) => 1,
            Value::Bool(true) => 2,
            Value::Number(_) => 3,
            Value::String(_) => 4,
            Value::Array(_) => 5,
            Value::Object(_) => 6,
        }
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Value::Number(a), Value::Number(b)) => a.order(*b),
            (Value::String(a), Value::String(b)) => a.cmp(b),
            (Value::Array(a), Value::Array(b)) => a.cmp(b),
            (Value::Object(a), Value::Object(b)) => compare_objects(a, b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }
}

/// First the names are compared as arrays, sorted; then the values, in the order of their names.
fn compare_objects(a: &Map, b: &Map) -> Ordering {
    fn sorted(map: &Map) -> Vec<(&Rc<String>, &Value)> {
        let mut members: Vec<_> = map.iter().collect();
        members.sort_unstable_by_key(|(name, _)| *name);
        members
    }
    let (a, b) = (sorted(a), sorted(b));
    let names = a.iter().map(|(name, _)| name).cmp(b.iter().map(|(name, _)| name));
    names.then_with(|| a.iter().map(|(_, value)| value).cmp(b.iter().map(|(_, value)| value)))
}

/// What `<` and its relatives use. Not the order of [`Ord`] for what is not a number: in jq that is less than any
/// number, itself included, while sorting needs an order without contradictions.
#[allow(clippy::non_canonical_partial_ord_impl)]
impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Value::Number(a), Value::Number(_)) if a.is_nan() => Some(Ordering::Less),
            _ => Some(self.cmp(other)),
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Number(a), Value::Number(b)) => !a.is_nan() && a.order(*b) == Ordering::Equal,
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Array(a), Value::Array(b)) => a == b,
            (Value::Object(a), Value::Object(b)) => a == b,
            (a, b) => a.rank() == b.rank(),
        }
    }
}

/// Not quite true (`nan` differs from itself), as with the values of jaq: it asks for it, and does not rely on it.
impl Eq for Value {}
