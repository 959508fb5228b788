//! Keeps secrets out of what is told of an execution: problems, log lines, progress messages.
//!
//! A definition can put a secret where an error quotes it: into a URL that is not there, a method, an argument of a function.
//! What the workflow computes with a secret is data, and its author's affair.

use std::borrow::Cow;

use hotcell_definition::Problem;
use serde_json::{Map, Value};

/// What stands in place of a secret.
const MASK: &str = "***";

/// Shorter secrets are not masked: they stand in texts by chance, and masking them would tell more than it hides.
const SHORTEST: usize = 4;

/// Replaces the secrets in what a problem says, for a log too. Its type and status are not told by secrets.
pub fn problem(problem: &mut Problem, secrets: &Map<String, Value>) {
    let texts = secret_texts(secrets);
    if texts.is_empty() {
        return;
    }
    for text in [&mut problem.title, &mut problem.detail].into_iter().flatten() {
        mask(text, &texts);
    }
    problem.extensions.values_mut().for_each(|value| mask_value(value, &texts));
}

/// Replaces the secrets in a text.
pub(crate) fn text(mut text: String, secrets: &Map<String, Value>) -> String {
    mask(&mut text, &secret_texts(secrets));
    text
}

/// Every text that is secret, the longest first: one may be part of another.
fn secret_texts(secrets: &Map<String, Value>) -> Vec<Cow<'_, str>> {
    let mut texts = Vec::new();
    let mut open: Vec<&Value> = secrets.values().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => texts.push(Cow::Borrowed(text.trim())),
            Value::Number(number) => texts.push(Cow::Owned(number.to_string())),
            Value::Array(items) => open.extend(items),
            Value::Object(members) => open.extend(members.values()),
            Value::Null | Value::Bool(_) => {}
        }
    }
    texts.retain(|text| text.len() >= SHORTEST);
    texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
    texts
}

fn mask(text: &mut String, secrets: &[Cow<'_, str>]) {
    for secret in secrets {
        if text.contains(&**secret) {
            *text = text.replace(&**secret, MASK);
        }
    }
}

fn mask_value(value: &mut Value, secrets: &[Cow<'_, str>]) {
    match value {
        Value::String(text) => mask(text, secrets),
        Value::Array(items) => items.iter_mut().for_each(|item| mask_value(item, secrets)),
        Value::Object(members) => members.values_mut().for_each(|member| mask_value(member, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use hotcell_definition::ErrorKind;
    use serde_json::json;

    use super::*;

    fn secrets(value: Value) -> Map<String, Value> {
        Map::from_iter([("key".to_owned(), value)])
    }

    #[test]
    fn a_problem_says_nothing_of_secrets() {
        let mut told =
            Problem::new(ErrorKind::Communication, "hunter2 failed", "GET https://example.com/hunter2/x: 404");
        told.extensions.insert("seen".into(), json!([{"in": "a hunter2"}]));
        problem(&mut told, &secrets(json!({"password": "hunter2"})));
        assert_eq!(told.title.as_deref(), Some("*** failed"));
        assert_eq!(told.detail.as_deref(), Some("GET https://example.com/***/x: 404"));
        assert_eq!(told.extensions["seen"], json!([{"in": "a ***"}]));
    }

    #[test]
    fn the_longest_secret_is_masked_first_and_short_ones_are_left() {
        assert_eq!(text("longer and long".into(), &secrets(json!(["long", "longer"]))), "*** and ***");
        assert_eq!(text("a 1 and a 2".into(), &secrets(json!(["a", 1]))), "a 1 and a 2");
    }
}
