//! From the protocol to events. What comes in is not trusted.

use std::sync::Arc;

use hotcell_definition::{Problem, TaskReference};
use hotcell_machine::{Event, EventKind, EventTask, ExecutionId, LogLevel, LogStream, Payload, WorkflowIdentity};
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::proto::{self, event::Kind, payload::Content};

/// The longest id of an execution, in bytes.
const MAX_EXECUTION_ID: usize = 256;
/// The highest sequence number: what an SQLite integer, and most languages, can hold.
const MAX_SEQUENCE: u64 = i64::MAX as u64;

/// Why something is not a progress event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {sequence} of execution {execution:?} is malformed: {reason}")]
pub struct InvalidEvent {
    /// The execution that it names, shortened if it is too long to be one.
    pub execution: String,
    /// The number that it has.
    pub sequence: u64,
    /// What is wrong with it, and what was expected.
    pub reason: String,
}

/// The event that the protocol's form stands for.
///
/// # Errors
/// If the form is none of an event: a field is missing or out of its range, or a JSON text is none. The kind of event may
/// also be one that this version does not know.
pub fn decode(event: proto::Event) -> Result<Event, InvalidEvent> {
    let sequence = event.sequence;
    let execution = shortened(&event.execution);
    parse(event).map_err(|reason| InvalidEvent { execution, sequence, reason })
}

/// As much of an id as fits into a message.
fn shortened(execution: &str) -> String {
    execution.chars().take(MAX_EXECUTION_ID).collect()
}

fn parse(event: proto::Event) -> Result<Event, String> {
    if event.sequence == 0 || event.sequence > MAX_SEQUENCE {
        return Err(format!("`sequence` must be from 1 to {MAX_SEQUENCE}"));
    }
    check_execution_id(&event.execution)?;
    let time = timestamp(event.time.ok_or("`time` is missing")?)?;
    let kind = kind(event.kind.ok_or("it has no kind, or one that this version of hotcell does not know")?)?;
    let task = event.task.map(task).transpose()?;
    match (&task, kind.name()) {
        (None, name) if name.starts_with("task_") => return Err(format!("`{name}` needs a `task`")),
        (Some(_), name) if name.starts_with("workflow_") => return Err(format!("`{name}` has no `task`")),
        _ => {}
    }
    Ok(Event { sequence: event.sequence, kind, time, execution: ExecutionId::new(event.execution), task })
}

/// What makes a text an id of an execution: not empty, at most 256 bytes, no control characters.
pub(crate) fn check_execution_id(text: &str) -> Result<(), String> {
    if text.is_empty() || text.len() > MAX_EXECUTION_ID || text.chars().any(char::is_control) {
        return Err(format!("`execution` must be 1 to {MAX_EXECUTION_ID} bytes without control characters"));
    }
    Ok(())
}

fn kind(kind: Kind) -> Result<EventKind, String> {
    Ok(match kind {
        Kind::WorkflowStarted(started) => {
            let workflow = started.workflow.ok_or("`workflow_started.workflow` is missing")?;
            EventKind::WorkflowStarted {
                workflow: WorkflowIdentity {
                    namespace: workflow.namespace,
                    name: workflow.name,
                    version: workflow.version,
                },
            }
        }
        Kind::WorkflowParsing(_) => EventKind::WorkflowParsing,
        Kind::WorkflowParsed(_) => EventKind::WorkflowParsed,
        Kind::WorkflowBuilding(_) => EventKind::WorkflowBuilding,
        Kind::WorkflowExecuting(_) => EventKind::WorkflowExecuting,
        Kind::WorkflowCompleted(completed) => EventKind::WorkflowCompleted { output: payload(completed.output)? },
        Kind::WorkflowFailed(failed) => EventKind::WorkflowFailed { error: problem(failed.error)? },
        Kind::WorkflowCancelled(cancelled) => EventKind::WorkflowCancelled { reason: cancelled.reason },
        Kind::WorkflowSuspended(_) => EventKind::WorkflowSuspended,
        Kind::WorkflowResumed(_) => EventKind::WorkflowResumed,
        Kind::TaskCreated(_) => EventKind::TaskCreated,
        Kind::TaskStarted(_) => EventKind::TaskStarted,
        Kind::TaskProgress(progress) => EventKind::TaskProgress {
            fraction: progress.fraction.map(fraction).transpose()?,
            message: progress.message,
            data: progress.data_json.map(|text| json(&text, "task_progress.data_json")).transpose()?,
        },
        Kind::TaskLog(log) => {
            EventKind::TaskLog { level: log_level(log.level)?, stream: log_stream(log.stream)?, message: log.message }
        }
        Kind::TaskRetried(retried) => {
            EventKind::TaskRetried { error: problem(retried.error)?, delay: retried.delay_milliseconds }
        }
        Kind::TaskCompleted(_) => EventKind::TaskCompleted,
        Kind::TaskFailed(failed) => EventKind::TaskFailed { error: problem(failed.error)? },
        Kind::TaskCancelled(_) => EventKind::TaskCancelled,
        Kind::TaskSkipped(_) => EventKind::TaskSkipped,
        Kind::StateUpdated(updated) => EventKind::StateUpdated { data: payload(updated.data)? },
    })
}

fn timestamp(time: prost_types::Timestamp) -> Result<Timestamp, String> {
    if !(0..1_000_000_000).contains(&time.nanos) {
        return Err("`time.nanos` must be from 0 to 999,999,999".to_owned());
    }
    Timestamp::new(time.seconds, time.nanos).map_err(|error| format!("`time` is out of range: {error}"))
}

fn task(task: proto::Task) -> Result<EventTask, String> {
    if task.attempt == 0 {
        return Err("`task.attempt` is missing; attempts are counted from 1".to_owned());
    }
    Ok(EventTask {
        name: Arc::from(task.name),
        reference: Arc::new(reference(task.reference)?),
        attempt: task.attempt,
        id: task.id,
        parent: task.parent,
        iteration: task.iteration,
    })
}

/// A JSON Pointer (RFC 6901, section 3): segments that each begin with `/`, `~` only as `~0` and `~1`.
fn reference(text: String) -> Result<TaskReference, String> {
    let is_pointer =
        (text.is_empty() || text.starts_with('/')) && text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if !is_pointer {
        return Err("`task.reference` is no JSON Pointer; expected one such as `/do/0/setRed`".to_owned());
    }
    let deserializer = serde::de::value::StringDeserializer::<serde::de::value::Error>::new(text);
    serde::Deserialize::deserialize(deserializer).map_err(|error| format!("`task.reference`: {error}"))
}

fn fraction(fraction: f64) -> Result<f64, String> {
    if !fraction.is_finite() {
        return Err("`task_progress.fraction` is not a number; expected one from 0 to 1".to_owned());
    }
    Ok(fraction)
}

fn payload(payload: Option<proto::Payload>) -> Result<Payload, String> {
    match payload.and_then(|payload| payload.content) {
        Some(Content::ValueJson(text)) => Ok(Payload::Value { value: Arc::new(json(&text, "value_json")?) }),
        Some(Content::Reference(proto::PayloadReference { reference, bytes })) => {
            Ok(Payload::Reference { reference, bytes })
        }
        None => Err("its payload is missing; expected `value_json` or `reference`".to_owned()),
    }
}

fn problem(problem: Option<proto::Problem>) -> Result<Problem, String> {
    let problem = problem.ok_or("its `error` is missing")?;
    let status = problem.status.try_into().map_err(|_| "`error.status` must be from 0 to 65535")?;
    let extensions = match problem.extensions_json {
        Some(text) => json(&text, "error.extensions_json")?,
        None => serde_json::Map::new(),
    };
    Ok(Problem {
        kind: problem.r#type,
        status,
        title: problem.title,
        detail: problem.detail,
        instance: problem.instance,
        extensions,
    })
}

/// Reads a JSON text. serde_json bounds its recursion, and needs memory in proportion to the text.
fn json<T: DeserializeOwned>(text: &str, field: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("`{field}` is not the JSON that it should be: {error}"))
}

fn log_level(level: i32) -> Result<LogLevel, String> {
    match proto::LogLevel::try_from(level) {
        Ok(proto::LogLevel::Trace) => Ok(LogLevel::Trace),
        Ok(proto::LogLevel::Debug) => Ok(LogLevel::Debug),
        Ok(proto::LogLevel::Info) => Ok(LogLevel::Info),
        Ok(proto::LogLevel::Warn) => Ok(LogLevel::Warn),
        Ok(proto::LogLevel::Error) => Ok(LogLevel::Error),
        Ok(proto::LogLevel::Unspecified) | Err(_) => Err("`task_log.level` is none of trace to error".to_owned()),
    }
}

fn log_stream(stream: i32) -> Result<LogStream, String> {
    match proto::LogStream::try_from(stream) {
        Ok(proto::LogStream::Log) => Ok(LogStream::Log),
        Ok(proto::LogStream::Stdout) => Ok(LogStream::Stdout),
        Ok(proto::LogStream::Stderr) => Ok(LogStream::Stderr),
        Ok(proto::LogStream::Host) => Ok(LogStream::Host),
        Ok(proto::LogStream::Unspecified) | Err(_) => {
            Err("`task_log.stream` is none of log, stdout, stderr and host".to_owned())
        }
    }
}
