//! From events to the protocol.

use hotcell_definition::Problem;
use hotcell_machine::{Event, EventKind, EventTask, LogLevel, LogStream, Payload};
use jiff::Timestamp;
use serde_json::Value;

use crate::proto::{self, event::Kind, payload::Content};

/// How deeply nested data may be in an event. JSON readers bound their recursion, serde_json at 128 levels; a watcher
/// could not read an event that goes deeper, and it would be stuck on it.
const MAX_DEPTH: usize = 120;

/// The event as the protocol has it. Total, and [`decode`](crate::decode) gives the same event back, with two exceptions
/// that only a machine without bounds could produce: a `fraction` that is not a number is left out, and data of more
/// than 120 levels is replaced by a reference, or where there is none, by a sentence.
pub fn encode(event: &Event) -> proto::Event {
    proto::Event {
        sequence: event.sequence,
        execution: event.execution.as_str().to_owned(),
        time: Some(timestamp(event.time)),
        task: event.task.as_ref().map(task),
        kind: Some(kind(event)),
    }
}

fn kind(event: &Event) -> Kind {
    match &event.kind {
        EventKind::WorkflowStarted { workflow } => Kind::WorkflowStarted(proto::WorkflowStarted {
            workflow: Some(proto::WorkflowIdentity {
                namespace: workflow.namespace.clone(),
                name: workflow.name.clone(),
                version: workflow.version.clone(),
            }),
        }),
        EventKind::WorkflowParsing => Kind::WorkflowParsing(proto::WorkflowParsing {}),
        EventKind::WorkflowParsed => Kind::WorkflowParsed(proto::WorkflowParsed {}),
        EventKind::WorkflowBuilding => Kind::WorkflowBuilding(proto::WorkflowBuilding {}),
        EventKind::WorkflowExecuting => Kind::WorkflowExecuting(proto::WorkflowExecuting {}),
        EventKind::WorkflowCompleted { output } => {
            Kind::WorkflowCompleted(proto::WorkflowCompleted { output: Some(payload(output, event)) })
        }
        EventKind::WorkflowFailed { error } => {
            Kind::WorkflowFailed(proto::WorkflowFailed { error: Some(problem(error)) })
        }
        EventKind::WorkflowCancelled { reason } => {
            Kind::WorkflowCancelled(proto::WorkflowCancelled { reason: reason.clone() })
        }
        EventKind::WorkflowSuspended => Kind::WorkflowSuspended(proto::WorkflowSuspended {}),
        EventKind::WorkflowResumed => Kind::WorkflowResumed(proto::WorkflowResumed {}),
        EventKind::TaskCreated => Kind::TaskCreated(proto::TaskCreated {}),
        EventKind::TaskStarted => Kind::TaskStarted(proto::TaskStarted {}),
        EventKind::TaskProgress { fraction, message, data } => Kind::TaskProgress(proto::TaskProgress {
            fraction: fraction.filter(|fraction| fraction.is_finite()),
            message: message.clone(),
            data_json: data.as_ref().map(json_or_sentence),
        }),
        EventKind::TaskLog { level, stream, message } => Kind::TaskLog(proto::TaskLog {
            level: log_level(*level).into(),
            stream: log_stream(*stream).into(),
            message: message.clone(),
        }),
        EventKind::TaskRetried { error, delay } => {
            Kind::TaskRetried(proto::TaskRetried { error: Some(problem(error)), delay_milliseconds: *delay })
        }
        EventKind::TaskCompleted => Kind::TaskCompleted(proto::TaskCompleted {}),
        EventKind::TaskFailed { error } => Kind::TaskFailed(proto::TaskFailed { error: Some(problem(error)) }),
        EventKind::TaskCancelled => Kind::TaskCancelled(proto::TaskCancelled {}),
        EventKind::TaskSkipped => Kind::TaskSkipped(proto::TaskSkipped {}),
        EventKind::StateUpdated { data } => {
            Kind::StateUpdated(proto::StateUpdated { data: Some(payload(data, event)) })
        }
    }
}

/// The protocol counts nanoseconds forward from the second, also before 1970.
fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    let (seconds, nanos) = (time.as_second(), time.subsec_nanosecond());
    if nanos < 0 {
        prost_types::Timestamp { seconds: seconds - 1, nanos: nanos + 1_000_000_000 }
    } else {
        prost_types::Timestamp { seconds, nanos }
    }
}

fn task(task: &EventTask) -> proto::Task {
    proto::Task {
        name: task.name.to_string(),
        reference: task.reference.as_str().to_owned(),
        attempt: task.attempt,
        id: task.id,
        parent: task.parent,
        iteration: task.iteration,
    }
}

fn payload(payload: &Payload, event: &Event) -> proto::Payload {
    let content = match payload {
        Payload::Value { value } if is_too_deep(value) => {
            let reference = format!("{}/{}", event.execution, event.sequence);
            Content::Reference(proto::PayloadReference { reference, bytes: 0 })
        }
        Payload::Value { value } => Content::ValueJson(value.to_string()),
        Payload::Reference { reference, bytes } => {
            Content::Reference(proto::PayloadReference { reference: reference.clone(), bytes: *bytes })
        }
    };
    proto::Payload { content: Some(content) }
}

fn problem(problem: &Problem) -> proto::Problem {
    proto::Problem {
        r#type: problem.kind.clone(),
        status: problem.status.into(),
        title: problem.title.clone(),
        detail: problem.detail.clone(),
        instance: problem.instance.clone(),
        extensions_json: (!problem.extensions.is_empty()).then(|| extensions(&problem.extensions)),
    }
}

/// The members as a JSON object, each too deep one replaced by a sentence.
fn extensions(members: &serde_json::Map<String, Value>) -> String {
    let mut text = String::from("{");
    for (name, value) in members {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&Value::String(name.clone()).to_string());
        text.push(':');
        text.push_str(&json_or_sentence(value));
    }
    text.push('}');
    text
}

fn json_or_sentence(value: &Value) -> String {
    if is_too_deep(value) {
        return format!("\"(data of more than {MAX_DEPTH} levels, left out)\"");
    }
    value.to_string()
}

/// Whether the value is nested more deeply than [`MAX_DEPTH`]. Bounded itself: it stops at the first branch that is.
fn is_too_deep(value: &Value) -> bool {
    fn children(value: &Value) -> Option<Box<dyn Iterator<Item = &Value> + '_>> {
        match value {
            Value::Array(items) => Some(Box::new(items.iter())),
            Value::Object(members) => Some(Box::new(members.values())),
            _ => None,
        }
    }

    let mut open: Vec<_> = children(value).into_iter().collect();
    while let Some(innermost) = open.last_mut() {
        match innermost.next() {
            None => drop(open.pop()),
            Some(child) => open.extend(children(child)),
        }
        if open.len() > MAX_DEPTH {
            return true;
        }
    }
    false
}

fn log_level(level: LogLevel) -> proto::LogLevel {
    match level {
        LogLevel::Trace => proto::LogLevel::Trace,
        LogLevel::Debug => proto::LogLevel::Debug,
        LogLevel::Info => proto::LogLevel::Info,
        LogLevel::Warn => proto::LogLevel::Warn,
        LogLevel::Error => proto::LogLevel::Error,
    }
}

fn log_stream(stream: LogStream) -> proto::LogStream {
    match stream {
        LogStream::Log => proto::LogStream::Log,
        LogStream::Stdout => proto::LogStream::Stdout,
        LogStream::Stderr => proto::LogStream::Stderr,
        LogStream::Host => proto::LogStream::Host,
    }
}
