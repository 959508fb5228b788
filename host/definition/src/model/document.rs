//! The workflow as a whole: its document, what it can reuse, its schedule.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{
    Authentication, Catalog, CronExpression, Duration, ErrorDefinition, EventStrategy, Extension, Input, Output,
    ReadAs, RetryPolicy, Reusable, Task, TaskList, Timeout,
};

/// A parsed and validated workflow document.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Who the workflow is.
    pub document: Document,
    /// Validates and transforms the workflow's input.
    pub input: Option<Input>,
    /// `use`: what tasks refer to by name.
    pub components: Components,
    /// `do`: what the workflow performs.
    pub tasks: TaskList,
    /// How long an execution may take. Default: without bound.
    pub timeout: Option<Reusable<Timeout>>,
    /// Transforms and validates the workflow's output.
    pub output: Option<Output>,
    /// When the workflow starts by itself.
    pub schedule: Option<Schedule>,
    /// How expressions are evaluated.
    pub evaluate: Evaluate,
    /// The whole document as plain data, as `$workflow.definition` shows it.
    pub source: Arc<Value>,
}

/// `document`: who a workflow is.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The version of the DSL, a semantic version.
    pub dsl: String,
    /// The namespace: letters, digits and hyphens, at most 63.
    pub namespace: String,
    /// The name: letters, digits and hyphens, at most 63.
    pub name: String,
    /// The version of the workflow, a semantic version.
    pub version: semver::Version,
    /// A title for people.
    pub title: Option<String>,
    /// A summary in Markdown.
    pub summary: Option<String>,
    /// Tags, by name.
    pub tags: Map<String, Value>,
    /// Anything else.
    pub metadata: Map<String, Value>,
}

/// `use`: what tasks refer to by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Components {
    /// Authentication policies.
    pub authentications: IndexMap<String, Authentication>,
    /// Catalogs of functions.
    pub catalogs: IndexMap<String, Catalog>,
    /// Errors to raise.
    pub errors: IndexMap<String, ErrorDefinition>,
    /// Extensions, in the order in which they apply.
    pub extensions: Vec<(String, Extension)>,
    /// Functions: tasks to call by name.
    pub functions: IndexMap<String, Task>,
    /// Retry policies.
    pub retries: IndexMap<String, RetryPolicy>,
    /// The names of the secrets that the workflow may use.
    pub secrets: Vec<String>,
    /// Timeouts.
    pub timeouts: IndexMap<String, Timeout>,
}

/// `schedule`: when a workflow starts by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// What starts it.
    pub trigger: Trigger,
    /// How the events that start it are read. Default: `data`.
    pub read: ReadAs,
}

/// What starts a scheduled workflow.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// At a fixed interval, whether or not the run before has ended.
    Every(Duration),
    /// At the times of a cron expression.
    Cron(Box<CronExpression>),
    /// A while after the run before has ended.
    After(Duration),
    /// When events have come.
    On(EventStrategy),
}

/// `evaluate`: how expressions are evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluate {
    /// The language. Default, and the only one that hotcell has: `jq`.
    pub language: String,
    /// Default: strict.
    pub mode: EvaluationMode,
}

impl Default for Evaluate {
    fn default() -> Self {
        Evaluate { language: "jq".into(), mode: EvaluationMode::Strict }
    }
}

/// What counts as an expression in a free-form value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EvaluationMode {
    /// Only `${ … }`.
    #[default]
    Strict,
    /// Every string is tried; one that fails stays what it was.
    Loose,
}
