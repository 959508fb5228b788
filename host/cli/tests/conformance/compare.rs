//! Whether two values are the same, and what differs if not.

use serde_json::Value;
use similar::TextDiff;

/// Equal as JSON: numbers by their value, members in any order.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => one == other,
    }
}

/// # Errors
/// What differs, line by line.
pub(crate) fn equal(what: &str, expected: &Value, actual: &Value) -> Result<(), String> {
    if same(expected, actual) {
        return Ok(());
    }
    let text = |value| serde_json::to_string_pretty(value).expect("a value is JSON") + "\n";
    let (expected, actual) = (text(expected), text(actual));
    let diff = TextDiff::from_lines(&expected, &actual);
    Err(format!("{what}\n{}", diff.unified_diff().context_radius(4).header("expected", "actual")))
}

/// What a dotted path leads to.
pub(crate) fn at_path<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, name| match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        other => other.get(name),
    })
}
