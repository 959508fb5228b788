//! JSON texts that a guest wrote.

use serde_json::Value;

use crate::{CallError, MAX_JSON_DEPTH, PayloadKind, PayloadUnit};

/// Reads a JSON text, but only if what it becomes in memory is bounded: its depth and the number of its values are
/// found out before anything is allocated for them.
pub(crate) fn read(what: PayloadKind, text: &str, max_values: usize) -> Result<Value, CallError> {
    let invalid = |reason: String| CallError::InvalidJson { what, reason };
    let shape = Shape::of(text);
    if shape.depth > MAX_JSON_DEPTH {
        return Err(invalid(format!("it is nested {} levels deep", shape.depth)));
    }
    if shape.values > max_values {
        return Err(CallError::PayloadLimit { what, limit: max_values, unit: PayloadUnit::Values });
    }
    serde_json::from_str(text).map_err(|error| invalid(error.to_string()))
}

/// How large a JSON text becomes in memory.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    /// How deep arrays and objects are nested.
    depth: usize,
    /// How many values there are, empty arrays and objects counted twice.
    values: usize,
}

impl Shape {
    /// The shape of a text, if it is JSON; of anything else, some shape. In one pass, and without recursion.
    fn of(text: &str) -> Self {
        let mut shape = Shape { depth: 0, values: 1 };
        let mut depth = 0_usize;
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            match byte {
                b'[' | b'{' => {
                    depth += 1;
                    shape.depth = shape.depth.max(depth);
                    shape.values += 1;
                }
                b']' | b'}' => depth = depth.saturating_sub(1),
                b',' => shape.values += 1,
                b'"' => skip_string(&mut bytes),
                _ => {}
            }
        }
        shape
    }
}

/// Goes behind the end of the string in which `bytes` stands.
fn skip_string(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_and_commas_in_strings_do_not_count() {
        assert_eq!(Shape::of(r#"{"a[,\"[":"[[,,","b":[1]}"#), Shape { depth: 2, values: 4 });
    }

    #[test]
    fn a_text_nested_deeper_than_the_limit_is_refused_and_one_at_the_limit_is_read() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(PayloadKind::Output, &nested(MAX_JSON_DEPTH), 1_000).is_ok());
        let error = read(PayloadKind::Output, &nested(MAX_JSON_DEPTH + 1), 1_000).unwrap_err();
        assert!(matches!(error, CallError::InvalidJson { reason, .. } if reason.contains("101 levels")));
        assert!(read(PayloadKind::Output, &nested(1_000_000), usize::MAX).is_err());
    }

    #[test]
    fn a_text_of_too_many_values_is_refused_before_it_is_read() {
        let text = format!("[{}0]", "0,".repeat(100));
        assert!(read(PayloadKind::Output, &text, 102).is_ok());
        assert!(matches!(read(PayloadKind::Output, &text, 101), Err(CallError::PayloadLimit { limit: 101, .. })));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", "nul", "{", "1 2", r#""\ud800""#, "\"\\", "NaN", "1e999"] {
            let error = read(PayloadKind::Output, text, 1_000).unwrap_err();
            assert!(matches!(error, CallError::InvalidJson { .. }), "{text}: {error:?}");
        }
    }
}
