//! Progress events: numbered, immutable facts about an execution.

use std::fmt;
use std::sync::Arc;

use hotcell_definition::{Problem, TaskReference};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The id of an execution. Unique among all executions of a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExecutionId(pub Arc<str>);

impl ExecutionId {
    /// The id with this text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        ExecutionId(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A progress event. Its JSON form is what `hotcell run --progress json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The number of the event in its execution: from 1, without gaps.
    pub sequence: u64,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
    /// When it happened, as the input that caused it said.
    pub time: Timestamp,
    /// The execution to which it happened.
    pub execution: ExecutionId,
    /// The task to which it happened, for events of tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<EventTask>,
}

/// The task of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventTask {
    /// Its name.
    pub name: Arc<str>,
    /// Where it stands in the definition.
    pub reference: Arc<TaskReference>,
    /// Which attempt this is, from 1: how often the innermost `try` around the task has begun.
    pub attempt: u32,
    /// The number of this performance of the task in its execution. A task in a loop is performed many times.
    pub id: u64,
    /// The number of the performance within which this one happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u64>,
    /// The index of the innermost `for` iteration around the task, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iteration: Option<u64>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// The execution exists.
    WorkflowStarted {
        /// Which definition it executes.
        workflow: WorkflowIdentity,
    },
    /// The document is being read.
    WorkflowParsing,
    /// The document is a valid definition.
    WorkflowParsed,
    /// Components are being found and compiled.
    WorkflowBuilding,
    /// Tasks are being performed.
    WorkflowExecuting,
    /// The execution ended with an output.
    WorkflowCompleted {
        /// The transformed output.
        output: Payload,
    },
    /// The execution ended with an error that nothing caught.
    WorkflowFailed {
        /// The error.
        error: Problem,
    },
    /// The execution was cancelled.
    WorkflowCancelled {
        /// Why, if whoever cancelled it said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The execution pauses: what runs goes on, nothing new starts.
    WorkflowSuspended,
    /// The execution goes on.
    WorkflowResumed,
    /// The flow has reached the task.
    TaskCreated,
    /// The task is being performed.
    TaskStarted,
    /// The task told how far it has come.
    TaskProgress {
        /// How much is done, from 0 to 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fraction: Option<f64>,
        /// What is being done, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// Anything else, for programs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<Value>,
    },
    /// The task wrote a log line.
    TaskLog {
        /// How much it matters.
        level: LogLevel,
        /// Where it was written.
        stream: LogStream,
        /// The line, without its end.
        message: String,
    },
    /// The task failed and will be attempted again.
    TaskRetried {
        /// Why the last attempt failed.
        error: Problem,
        /// How long the machine waits before the next attempt, in milliseconds.
        delay: u64,
    },
    /// The task ended with an output.
    TaskCompleted,
    /// The task ended with an error.
    TaskFailed {
        /// The error.
        error: Problem,
    },
    /// The task was interrupted: it lost a race, its time was up, or the execution was cancelled.
    TaskCancelled,
    /// The task was not performed, because its `if` did not hold.
    TaskSkipped,
    /// The data after a task: its transformed output.
    StateUpdated {
        /// The data.
        data: Payload,
    },
}

impl EventKind {
    /// The name of the event, `task_started` for example.
    pub fn name(&self) -> &'static str {
        match self {
            EventKind::WorkflowStarted { .. } => "workflow_started",
            EventKind::WorkflowParsing => "workflow_parsing",
            EventKind::WorkflowParsed => "workflow_parsed",
            EventKind::WorkflowBuilding => "workflow_building",
            EventKind::WorkflowExecuting => "workflow_executing",
            EventKind::WorkflowCompleted { .. } => "workflow_completed",
            EventKind::WorkflowFailed { .. } => "workflow_failed",
            EventKind::WorkflowCancelled { .. } => "workflow_cancelled",
            EventKind::WorkflowSuspended => "workflow_suspended",
            EventKind::WorkflowResumed => "workflow_resumed",
            EventKind::TaskCreated => "task_created",
            EventKind::TaskStarted => "task_started",
            EventKind::TaskProgress { .. } => "task_progress",
            EventKind::TaskLog { .. } => "task_log",
            EventKind::TaskRetried { .. } => "task_retried",
            EventKind::TaskCompleted => "task_completed",
            EventKind::TaskFailed { .. } => "task_failed",
            EventKind::TaskCancelled => "task_cancelled",
            EventKind::TaskSkipped => "task_skipped",
            EventKind::StateUpdated { .. } => "state_updated",
        }
    }

    /// Whether no event follows this one.
    pub fn is_last(&self) -> bool {
        matches!(
            self,
            EventKind::WorkflowCompleted { .. }
                | EventKind::WorkflowFailed { .. }
                | EventKind::WorkflowCancelled { .. }
        )
    }
}

/// Which definition an execution executes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WorkflowIdentity {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// Where a log line was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogStream {
    /// The `log` function of the task's context.
    Log,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// hotcell itself: that and how much of a log was dropped.
    Host,
}

/// Data in an event: by value when small, by reference when large.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Payload {
    /// The data itself.
    Value {
        /// The data.
        value: Arc<Value>,
    },
    /// Data of more than [`Payload::INLINE_BYTES`] (claim check).
    Reference {
        /// What to ask for: `<execution>/<sequence>`.
        reference: String,
        /// The size of the data as JSON, in bytes.
        bytes: u64,
    },
}

impl Payload {
    /// The largest data that an event carries by value, in bytes as JSON: 64 KiB, beyond which the CloudEvents
    /// specification guarantees no delivery.
    pub const INLINE_BYTES: u64 = 64 * 1024;
}
