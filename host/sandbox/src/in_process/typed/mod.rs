//! Calling a function of any type: JSON is mapped to the types of WIT by name, and back.
//!
//! `docs/components.md` has the mapping as a table.

mod budget;
mod describe;
mod lift;
mod lower;
mod path;

use hotcell_definition::{ErrorKind, Problem};
use serde_json::Value;
use wasmtime::component::types::{ComponentFunc, Type};
use wasmtime::component::{ComponentExportIndex, Instance, Val};
use wasmtime::{Error, Result, Store};

use self::budget::Budget;
use self::lift::Lift;
use self::lower::Lower;
use self::path::Path;
use super::cell::Cell;
use super::{json, outcome};
use crate::{CallError, CallLimits, PayloadKind};

pub(super) use budget::TypeBudget;

/// The longest excerpt of an error's value that is repeated as the detail of a problem, in bytes.
const DETAIL: usize = 300;

/// The arguments of a function, from the input of a call.
///
/// A function without parameters is not interested in its input. Otherwise the input is an object with an argument for
/// each parameter, by name; if the only parameter is a record, the input may be that record itself.
pub(super) fn arguments(
    function: &ComponentFunc,
    input: &str,
    limits: &CallLimits,
) -> core::result::Result<Vec<Val>, CallError> {
    let parameters: Vec<_> = function.params().collect();
    if parameters.is_empty() {
        return Ok(Vec::new());
    }
    let input = json::read(PayloadKind::Input, input, limits.payload_values)?;
    let mut lower = Lower::new(Budget::of(PayloadKind::Input, limits));
    if let [(name, parameter @ Type::Record(record))] = &parameters[..]
        && !is_by_name(&input, name, record.fields().map(|field| field.name))
    {
        return Ok(vec![lower.value(parameter, &input, &Path::root())?]);
    }
    let fields = lower.fields(parameters.into_iter(), &input, &Path::root(), "the function's parameters")?;
    Ok(fields.into_iter().map(|(_, argument)| argument).collect())
}

/// Whether an input is `{"parameter": …}` rather than the record that is the only parameter. A record that has a
/// field of that name itself is always meant itself.
fn is_by_name<'a>(input: &Value, parameter: &str, mut fields: impl Iterator<Item = &'a str>) -> bool {
    let only = input.as_object().filter(|members| members.len() == 1);
    only.is_some_and(|members| members.contains_key(parameter)) && fields.all(|field| field != parameter)
}

/// Calls the function. What it returned is given back to it (`post-return`) before this ends.
pub(super) async fn call(
    store: &mut Store<Cell>,
    instance: Instance,
    index: ComponentExportIndex,
    function: &ComponentFunc,
    arguments: &[Val],
) -> Result<Vec<Val>> {
    let callee = instance.get_func(&mut *store, index).ok_or_else(|| Error::msg("an exported function is missing"))?;
    let mut results = vec![Val::Bool(false); function.results().len()];
    callee.call_async(store, arguments, &mut results).await?;
    Ok(results)
}

/// What a function returned, as the end of its call: nothing is `null`, and an error of a `result` is a problem.
pub(super) fn result(
    function: &ComponentFunc,
    results: &[Val],
    limits: &CallLimits,
) -> core::result::Result<Value, CallError> {
    let mut lift = Lift::new(Budget::of(PayloadKind::Output, limits));
    let Some((ty, value)) = function.results().next().zip(results.first()) else { return Ok(Value::Null) };
    let (Type::Result(ty), Val::Result(value)) = (&ty, value) else { return lift.value(&ty, value) };
    match value {
        Ok(value) => lift.payload(ty.ok().as_ref(), value.as_deref()),
        Err(error) => {
            let error = lift.payload(ty.err().as_ref(), error.as_deref())?;
            Err(CallError::Returned { problem: Box::new(problem(error)) })
        }
    }
}

/// The problem that an error of a function is: its value is the member `error`.
fn problem(error: Value) -> Problem {
    let detail = match &error {
        Value::Null => "The function returned an error.".into(),
        Value::String(text) => text.clone(),
        other => outcome::shortened(&other.to_string(), DETAIL),
    };
    let mut problem = Problem::new(ErrorKind::Runtime, "Function failed", detail);
    problem.extensions.insert("error".into(), error);
    problem
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_is_given_itself_unless_the_input_names_the_parameter() {
        assert!(is_by_name(&json!({"order": {}}), "order", ["items"].into_iter()));
        assert!(!is_by_name(&json!({"items": []}), "order", ["items"].into_iter()));
        assert!(!is_by_name(&json!({"order": {}, "items": []}), "order", ["items"].into_iter()));
        assert!(!is_by_name(&json!({"order": {}}), "order", ["order"].into_iter()));
        assert!(!is_by_name(&json!([]), "order", ["items"].into_iter()));
    }

    #[test]
    fn an_error_is_a_problem_with_its_value() {
        let text = problem(json!("out of stock"));
        assert_eq!(text.detail.as_deref(), Some("out of stock"));
        let value = problem(json!({"out-of-stock": 3}));
        assert!(value.is(ErrorKind::Runtime));
        assert_eq!(value.detail.as_deref(), Some(r#"{"out-of-stock":3}"#));
        assert_eq!(value.to_value()["error"], json!({"out-of-stock": 3}));
    }
}
