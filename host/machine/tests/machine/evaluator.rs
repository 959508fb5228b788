//! Evaluates jq and schemas natively. Bounds are the sandbox's business; here everything is trusted.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use hotcell_expression::{Evaluation, Evaluator, ExpressionError, Violation};
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data::JustLut, unwrap_valr};
use jaq_json::Val;
use serde_json::Value;

type Filter = jaq_core::compile::Filter<jaq_core::Native<JustLut<Val>>>;

/// Keeps nothing itself: programs that were compiled are kept by the thread.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NativeEvaluator;

thread_local! {
    static FILTERS: RefCell<HashMap<String, Result<Rc<Filter>, ExpressionError>>> = RefCell::default();
    static SCHEMAS: RefCell<HashMap<String, Result<Rc<jsonschema::Validator>, ExpressionError>>> = RefCell::default();
}

impl Evaluator for NativeEvaluator {
    fn evaluate(&mut self, evaluation: Evaluation<'_>) -> Result<Value, ExpressionError> {
        let names: Vec<&str> = evaluation.variables.iter().map(|(name, _)| *name).collect();
        let filter = compiled(evaluation.program, &names)?;
        let now = Value::from(evaluation.now.as_second() as f64);
        let values = [&now].into_iter().chain(evaluation.variables.iter().map(|(_, value)| *value));
        let context = Ctx::<JustLut<Val>>::new(&filter.lut, Vars::new(values.map(to_jaq)));
        let first = filter.id.run((context, to_jaq(evaluation.input))).map(unwrap_valr).next();
        match first {
            None => Ok(Value::Null),
            Some(Ok(value)) => from_jaq(&value),
            Some(Err(error)) => Err(ExpressionError::Failed(error.to_string())),
        }
    }

    fn check(&mut self, program: &str, variables: &[&str]) -> Result<(), ExpressionError> {
        compiled(program, variables).map(drop)
    }

    fn validate(&mut self, schema: &str, data: &Value) -> Result<Vec<Violation>, ExpressionError> {
        let validator = SCHEMAS.with_borrow_mut(|known| {
            known.entry(schema.to_owned()).or_insert_with(|| compile_schema(schema).map(Rc::new)).clone()
        })?;
        Ok(validator
            .iter_errors(data)
            .map(|error| Violation { pointer: error.instance_path().to_string(), message: error.to_string() })
            .collect())
    }
}

fn compile_schema(schema: &str) -> Result<jsonschema::Validator, ExpressionError> {
    let invalid = |message: String| ExpressionError::Syntax { message, offset: None };
    let schema: Value = serde_json::from_str(schema).map_err(|error| invalid(error.to_string()))?;
    jsonschema::validator_for(&schema).map_err(|error| invalid(error.to_string()))
}

fn compiled(program: &str, variables: &[&str]) -> Result<Rc<Filter>, ExpressionError> {
    let key = format!("{} {program}", variables.join(" "));
    FILTERS
        .with_borrow_mut(|known| known.entry(key).or_insert_with(|| compile(program, variables).map(Rc::new)).clone())
}

fn compile(program: &str, variables: &[&str]) -> Result<Filter, ExpressionError> {
    let invalid = || ExpressionError::Syntax { message: format!("{program:?} is not a valid program"), offset: None };
    // Time comes from outside.
    let code = format!("def now: $__now; {program}");
    let names: Vec<String> = ["__now"].iter().chain(variables).map(|name| format!("${name}")).collect();
    let arena = Arena::default();
    let loader = Loader::new(jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()));
    let modules = loader.load(&arena, File { path: (), code: &code }).map_err(|_| invalid())?;
    Compiler::default()
        .with_funs(jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs()))
        .with_global_vars(names.iter().map(String::as_str))
        .compile(modules)
        .map_err(|_| invalid())
}

fn to_jaq(value: &Value) -> Val {
    jaq_json::read::parse_single(value.to_string().as_bytes()).expect("JSON is a part of what jaq reads")
}

fn from_jaq(value: &Val) -> Result<Value, ExpressionError> {
    let text = value.to_string();
    serde_json::from_str(&text).map_err(|error| ExpressionError::Failed(format!("the result is not JSON: {error}")))
}
