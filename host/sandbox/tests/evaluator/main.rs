//! What evaluators promise: jq's semantics, clear errors, and bounds that hold against any program.

mod bounds;
mod errors;
mod hostile;
mod schemas;
mod semantics;

use std::sync::LazyLock;

use hotcell_expression::{Evaluation, Evaluator, ExpressionError};
use hotcell_sandbox::{CellEvaluator, EvaluatorLimits, Evaluators};
use jiff::Timestamp;
use serde_json::Value;

/// Compiling the interpreter takes longer than all evaluations; so the tests share it, as a host does.
static EVALUATORS: LazyLock<Evaluators> = LazyLock::new(|| Evaluators::new().expect("the interpreter compiles"));

fn evaluator() -> CellEvaluator {
    EVALUATORS.evaluator(EvaluatorLimits::default())
}

/// 2015-03-05T23:53:41.5Z
fn now() -> Timestamp {
    Timestamp::from_millisecond(1_425_599_621_500).expect("the time is in range")
}

/// The result of a program, in this evaluator.
fn run(
    evaluator: &mut CellEvaluator,
    program: &str,
    input: &Value,
    variables: &[(&str, &Value)],
) -> Result<Value, ExpressionError> {
    evaluator.evaluate(Evaluation { program, input, variables, now: now() })
}

/// The result of a program that needs no input.
fn result_of(program: &str) -> Result<Value, ExpressionError> {
    run(&mut evaluator(), program, &Value::Null, &[])
}
