//! Plain paths: `.`, `.a.b[0]`, `."a b"`, `.["a"]`, `$context.x`. Total and linear, so evaluated on the host.

use serde_json::Value;

use crate::ExpressionError;

/// A plain path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    pub(crate) root: Root,
    pub(crate) steps: Vec<Step>,
}

/// Where a path starts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Root {
    /// `.`
    Input,
    /// `$name`
    Variable(Box<str>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Key(Box<str>),
    Index(i64),
}

/// jq gives these names a meaning of its own.
const RESERVED_VARIABLES: [&str; 3] = ["__loc__", "__prog_args", "ENV"];

impl Path {
    /// The path that the text is, or nothing if it is anything else.
    pub(crate) fn parse(text: &str) -> Option<Path> {
        let mut rest = text;
        let root = match rest.strip_prefix('$') {
            Some(after) => {
                let (name, after) = identifier(after)?;
                if RESERVED_VARIABLES.contains(&name) {
                    return None;
                }
                rest = after;
                Root::Variable(name.into())
            }
            None if rest == "." => return Some(Path { root: Root::Input, steps: Vec::new() }),
            // `[0]` alone is an array, `.[0]` is a path.
            None if !rest.starts_with('.') => return None,
            None => Root::Input,
        };
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = parse_step(rest)?;
            steps.push(step);
            rest = after;
        }
        Some(Path { root, steps })
    }

    /// What the path leads to, from where it starts.
    pub(crate) fn follow<'v>(&self, start: &'v Value) -> Result<&'v Value, ExpressionError> {
        self.steps.iter().try_fold(start, |value, step| step.apply(value))
    }
}

fn parse_step(text: &str) -> Option<(Step, &str)> {
    let after_dot = text.strip_prefix('.');
    if let Some(after) = after_dot
        && let Some((name, rest)) = identifier(after)
    {
        return Some((Step::Key(name.into()), rest));
    }
    if let Some(after) = after_dot
        && after.starts_with('"')
    {
        let (key, rest) = string(after)?;
        return Some((Step::Key(key), rest));
    }
    // `.a[0]`, and `.[0]` or `.a.[0]` with a dot before the bracket.
    let after = after_dot.unwrap_or(text).strip_prefix('[')?;
    let (step, rest) = if after.starts_with('"') {
        let (key, rest) = string(after)?;
        (Step::Key(key), rest)
    } else {
        let end = after.find(|c: char| !c.is_ascii_digit() && c != '-')?;
        (Step::Index(after[..end].parse().ok()?), &after[end..])
    };
    Some((step, rest.strip_prefix(']')?))
}

fn identifier(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let name = &text[..end];
    (!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())).then_some((name, &text[end..]))
}

/// A string literal at the start of the text, without jq's interpolation.
fn string(text: &str) -> Option<(Box<str>, &str)> {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find_map(|(at, c)| match c {
        _ if escaped => {
            escaped = false;
            None
        }
        '\\' => {
            escaped = true;
            None
        }
        '"' => Some(at + 1),
        _ => None,
    })?;
    // JSON knows no `\(`, so interpolation is not taken for a plain string.
    let key: String = serde_json::from_str(&text[..end]).ok()?;
    Some((key.into(), &text[end..]))
}

impl Step {
    /// Indexing as jq does it: null yields null, what is missing is null, anything else is an error.
    fn apply<'v>(&self, value: &'v Value) -> Result<&'v Value, ExpressionError> {
        static NULL: Value = Value::Null;
        match (self, value) {
            (_, Value::Null) => Ok(&NULL),
            (Step::Key(key), Value::Object(members)) => Ok(members.get(&**key).unwrap_or(&NULL)),
            (Step::Index(index), Value::Array(items)) => {
                let at = if *index < 0 { items.len() as i64 + index } else { *index };
                Ok(usize::try_from(at).ok().and_then(|at| items.get(at)).unwrap_or(&NULL))
            }
            (Step::Key(key), other) => Err(failed(format!("cannot index {} with {key:?}", type_name(other)))),
            (Step::Index(_), other) => Err(failed(format!("cannot index {} with a number", type_name(other)))),
        }
    }
}

fn failed(message: String) -> ExpressionError {
    ExpressionError::Failed(message)
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_paths_are_recognised_and_everything_else_is_left_to_jq() {
        for text in [
            ".",
            ".a",
            ".a.b",
            ".a[0]",
            ".[0]",
            ".[-1]",
            ".a[\"b c\"]",
            ".\"a b\".c",
            ".a.[0]",
            "$x",
            "$x.a[0]",
            ".[\"\\u00e9\"]",
        ] {
            assert!(Path::parse(text).is_some(), "{text} is a path");
        }
        for text in [
            "",
            "a",
            "..",
            ".a.",
            ".a b",
            ".a?",
            ".[]",
            ".[0:1]",
            "[0]",
            ".a|.b",
            ".[\"\\(.x)\"]",
            "$ENV",
            "$__loc__",
            "$1",
            ".[.a]",
            ".[1",
            ".a == 1",
            ".[--1]",
        ] {
            assert!(Path::parse(text).is_none(), "{text} is not a path");
        }
    }

    #[test]
    fn paths_index_as_jq_does() {
        let data = json!({"a": [1, {"b": "x"}], "n": 1});
        let at = |path: &str| Path::parse(path).unwrap().follow(&data).cloned();
        assert_eq!(at(".a[1].b").unwrap(), json!("x"));
        assert_eq!(at(".a[-1].b").unwrap(), json!("x"));
        assert_eq!(at(".a[7]").unwrap(), json!(null));
        assert_eq!(at(".a[-7]").unwrap(), json!(null));
        assert_eq!(at(".missing.deeper[3]").unwrap(), json!(null));
        assert_eq!(at(".n.x").unwrap_err().to_string(), "cannot index a number with \"x\"");
        assert_eq!(at(".a.x").unwrap_err().to_string(), "cannot index an array with \"x\"");
        assert_eq!(at(".[0]").unwrap_err().to_string(), "cannot index an object with a number");
    }
}
