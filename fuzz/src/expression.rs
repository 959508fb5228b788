//! Expressions: what the host evaluates by itself comes to what jq says.

use std::cell::RefCell;
use std::sync::Arc;

use hotcell_builtin_jq::{Failure, Interpreter};
use hotcell_expression::{
    Bindings, Data, Evaluation, Evaluator, Expression, ExpressionError, Mode, Scope, Template, Violation,
};
use jiff::Timestamp;
use serde_json::{Value, json};

/// How many programs one interpreter keeps.
const KEPT: u32 = 200;

thread_local! {
    static INTERPRETER: RefCell<(Interpreter, u32)> = RefCell::new((Interpreter::new(), 0));
}

/// The first line is JSON, the input; the rest is an expression, and a template.
pub fn expression(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (input, source) = text.split_once('\n').unwrap_or(("null", text));
    let Ok(input) = Data::from_json(input) else { return };
    let scope = Scope { input: &input, bindings: &Variables, now: Timestamp::UNIX_EPOCH };

    let expression = Expression::parse(source);
    assert_eq!(expression.source(), source.trim());
    for (at, _) in expression.secrets() {
        assert!(expression.source()[at..].starts_with("$secrets"));
    }
    if expression.program().is_none() {
        let ours = expression.evaluate(&scope, &mut NoEvaluator);
        compare(expression.source(), &input, ours);
    }

    for mode in [Mode::Strict, Mode::Loose] {
        let Ok(template) = Template::parse(&Value::from(source), mode) else { continue };
        let result = template.evaluate(&scope, &mut Fails);
        match (&template, result) {
            (Template::Literal(literal), result) => assert_eq!(result.as_ref(), Ok(literal)),
            // Loose mode: what fails stays what it was, but for secrets.
            (Template::Attempt(..), Err(error)) => {
                assert!(matches!(error, ExpressionError::SecretDenied(_) | ExpressionError::DataLimit(_)), "{error}");
            }
            _ => {}
        }
    }
    if let Ok(value) = serde_json::from_str::<Value>(source)
        && let Ok(template) = Template::parse(&value, Mode::Strict)
        && let Ok(result) = template.evaluate(&scope, &mut Fails)
        && template.is_literal()
    {
        assert_eq!(result.value(), &value);
    }
}

fn compare(source: &str, input: &Data, ours: Result<Data, ExpressionError>) {
    // Of what it is refused, jq is not asked.
    if matches!(ours, Err(ExpressionError::SecretDenied(_) | ExpressionError::DataLimit(_))) {
        return;
    }
    let theirs = INTERPRETER.with_borrow_mut(|(interpreter, used)| {
        *used += 1;
        if *used > KEPT {
            (*interpreter, *used) = (Interpreter::new(), 0);
        }
        let program = interpreter.compile(source, &["context", "secrets"]).map_err(|error| error.message)?;
        let request = [input.value(), &context(), &json!({})].map(Value::to_string).join("\n");
        let mut response = Vec::new();
        interpreter.evaluate(program, 0.0, request.as_bytes(), &mut response).map_err(|failure| match failure {
            Failure::Failed(message) | Failure::Request(message) => message,
            Failure::Oversize(oversize) => format!("{oversize:?}"),
        })?;
        Ok::<Value, String>(serde_json::from_slice(&response).expect("a response is JSON"))
    });
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            assert!(same(ours.value(), &theirs), "{source} on {}: {} and {theirs}", input.value(), ours.value());
        }
        (Err(_), Err(_)) => {}
        (ours, theirs) => panic!("{source} on {}: {ours:?} and {theirs:?}", input.value()),
    }
}

/// Equal as jq has it: numbers by their value.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| same(value, other)))
        }
        (one, other) => one == other,
    }
}

fn context() -> Value {
    json!({"a": {"b": [1, 2, {"c": null}]}, "": "empty", "list": [[0], "x"]})
}

struct Variables;

impl Bindings for Variables {
    fn variable(&self, name: &str) -> Option<Arc<Value>> {
        match name {
            "context" => Some(Arc::new(context())),
            "secrets" => Some(Arc::new(json!({}))),
            _ => None,
        }
    }

    fn grants_secret(&self, _: &str) -> bool {
        false
    }
}

/// For what the host evaluates by itself.
struct NoEvaluator;

impl Evaluator for NoEvaluator {
    fn evaluate(&mut self, evaluation: Evaluation<'_>) -> Result<Value, ExpressionError> {
        panic!("the host evaluates {:?} by itself", evaluation.program);
    }

    fn check(&mut self, program: &str, _: &[&str]) -> Result<(), ExpressionError> {
        panic!("the host checks {program:?} by itself");
    }

    fn validate(&mut self, _: &str, _: &Value) -> Result<Vec<Violation>, ExpressionError> {
        Ok(Vec::new())
    }
}

/// Fails, whatever it is asked.
struct Fails;

impl Evaluator for Fails {
    fn evaluate(&mut self, _: Evaluation<'_>) -> Result<Value, ExpressionError> {
        Err(ExpressionError::Failed("no".into()))
    }

    fn check(&mut self, _: &str, _: &[&str]) -> Result<(), ExpressionError> {
        Err(ExpressionError::Failed("no".into()))
    }

    fn validate(&mut self, _: &str, _: &Value) -> Result<Vec<Violation>, ExpressionError> {
        Err(ExpressionError::Failed("no".into()))
    }
}
