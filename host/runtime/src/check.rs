//! Checks the expressions and the schemas of a document before anything runs.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use hotcell_definition::{
    Checkable, Code, Diagnostic, EvaluationMode, ExpressionSite, Fault, Proceed, SchemaFault, Severity,
};
use hotcell_expression::{Evaluator, Expression, ExpressionError, Needs};
use hotcell_machine::{Program, Unsupported, refers_elsewhere, schema_text};
use serde_json::Value;

/// How long the expressions of one document are checked at most: 10 seconds. A fraction of a millisecond is usual for
/// one; this answers documents with a hundred thousand of them, and those that take a compiler long. What is not checked is evaluated
/// all the same, within the bounds of every evaluation.
pub const MAX_CHECK_TIME: Duration = Duration::from_secs(10);

/// A program, and which of the variables that it mentions there are where it stands.
type Checked = (String, Vec<bool>);

/// Checks every expression of a document: that it is jq, that there are the functions and variables that it uses where it
/// stands, and that the document declares the secrets that it names. Programs are compiled by the evaluator, none is run.
///
/// `document` is the text that was parsed; it need not be valid otherwise. Returns errors, each placed inside its expression, and a warning if not
/// everything was checked. In loose mode they are warnings: there, a text that is no expression stays what it is.
pub fn check_expressions(parsed: &impl Checkable, document: &str, evaluator: &mut dyn Evaluator) -> Vec<Diagnostic> {
    let secrets = parsed.secrets();
    // What has to be compiled first is not the document's to pay for. What fails here fails below, and is told there.
    let _ = evaluator.prepare(Needs { jq: parsed.locations().expressions() > 0, schemas: false });
    let mut known: HashMap<Checked, Option<(ExpressionError, String)>> = HashMap::new();
    let end = Instant::now() + MAX_CHECK_TIME;
    let mut found = parsed.locations().check_expressions(document, |site, faults| {
        let expression = Expression::parse(site.source());
        if !site.binds("secrets") {
            undeclared_secrets(&expression, secrets, faults);
        }
        // The same program may stand in many places, with the same variables.
        let mentioned = expression.mentioned_variables();
        let key = (site.source().to_owned(), mentioned.iter().map(|name| site.has_variable(name)).collect());
        let outcome = known.entry(key).or_insert_with(|| {
            let error = expression.check(|name| site.has_variable(name), evaluator).err()?;
            let message = error.to_string();
            Some((error, message))
        });
        match outcome {
            None => {}
            Some((ExpressionError::Unavailable(reason), _)) => {
                tracing::warn!(%reason, "expressions cannot be checked");
                return Proceed::No("the evaluator is not available");
            }
            Some((error, message)) => faults.push(fault(error, message, &site)),
        }
        if Instant::now() > end { Proceed::No("checking them takes too long") } else { Proceed::Yes }
    });
    if parsed.mode() == EvaluationMode::Loose {
        found.iter_mut().for_each(|diagnostic| diagnostic.severity = Severity::Warning);
    }
    found
}

/// Checks every schema that is written in place, as the evaluator reads it. Those that refer to other documents are checked when
/// these are loaded.
pub fn check_schemas(parsed: &impl Checkable, evaluator: &mut dyn Evaluator) -> Vec<Diagnostic> {
    if parsed.locations().schemas() > 0 {
        let _ = evaluator.prepare(Needs { jq: false, schemas: true });
    }
    let end = Instant::now() + MAX_CHECK_TIME;
    parsed.locations().check_schemas(parsed.source(), |schema, format| {
        if Instant::now() > end {
            return None;
        }
        if refers_elsewhere(schema) {
            return Some(Ok(()));
        }
        // What is wrong with the format is told by whoever links the definition.
        let Ok(text) = schema_text(schema, format) else { return Some(Ok(())) };
        match evaluator.validate(&text, &Value::Null) {
            Err(ExpressionError::Syntax { message, .. }) => Some(Err(schema_fault(schema, &message))),
            Err(ExpressionError::Unavailable(reason)) => {
                tracing::warn!(%reason, "schemas cannot be checked");
                None
            }
            // Data that does not fit says nothing, nor does a limit.
            _ => Some(Ok(())),
        }
    })
}

/// The validator says where, after which it says what: `…, at /properties/x: …`.
fn schema_fault(schema: &Value, message: &str) -> SchemaFault {
    let split = message.split_once(", at ").and_then(|(_, rest)| {
        let ends = rest.match_indices(": ").map(|(end, _)| (&rest[..end], &rest[end + 2..]));
        ends.into_iter().find(|(pointer, _)| schema.pointer(pointer).is_some())
    });
    let (pointer, what) =
        split.unwrap_or_else(|| ("", message.strip_prefix("the schema is not valid: ").unwrap_or(message)));
    SchemaFault { pointer: pointer.to_owned(), message: format!("This is not a JSON Schema: {what}.") }
}

/// What is wrong with the schemas that were loaded, and with what they refer to.
pub fn check_loaded_schemas(program: &Program, evaluator: &mut dyn Evaluator) -> Vec<Unsupported> {
    let mut known = HashMap::new();
    let checked = program.loaded_schemas().filter_map(|(pointer, text)| {
        let outcome = known.entry(text).or_insert_with(|| match evaluator.validate(text, &Value::Null) {
            Err(ExpressionError::Syntax { message, .. }) => Some(message),
            _ => None,
        });
        outcome.clone().map(|message| Unsupported { pointer: pointer.to_owned(), message })
    });
    checked.collect()
}

fn undeclared_secrets(expression: &Expression, declared: &[String], faults: &mut Vec<Fault>) {
    for (offset, name) in expression.secrets() {
        if !declared.iter().any(|known| known == name) {
            let name: String = name.chars().take(60).collect();
            faults.push(Fault {
                code: Code::UnknownSecret,
                offset: Some(offset),
                message: format!("`use.secrets` has no `{name}`."),
                help: format!("Add `{name}` to the list `use.secrets`, and grant it when the workflow is run."),
            });
        }
    }
}

fn fault(error: &ExpressionError, message: &str, site: &ExpressionSite<'_>) -> Fault {
    let offset = match error {
        ExpressionError::Syntax { offset, .. } => *offset,
        _ => None,
    };
    // Where a variable stands that there is not, that is what is wrong, whatever the evaluator calls it.
    let behind = offset.and_then(|at| site.source().get(at..)).unwrap_or_default();
    if let Some(name) = behind.strip_prefix('$').map(variable_name)
        && !name.is_empty()
        && !site.has_variable(name)
        && !message.starts_with("expected")
    {
        let all: Vec<String> = site.variables().take(12).map(|name| format!("`${name}`")).collect();
        return Fault {
            code: Code::UnknownVariable,
            offset,
            message: format!("There is no variable `${}` here.", name.chars().take(60).collect::<String>()),
            help: format!("Here are {}; a variable of your own needs an `as ${name}` before it.", all.join(", ")),
        };
    }
    Fault {
        code: Code::InvalidExpression,
        offset,
        message: format!("The expression is not valid: {message}."),
        help: "Correct it where it is marked; expressions are jq, in which strings take double quotes.".into(),
    }
}

fn variable_name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}
