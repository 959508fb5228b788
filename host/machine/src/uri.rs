//! "URI Template", and endpoints that are expressions.

use std::fmt::Write as _;

use hotcell_expression::{Data, Expression, ExpressionError, Part, Template};
use serde_json::Value;

/// A URI that is known when its task is performed.
#[derive(Debug)]
pub(crate) enum UriPlan {
    /// Text, names in braces, and expressions.
    Parts(Vec<UriPart>),
    /// One expression, whose result is not a template: data is never evaluated.
    Expression(Expression),
}

#[derive(Debug)]
pub(crate) enum UriPart {
    Text(String),
    /// `{name}`: the top-level property of this name.
    Name(String),
    Expression(Expression),
}

impl UriPlan {
    /// Reads a template as a document has it: a string.
    pub(crate) fn new(template: &Template) -> Self {
        let mut parts = Vec::new();
        match template {
            Template::Expression(expression) => return UriPlan::Expression(expression.clone()),
            Template::Attempt(expression, data) if data.value().as_str().is_some_and(|text| text.contains("${")) => {
                return UriPlan::Expression(expression.clone());
            }
            Template::Text(text) | Template::AttemptText(text, _) => {
                for part in text {
                    match part {
                        Part::Text(text) => split(text, &mut parts),
                        Part::Expression(expression) => parts.push(UriPart::Expression(expression.clone())),
                    }
                }
            }
            // In loose mode, a URI that is not in `${ … }` stays what it is: jq has no URIs.
            Template::Literal(data) | Template::Attempt(_, data) => {
                if let Value::String(text) = data.value() {
                    split(text, &mut parts);
                }
            }
            Template::Array(_) | Template::Object(_) => {}
        }
        UriPlan::Parts(parts)
    }

    /// The URI, made of the data of a task. `evaluate` evaluates an expression.
    pub(crate) fn expand<E: From<ExpressionError>>(
        &self,
        input: &Data,
        mut evaluate: impl FnMut(&Expression) -> Result<Data, E>,
    ) -> Result<String, E> {
        let parts = match self {
            UriPlan::Expression(expression) => return Ok(as_text(evaluate(expression)?.value())),
            UriPlan::Parts(parts) => parts,
        };
        let mut uri = String::new();
        for part in parts {
            match part {
                UriPart::Text(text) => uri.push_str(text),
                UriPart::Expression(expression) => uri.push_str(&as_text(evaluate(expression)?.value())),
                UriPart::Name(name) => match input.value().get(name.as_str()).unwrap_or(&Value::Null) {
                    Value::Null => {}
                    // In a path these would climb out of it, encoded or not.
                    Value::String(text) if matches!(text.as_str(), "." | "..") && !uri.contains(['?', '#']) => {
                        let message = format!("`{{{name}}}` is {text:?} in the data, which names another path");
                        return Err(ExpressionError::Failed(message).into());
                    }
                    Value::String(text) => encode(text, &mut uri),
                    value @ (Value::Bool(_) | Value::Number(_)) => encode(&value.to_string(), &mut uri),
                    Value::Array(_) | Value::Object(_) => {
                        let message = format!(
                            "`{{{name}}}` stands for a string, number or boolean, and the data has an array or object \
                             there; take what is needed of it with an expression"
                        );
                        return Err(ExpressionError::Failed(message).into());
                    }
                },
            }
        }
        Ok(uri)
    }
}

fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Splits text at its `{name}`. A brace without its partner is text.
fn split(text: &str, parts: &mut Vec<UriPart>) {
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else { break };
        if !before.is_empty() {
            parts.push(UriPart::Text(before.into()));
        }
        parts.push(UriPart::Name(name.into()));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(UriPart::Text(rest.into()));
    }
}

/// Simple string expansion (RFC 6570, section 3.2.2): data cannot change where a URI leads, only fill a place in it.
pub(crate) fn encode(text: &str, uri: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            _ => write!(uri, "%{byte:02X}").expect("a string takes everything"),
        }
    }
}

#[cfg(test)]
mod tests {
    use hotcell_expression::Mode;
    use serde_json::json;

    use super::*;

    fn expanded(uri: &str, data: Value) -> Result<String, ExpressionError> {
        let plan = UriPlan::new(&Template::parse(&json!(uri), Mode::Strict).unwrap());
        plan.expand(&Data::new(data).unwrap(), |_| Data::new(json!("evaluated/{x}")))
    }

    #[test]
    fn names_stand_for_top_level_properties_whatever_they_are_called() {
        let data = json!({"petId": 7, "pet.id": "a/b ü", "ok": true, "none": null, "pet": {"id": 1}});
        let uri = "https://x.org/{petId}/{pet.id}/{ok}/{none}{missing}/{";
        assert_eq!(expanded(uri, data).unwrap(), "https://x.org/7/a%2Fb%20%C3%BC/true//{");
        assert_eq!(expanded("https://x.org/{a}", json!("no object")).unwrap(), "https://x.org/");
    }

    #[test]
    fn a_name_that_stands_for_an_array_or_object_is_an_expression_error() {
        for value in [json!([]), json!({})] {
            assert!(matches!(expanded("/{a}", json!({"a": value})), Err(ExpressionError::Failed(_))));
        }
    }

    #[test]
    fn data_cannot_climb_out_of_a_path() {
        for value in [".", ".."] {
            assert!(matches!(
                expanded("https://x.org/pets/{a}/x", json!({"a": value})),
                Err(ExpressionError::Failed(_))
            ));
            assert_eq!(expanded("/x?q={a}", json!({"a": value})).unwrap(), format!("/x?q={value}"));
        }
    }

    #[test]
    fn what_expressions_yield_is_not_a_template() {
        assert_eq!(expanded("${ .uri }", json!({"x": 1})).unwrap(), "evaluated/{x}");
        assert_eq!(expanded("https://${ .host }/{x}", json!({"x": 1})).unwrap(), "https://evaluated/{x}/1");
    }
}
