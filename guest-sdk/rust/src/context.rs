//! What a task can learn of its call.

use std::time::Duration;

use crate::Problem;

/// What this call is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// The name of the task in the definition.
    pub task: String,
    /// Where the task stands: a JSON Pointer, `/do/0/price`.
    pub reference: String,
    /// The definition that the task belongs to.
    pub workflow: Workflow,
    /// The id of the execution.
    pub execution: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The same for every repetition of this very call after a crash of the host, and for no other call: give it to
    /// services that accept an idempotency key, so that nothing is done twice.
    pub idempotency_key: String,
    /// When the call will be interrupted, as the time since 1970-01-01T00:00:00Z, in whole milliseconds.
    pub deadline: Duration,
}

/// The definition that a task belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Workflow {
    /// The namespace of the definition, `document.namespace`.
    pub namespace: String,
    /// The name of the definition, `document.name`.
    pub name: String,
    /// The version of the definition, `document.version`.
    pub version: String,
}

/// What this call is: the task, the execution, the attempt, the deadline.
///
/// ```
/// if hotcell::context().attempt > 1 {
///     hotcell::info("trying again");
/// }
/// ```
pub fn context() -> Context {
    crate::host::context()
}

/// The value of a secret that the workflow and the operator grant to this task.
///
/// # Errors
///
/// A secret that was not granted, or does not exist, is a problem of the kind
/// [`kind::AUTHORIZATION`](crate::kind::AUTHORIZATION), status 403; the two cannot be told apart.
pub fn secret(name: &str) -> Result<String, Problem> {
    crate::host::secret(name)
}

impl Workflow {
    pub(crate) fn new(namespace: String, name: String, version: String) -> Self {
        Self { namespace, name, version }
    }
}
