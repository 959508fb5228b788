//! A lifecycle event, as a CloudEvent in its JSON form.

use hotcell_definition::Problem;
use jiff::Timestamp;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// A lifecycle event. It serializes as a CloudEvent 1.0 in the JSON event format, the content of the HTTP binding's
/// structured mode.
#[derive(Debug, Clone, PartialEq)]
pub struct LifecycleEvent {
    /// `<execution>/<sequence>` of the progress event, with `.1`, `.2`… for further events that come of the same one. Always
    /// the same for the same event.
    pub id: String,
    /// Which definition it comes from: `/<namespace>/<name>/<version>`.
    pub source: String,
    /// `io.serverlessworkflow.task.started.v1` for example.
    pub kind: String,
    /// The execution, or `<execution>/<number>` for the performance of a task, which is the id of the call that it makes.
    pub subject: String,
    /// When it happened.
    pub time: Timestamp,
    /// What the specification says of the event.
    pub data: Value,
}

impl Serialize for LifecycleEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut event = serializer.serialize_struct("CloudEvent", 8)?;
        event.serialize_field("specversion", "1.0")?;
        event.serialize_field("id", &self.id)?;
        event.serialize_field("source", &self.source)?;
        event.serialize_field("type", &self.kind)?;
        event.serialize_field("subject", &self.subject)?;
        event.serialize_field("time", &self.time)?;
        event.serialize_field("datacontenttype", "application/json")?;
        event.serialize_field("data", &self.data)?;
        event.end()
    }
}

/// The largest problem that is sent whole, in bytes as JSON. CloudEvents of more than 64 KiB need not be forwarded, and a
/// tenant can write problems of megabytes.
const MAX_PROBLEM: usize = 48 << 10;

/// The error of a faulted event: the whole problem, or its standard members, cut, if it is too large.
pub(super) fn error(problem: &Problem) -> Value {
    let whole = problem.to_value();
    if whole.to_string().len() <= MAX_PROBLEM {
        return whole;
    }
    let mut short = json!({ "type": cut(&problem.kind, 1_000), "status": problem.status });
    let others =
        [("title", &problem.title, 1_000), ("detail", &problem.detail, 4_000), ("instance", &problem.instance, 4_000)];
    for (name, text, most) in others {
        if let Some(text) = text {
            short[name] = cut(text, most).into();
        }
    }
    short
}

fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
