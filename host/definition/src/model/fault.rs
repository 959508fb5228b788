//! Errors, how they are raised and caught, retries and timeouts.

use serde_json::Value;

use super::{Duration, Expression, FlowDirective, Reusable, TaskList, Template};

/// `raise`: raises an error.
#[derive(Debug, Clone, PartialEq)]
pub struct Raise {
    /// The error, or the name of one under `use.errors`.
    pub error: Reusable<ErrorDefinition>,
}

/// The definition of an error. Every field may hold `${ … }`.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorDefinition {
    /// A URI reference that identifies the kind of error.
    pub kind: Template,
    /// The status, an integer or an expression that yields one.
    pub status: Template,
    /// A short summary.
    pub title: Option<Template>,
    /// An explanation.
    pub detail: Option<Template>,
    /// Written by the author, replaced by the runtime with the task's reference.
    pub instance: Option<Template>,
}

/// `try`: attempts tasks, and handles their errors.
#[derive(Debug, Clone, PartialEq)]
pub struct Try {
    /// What is attempted.
    pub tasks: TaskList,
    /// Which errors are handled, and how.
    pub catch: Catch,
}

/// `catch`: which errors are handled, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Catch {
    /// `errors.with`: the properties that an error must have. Empty: any.
    pub filter: ErrorFilter,
    /// `as`: the variable that holds the error. Default: `error`.
    pub variable: String,
    /// Catches only if this holds.
    pub when: Option<Expression>,
    /// Does not catch if this holds.
    pub except_when: Option<Expression>,
    /// Whether and how to try again.
    pub retry: Option<Reusable<RetryPolicy>>,
    /// What is performed once, when nothing is retried (any more). Default: nothing.
    pub tasks: Option<TaskList>,
    /// Where the flow goes after an error has been caught. Default: as the task says.
    pub then: Option<FlowDirective>,
}

/// A static filter for errors: what is present must be equal.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ErrorFilter {
    /// The type, under any of the names that the specification uses for a standard one.
    pub kind: Option<String>,
    /// The status.
    pub status: Option<Value>,
    /// The JSON Pointer of the task in which the error arose.
    pub instance: Option<String>,
    /// The title.
    pub title: Option<String>,
    /// The detail.
    pub detail: Option<String>,
    /// Members beyond the standard ones.
    pub extensions: serde_json::Map<String, Value>,
}

/// How a failed task is tried again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RetryPolicy {
    /// Retries only if this holds.
    pub when: Option<Expression>,
    /// Does not retry if this holds.
    pub except_when: Option<Expression>,
    /// How long to wait before a retry. Default: not at all.
    pub delay: Option<Duration>,
    /// How the delay grows. Default: it stays.
    pub backoff: Backoff,
    /// How many retries at most (`limit.attempt.count`). Default: without bound.
    pub attempts: Option<u64>,
    /// How long one attempt may take (`limit.attempt.duration`). Default: without bound.
    pub attempt_duration: Option<Duration>,
    /// How long all attempts together may take, waits included (`limit.duration`). Default: without bound.
    pub duration: Option<Duration>,
    /// A random addition to each delay. Default: none.
    pub jitter: Option<Jitter>,
}

/// How the delay `d` grows with the number `n` of the retry, from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Backoff {
    /// `d`
    #[default]
    Constant,
    /// `d · n`
    Linear,
    /// `d · 2^(n-1)`
    Exponential,
}

/// A random addition to a delay, uniform between two bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Jitter {
    /// The least.
    pub from: Duration,
    /// The most.
    pub to: Duration,
}

/// `timeout`: how long a workflow or task may take.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeout {
    /// The time after which it is interrupted.
    pub after: Duration,
}
