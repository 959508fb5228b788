//! Calling a WASI command: JSON in on stdin, JSON out on stdout, and an exit code.

use bytes::Bytes;
use serde_json::Value;
use wasmtime::component::Linker;
use wasmtime::{Error, Result};
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::{I32Exit, WasiCtxBuilder};

use super::adapt::{PROC_EXIT, STATUS};
use super::cell::Cell;
use super::logs::{Logs, sanitised};
use super::stdio::{Captured, Complaints, Document};
use super::{json, outcome, told};
use crate::{CallError, CallLimits, PayloadKind};

/// The interface of a command, without its version.
pub(super) const RUN: &str = "wasi:cli/run@0.2.";
/// What stands in the place of a program's name, as programs expect one, and some crash without.
const PROGRAM: &str = "task";

/// What a command reads and writes.
pub(super) struct Console {
    input: Bytes,
    output: Document,
    complaints: Complaints,
}

impl Console {
    /// For a call with this input.
    pub(super) fn new(input: &str, logs: &std::sync::Arc<Logs>, limits: &CallLimits) -> Self {
        Console {
            input: Bytes::copy_from_slice(input.as_bytes()),
            output: Document::new(limits.payload),
            complaints: Complaints::new(logs.clone()),
        }
    }

    /// Gives it to the command.
    pub(super) fn connect(&self, wasi: &mut WasiCtxBuilder) {
        wasi.args(&[PROGRAM])
            .stdin(MemoryInputPipe::new(self.input.clone()))
            .stdout(Captured(self.output.clone()))
            .stderr(Captured(self.complaints.clone()));
    }

    /// What became of the command, which returned whether it succeeded, or was ended by an error.
    pub(super) fn result(
        &self,
        ended: Result<bool>,
        or_else: impl FnOnce(Error) -> CallError,
        limits: &CallLimits,
    ) -> core::result::Result<Value, CallError> {
        let output = self.output.read()?;
        let status = match ended {
            Ok(true) => 0,
            Ok(false) => 1,
            Err(error) => match or_else(error) {
                CallError::Exited { status } => status,
                other => return Err(other),
            },
        };
        match status {
            0 => document(output, limits.payload_values),
            status => Err(match told::problem(&output, limits.payload_values) {
                Some(problem) => CallError::Returned { problem: Box::new(problem) },
                None => CallError::ExitCode { status, stderr: lines(&self.complaints.last()) },
            }),
        }
    }
}

/// A command's output. One that has nothing to say says nothing.
fn document(output: Vec<u8>, max_values: usize) -> core::result::Result<Value, CallError> {
    let invalid = |reason: String| CallError::InvalidJson { what: PayloadKind::Output, reason };
    if output.trim_ascii().is_empty() {
        return Ok(Value::Null);
    }
    let text = String::from_utf8(output).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        invalid(format!("at byte {at} its standard output is not UTF-8"))
    })?;
    json::read(PayloadKind::Output, &text, max_values).map_err(|error| match error {
        CallError::InvalidJson { reason, .. } => {
            let begins = outcome::shortened(text.trim(), 80);
            invalid(format!(
                "{reason}; its standard output begins with {begins:?}, and what is not JSON belongs on stderr"
            ))
        }
        other => other,
    })
}

/// The same lines, without what could deceive a terminal.
fn lines(text: &str) -> String {
    text.trim().lines().map(sanitised).collect::<Vec<_>>().join("\n")
}

/// Links how an adapted command ends with an exit code.
pub(super) fn add_to_linker(linker: &mut Linker<Cell>) -> Result<()> {
    linker
        .instance(STATUS)?
        .func_wrap(PROC_EXIT, |_, (code,): (u32,)| -> Result<()> { Err(I32Exit(code.cast_signed()).into()) })
}
