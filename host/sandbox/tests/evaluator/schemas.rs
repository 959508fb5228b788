//! Validation against JSON Schema.

use std::time::Duration;

use hotcell_expression::{Evaluator, ExpressionError, Violation};
use hotcell_sandbox::EvaluatorLimits;
use serde_json::{Value, json};

use super::{EVALUATORS, evaluator};

const ORDER: &str =
    r#"{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "minimum": 1}}}"#;

#[test]
fn valid_data_has_no_violations() {
    let mut evaluator = evaluator();
    assert_eq!(evaluator.validate(ORDER, &json!({"id": 7})), Ok(vec![]));
    assert_eq!(evaluator.validate("true", &json!(null)), Ok(vec![]));
    assert_eq!(evaluator.validate("{}", &json!([u64::MAX, -1.5])), Ok(vec![]));
}

#[test]
fn a_violation_says_where_and_what() {
    let violation = |pointer: &str, message: &str| Violation { pointer: pointer.into(), message: message.into() };
    let mut evaluator = evaluator();
    let result = evaluator.validate(ORDER, &json!({"id": 0}));
    assert_eq!(result, Ok(vec![violation("/id", "0 is less than the minimum of 1")]));
    let result = evaluator.validate(ORDER, &json!({}));
    assert_eq!(result, Ok(vec![violation("", "\"id\" is a required property")]));
}

#[test]
fn a_schema_that_is_not_one_is_a_syntax_error() {
    for schema in ["{", "7", r#"{"type": "text"}"#, r#"{"pattern": "("}"#, r#"{"$ref": "https://example.com/schema"}"#]
    {
        let result = evaluator().validate(schema, &json!(1));
        assert!(matches!(result, Err(ExpressionError::Syntax { offset: None, .. })), "{schema}: {result:?}");
    }
}

#[test]
fn hostile_schemas_and_data_end_within_the_bounds() {
    let limits = EvaluatorLimits { time: Duration::from_millis(500), ..EvaluatorLimits::default() };
    let mut evaluator = EVALUATORS.evaluator(limits);
    // Each level asks the next one twice.
    let mut doubling = String::from(r##"{"$ref": "#/$defs/l0", "$defs": {"##);
    for level in 0..40 {
        let next = level + 1;
        doubling +=
            &format!(r##""l{level}": {{"allOf": [{{"$ref": "#/$defs/l{next}"}}, {{"$ref": "#/$defs/l{next}"}}]}}, "##);
    }
    doubling += r#""l40": {"type": "string"}}}"#;
    let endless = r##"{"$ref": "#"}"##.to_owned();
    let deep = format!("{}true{}", r#"{"not":"#.repeat(10_000), "}".repeat(10_000));
    let automaton = r#"{"pattern": "((a{1,200}){1,200}){1,200}$"}"#.to_owned();
    let long = format!("{{\"const\": {:?}}}", "x".repeat(300_000));
    let data = json!("a".repeat(10_000));
    for schema in [&doubling, &endless, &deep, &automaton, &long] {
        let _an_error_or_violations = evaluator.validate(schema, &data);
        assert_eq!(
            evaluator.validate(ORDER, &json!({"id": 7})),
            Ok(vec![]),
            "after {}",
            &schema[..schema.len().min(40)]
        );
    }
    assert!(matches!(evaluator.validate(&doubling, &data), Err(ExpressionError::TimeLimit(_))));
    let nested: Value = (0..101).fold(json!(1), |inner, _| json!([inner]));
    assert!(matches!(evaluator.validate(ORDER, &nested), Err(ExpressionError::DataLimit(_))));
}
