//! What evaluates jq. The sandbox implements it; tests may bring their own.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

/// One evaluation of a jq program.
#[derive(Debug, Clone, Copy)]
pub struct Evaluation<'a> {
    /// The program, without `${ }`.
    pub program: &'a str,
    /// What `.` is.
    pub input: &'a Value,
    /// The variables that the program may use, without the `$`, each with its value.
    pub variables: &'a [(&'a str, &'a Value)],
    /// What `now` yields. It comes from outside so that the same evaluation always gives the same result.
    pub now: Timestamp,
}

/// What an evaluator will be asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// To run programs.
    pub jq: bool,
    /// To validate data.
    pub schemas: bool,
}

/// Runs jq programs and schemas, each evaluation within bounds of memory, time and size of result.
///
/// An evaluator serves one definition of one tenant. Programs that it has compiled are kept.
pub trait Evaluator: Send {
    /// Makes ready what will be needed, which may take seconds. Without this call it is made ready when it is first used.
    ///
    /// # Errors
    /// [`ExpressionError::Unavailable`]; the first use will tell it again.
    fn prepare(&mut self, needs: Needs) -> Result<(), ExpressionError> {
        let _ = needs;
        Ok(())
    }

    /// The first output of the program, or null if it has none (both chosen where the specification is silent).
    ///
    /// # Errors
    /// Whatever is wrong with the program or happens in it. The evaluator can be used again after any error.
    fn evaluate(&mut self, evaluation: Evaluation<'_>) -> Result<Value, ExpressionError>;

    /// Compiles a program without running it, and keeps it.
    ///
    /// # Errors
    /// [`ExpressionError::Syntax`] with the place, or an error of the evaluator.
    fn check(&mut self, program: &str, variables: &[&str]) -> Result<(), ExpressionError>;

    /// Validates data against a JSON Schema (draft 2020-12, or what `$schema` says). `schema` is the schema as
    /// JSON text; schemas that were compiled are kept by that text. Nothing outside the schema is fetched.
    ///
    /// Returns what does not fit, at most a few dozen entries; nothing if the data is valid.
    ///
    /// # Errors
    /// [`ExpressionError::Syntax`] if the schema is not a valid one, or a limit. Validation may take exponential
    /// time (`allOf` with references to itself), which is why it has the same bounds as a program.
    fn validate(&mut self, schema: &str, data: &Value) -> Result<Vec<Violation>, ExpressionError>;
}

/// One thing in data that does not fit its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where in the data: a JSON Pointer, empty for the data as a whole.
    pub pointer: String,
    /// What does not fit, as a sentence.
    pub message: String,
}

/// Why an expression has no result. Each becomes a problem of the kind `…/errors/expression`, status 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// The program is not jq, or uses a name that does not exist.
    #[error("{message}")]
    Syntax {
        /// What was expected and what stood there.
        message: String,
        /// Where, in bytes from the start of the program, if that is known.
        offset: Option<usize>,
    },
    /// The program ended with an error.
    #[error("{0}")]
    Failed(String),
    /// The program took longer than it may.
    #[error("the expression did not end within {} ms", .0.as_millis())]
    TimeLimit(Duration),
    /// The program needed more memory than it may.
    #[error("the expression needs more than {} MiB of memory", .0 >> 20)]
    MemoryLimit(u64),
    /// The expression asked for a secret that was not granted, or does not exist. Not a problem of the kind
    /// `expression` but `…/errors/authorization`, status 403.
    #[error("the secret {0:?} is not granted to this workflow")]
    SecretDenied(String),
    /// Data is larger or nested deeper than it may be.
    #[error("{0}")]
    DataLimit(String),
    /// The evaluator itself failed. A bug, or a machine without memory.
    #[error("the expression could not be evaluated: {0}")]
    Unavailable(String),
}
