//! Events on disk, for readers that lag behind further than memory should hold.
//!
//! The file has no name, is readable by nobody else, and is gone with the process, however that ends.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use hotcell_machine::{Event, EventKind, Payload};
use serde_json::Value;

/// How many events are written, and read back, together.
pub(crate) const CHUNK_EVENTS: usize = 1_024;

/// How large a chunk becomes before it is closed, as [`weight`] counts: 1 MiB. One event may exceed it.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;

/// Some events that follow each other, in the file.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    /// The position of the first one.
    pub(crate) first: u64,
    /// How many there are.
    pub(crate) count: u64,
    offset: u64,
    length: usize,
    file: Arc<File>,
}

impl Chunk {
    /// Writes events at the end of a file, which is at `offset`.
    pub(crate) fn write(file: Arc<File>, offset: u64, first: u64, events: &[Arc<Event>]) -> io::Result<Self> {
        let mut bytes = Vec::new();
        for event in events {
            serde_json::to_writer(&mut bytes, &**event)?;
            bytes.push(b'\n');
        }
        file.write_all_at(&bytes, offset)?;
        Ok(Chunk { first, count: events.len() as u64, offset, length: bytes.len(), file })
    }

    /// The position after the last one.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.count
    }

    /// Where the next chunk goes.
    pub(crate) fn end_in_file(&self) -> u64 {
        self.offset + self.length as u64
    }

    /// Reads the events back.
    pub(crate) fn read(&self) -> io::Result<Vec<Arc<Event>>> {
        let mut bytes = vec![0; self.length];
        self.file.read_exact_at(&mut bytes, self.offset)?;
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        Ok(lines.map(|line| serde_json::from_slice(line).map(Arc::new)).collect::<Result<_, _>>()?)
    }
}

/// About how much memory an event takes, in bytes.
pub(crate) fn weight(event: &Event) -> usize {
    /// The event itself, with its task.
    const EVENT: usize = 320;
    let data = match &event.kind {
        EventKind::WorkflowCompleted { output: Payload::Value { value } }
        | EventKind::StateUpdated { data: Payload::Value { value } } => weight_of(value),
        EventKind::WorkflowFailed { error }
        | EventKind::TaskFailed { error }
        | EventKind::TaskRetried { error, .. } => {
            error.detail.as_ref().map_or(0, String::len) + error.extensions.values().map(weight_of).sum::<usize>()
        }
        EventKind::TaskLog { message, .. } => message.len(),
        EventKind::TaskProgress { message, data, .. } => {
            message.as_ref().map_or(0, String::len) + data.as_ref().map_or(0, weight_of)
        }
        _ => 0,
    };
    EVENT + data
}

fn weight_of(value: &Value) -> usize {
    const VALUE: usize = 32;
    match value {
        Value::String(text) => VALUE + text.len(),
        Value::Array(items) => VALUE + items.iter().map(weight_of).sum::<usize>(),
        Value::Object(members) => {
            VALUE + members.iter().map(|(name, value)| 2 * VALUE + name.len() + weight_of(value)).sum::<usize>()
        }
        _ => VALUE,
    }
}
