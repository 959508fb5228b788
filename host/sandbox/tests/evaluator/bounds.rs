//! The limits of data, programs and evaluations.

use std::time::Duration;

use hotcell_expression::{Evaluator, ExpressionError};
use hotcell_sandbox::EvaluatorLimits;
use serde_json::{Value, json};

use super::{EVALUATORS, evaluator, result_of, run};

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}

fn is_data_limit(result: &Result<Value, ExpressionError>) -> bool {
    matches!(result, Err(ExpressionError::DataLimit(_)))
}

#[test]
fn data_is_nested_at_most_100_levels_deep() {
    let mut evaluator = evaluator();
    assert_eq!(run(&mut evaluator, ".", &nested(100), &[]), Ok(nested(100)));
    assert!(is_data_limit(&run(&mut evaluator, ".", &nested(101), &[])));
    assert!(is_data_limit(&run(&mut evaluator, "[.]", &nested(100), &[])));
    assert!(is_data_limit(&run(&mut evaluator, "$deep", &json!(1), &[("deep", &nested(101))])));
    assert!(is_data_limit(&run(&mut evaluator, "reduce range(100000) as $i (1; [.])", &json!(1), &[])));
    assert_eq!(run(&mut evaluator, ".", &json!(1), &[]), Ok(json!(1)));
}

#[test]
fn data_has_at_most_8_mib() {
    let mut evaluator = evaluator();
    let text = json!("x".repeat((8 << 20) - 2));
    assert_eq!(run(&mut evaluator, ".", &text, &[]), Ok(text.clone()));
    assert!(is_data_limit(&run(&mut evaluator, ". + \"x\"", &text, &[])));
    assert!(is_data_limit(&run(&mut evaluator, ".", &json!([text]), &[])));
    assert!(is_data_limit(&run(&mut evaluator, "$text", &json!(1), &[("text", &json!([text]))])));
}

#[test]
fn a_result_has_at_most_a_million_values() {
    assert_eq!(result_of("[range(999999)] | length"), Ok(json!(999_999)));
    assert!(result_of("[range(999999)]").is_ok());
    assert!(is_data_limit(&result_of("[range(1000000)]")));
}

#[test]
fn a_program_is_at_most_256_kib_long() {
    let program = format!("1{}", " ".repeat(300_000));
    assert!(is_data_limit(&result_of(&program)));
    let program = format!("{:?} | length", "x".repeat(200_000));
    assert_eq!(result_of(&program), Ok(json!(200_000)));
}

#[test]
fn a_program_has_at_most_a_thousand_variables() {
    let names: Vec<String> = (0..1_001).map(|number| format!("v{number}")).collect();
    let value = json!(7);
    let variables: Vec<(&str, &Value)> = names.iter().map(|name| (name.as_str(), &value)).collect();
    assert_eq!(run(&mut evaluator(), "$v999", &json!(null), &variables[..1_000]), Ok(json!(7)));
    assert!(is_data_limit(&run(&mut evaluator(), "$v999", &json!(null), &variables)));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert!(evaluator().check("1", &names).is_err());
}

#[test]
fn names_of_variables_may_be_anything() {
    let value = json!(1);
    let names = ["", "$", "a b", "\u{0}", "ä", "x\ny"];
    let variables: Vec<(&str, &Value)> = names.iter().map(|name| (*name, &value)).collect();
    assert_eq!(run(&mut evaluator(), "2", &json!(null), &variables), Ok(json!(2)));
}

#[test]
fn limits_are_those_that_were_given() {
    let limits = EvaluatorLimits { memory: 48 << 20, time: Duration::from_millis(100) };
    let mut evaluator = EVALUATORS.evaluator(limits);
    let endless = run(&mut evaluator, "def f: f; f", &json!(null), &[]);
    assert_eq!(endless, Err(ExpressionError::TimeLimit(Duration::from_millis(100))));
    let large = run(&mut evaluator, "[limit(20000000; repeat(1))] | length", &json!(null), &[]);
    assert!(
        matches!(large, Err(ExpressionError::MemoryLimit(limit)) if limit == 48 << 20)
            || matches!(large, Err(ExpressionError::TimeLimit(_))),
        "{large:?}"
    );
}

#[test]
fn limits_too_small_for_anything_are_an_error_too() {
    let limits = EvaluatorLimits { memory: 1000, time: Duration::from_secs(1) };
    let result = run(&mut EVALUATORS.evaluator(limits), ".", &json!(null), &[]);
    assert_eq!(result, Err(ExpressionError::MemoryLimit(1000)));
    let limits = EvaluatorLimits { memory: 64 << 20, time: Duration::ZERO };
    let result = run(&mut EVALUATORS.evaluator(limits), "def f: f; f", &json!(null), &[]);
    assert_eq!(result, Err(ExpressionError::TimeLimit(Duration::ZERO)));
}
