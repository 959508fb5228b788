//! How failures of expressions and schemas become problems.

use hotcell_definition::{ErrorKind, Problem};
use hotcell_expression::{ExpressionError, Violation};

/// The longest part of an expression that a problem quotes, in characters.
const QUOTED: usize = 200;

/// The problem that an expression failed. `what` says which field it stands in, `source` is its text.
pub(crate) fn expression_problem(what: &str, source: Option<&str>, error: ExpressionError) -> Problem {
    let (kind, title) = match &error {
        ExpressionError::Syntax { .. } => (ErrorKind::Expression, "Invalid expression"),
        ExpressionError::Failed(_) => (ErrorKind::Expression, "Expression failed"),
        ExpressionError::TimeLimit(_) => (ErrorKind::Expression, "Expression time limit"),
        ExpressionError::MemoryLimit(_) => (ErrorKind::Expression, "Expression memory limit"),
        ExpressionError::DataLimit(_) => (ErrorKind::Expression, "Data limit"),
        ExpressionError::SecretDenied(_) => (ErrorKind::Authorization, "Secret not granted"),
        ExpressionError::Unavailable(_) => (ErrorKind::Runtime, "Evaluator unavailable"),
    };
    let detail = match source {
        Some(source) => format!("`{what}` is `{}`: {error}", shorten(source)),
        None => format!("`{what}`: {error}"),
    };
    Problem::new(kind, title, detail)
}

/// The problem that data could not be checked against a schema. One that is none is no fault of the data, nor of an expression.
pub(crate) fn schema_problem(what: &str, error: ExpressionError) -> Problem {
    match error {
        ExpressionError::Syntax { message, .. } => {
            Problem::new(ErrorKind::Configuration, "Invalid schema", format!("`{what}`: {message}"))
        }
        other => expression_problem(what, None, other),
    }
}

/// The problem that data does not fit its schema.
pub(crate) fn validation_problem(what: &str, violations: &[Violation]) -> Problem {
    let listed: Vec<String> = violations
        .iter()
        .take(5)
        .map(|violation| match violation.pointer.as_str() {
            "" => violation.message.clone(),
            pointer => format!("{pointer}: {}", violation.message),
        })
        .collect();
    let more = violations.len().saturating_sub(listed.len());
    let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
    Problem::new(
        ErrorKind::Validation,
        "Invalid data",
        format!("the data does not fit `{what}`: {}{more}", listed.join("; ")),
    )
}

fn shorten(source: &str) -> String {
    match source.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &source[..end]),
        None => source.to_owned(),
    }
}
