//! A call, and how it ended: plain data, which a worker process can be sent.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{CallError, CallLimits, Digest};

/// The id of a call. It survives a crash of the host: a call that has to be made again has the same id, which
/// guests get as their idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(Arc<str>);

impl CallId {
    /// The id with this text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        CallId(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One attempt to run one leaf task in one cell.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Call {
    /// The id of the call.
    pub id: CallId,
    /// Which component to call. It has been [prepared](crate::Cells::prepare).
    pub component: Digest,
    /// Which of its exports: `namespace:package/interface@version#function`, or any shorter name that means only one
    /// (without the version, the package or the interface, or without the function). Default: the handler of the task
    /// contract; in a component without one, `wasi:cli/run`; in one without that, its only function.
    #[serde(default)]
    pub export: Option<Arc<str>>,
    /// What it gets: a JSON text.
    pub input: Arc<str>,
    /// What it can learn of its surroundings.
    pub context: CallContext,
    /// What it may use.
    pub limits: CallLimits,
}

/// What a task can learn of its surroundings (`context.current` in `wit/task.wit`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallContext {
    /// The name of the task.
    pub task: Arc<str>,
    /// Where the task stands in its definition: a JSON Pointer, `/do/0/price`.
    pub reference: Arc<str>,
    /// The definition that the task belongs to.
    pub workflow: Arc<WorkflowName>,
    /// The id of the execution.
    pub execution: Arc<str>,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// By what a definition is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WorkflowName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallEnd {
    /// The task's output, or why there is none.
    pub result: Result<Value, CallError>,
    /// What the call used.
    pub usage: Usage,
}

/// What a call used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// How long the call waited for a free cell.
    pub waited: Duration,
    /// From the start of the instantiation to the end of the call.
    pub wall: Duration,
    /// What a processor spent on the call, to within 5 ms.
    pub cpu: Duration,
    /// The most bytes that its linear memories had together.
    pub memory_peak: usize,
    /// Bytes that it logged and wrote to stdout and stderr, dropped ones included.
    pub log_bytes: u64,
    /// Progress reports that it made, dropped ones included.
    pub reports: u64,
}
