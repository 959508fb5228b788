//! What wasmtime says about the end of a call, in our words.

use rustc_demangle::demangle;
use wasmtime::{Error, Trap, WasmBacktrace};
use wasmtime_wasi::{I32Exit, ResourceTableError};

use super::engine::TABLE_ELEMENTS;
use super::logs::sanitised;
use super::memory::Denied;
use crate::{CallError, CallLimits, PayloadKind, PayloadUnit, ResourceKind, TrapKind};

/// Ends a call from within a host function, or when its time is up: wasmtime unwinds the guest with this error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Ended(pub(super) CallError);

/// Why the call ended. `denied` is what the guest was refused before, if anything.
pub(super) fn error(error: &Error, limits: &CallLimits, denied: Option<Denied>) -> CallError {
    if let Some(Ended(reason)) = error.downcast_ref() {
        return reason.clone();
    }
    let gave_up = match denied {
        Some(Denied::Memory) => Some(CallError::MemoryLimit { limit: limits.memory }),
        Some(Denied::TableElements) => {
            Some(CallError::ResourceLimit { resource: ResourceKind::TableElements, limit: TABLE_ELEMENTS })
        }
        None => None,
    };
    if let Some(I32Exit(status)) = error.downcast_ref() {
        return gave_up.filter(|_| *status != 0).unwrap_or(CallError::Exited { status: *status });
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        let kind = trap_kind(*trap);
        // What programs do that get no memory: they abort, or use the null pointer that they got. Anything else
        // has another cause.
        if let (TrapKind::Unreachable | TrapKind::OutOfBounds, Some(limit)) = (kind, gave_up) {
            return limit;
        }
        return CallError::Trap { trap: kind, message: trap.to_string(), backtrace: backtrace(error) };
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        return CallError::ResourceLimit { resource: ResourceKind::Handles, limit: limits.handles };
    }
    // These have no type that could be asked for; a test for each notices if wasmtime says it in other words.
    let message = error.root_cause().to_string();
    if message.contains("store handle limit exceeded") {
        return CallError::ResourceLimit { resource: ResourceKind::Handles, limit: limits.handles };
    }
    if message.contains("fuel allocated for hostcalls has been exhausted") {
        // The guest stood in a host call if it was active, and had returned if it was not.
        let what = match error.downcast_ref::<WasmBacktrace>() {
            Some(_) => PayloadKind::HostCall,
            None => PayloadKind::Output,
        };
        return CallError::PayloadLimit { what, limit: limits.payload, unit: PayloadUnit::Bytes };
    }
    // Memories that begin larger than they may be are refused before any instruction runs.
    if let Some(limit) = gave_up {
        return limit;
    }
    let root = error.root_cause();
    if root.is::<std::io::Error>() || root.is::<wasmtime::PoolConcurrencyLimitError>() {
        return CallError::Internal { reason: message };
    }
    CallError::Trap { trap: TrapKind::ComponentModel, message: excerpt(&message), backtrace: backtrace(error) }
}

fn trap_kind(trap: Trap) -> TrapKind {
    match trap {
        Trap::UnreachableCodeReached => TrapKind::Unreachable,
        Trap::StackOverflow => TrapKind::StackOverflow,
        Trap::IntegerDivisionByZero => TrapKind::DivisionByZero,
        Trap::IntegerOverflow | Trap::BadConversionToInteger => TrapKind::IntegerOverflow,
        Trap::MemoryOutOfBounds | Trap::HeapMisaligned => TrapKind::OutOfBounds,
        Trap::TableOutOfBounds | Trap::IndirectCallToNull | Trap::BadSignature => TrapKind::BadFunctionPointer,
        Trap::CannotEnterComponent => TrapKind::ComponentModel,
        _ => TrapKind::Other,
    }
}

/// The functions that were active, innermost first, as many as wasmtime collects (20). Addresses are left out: they
/// mean nothing to a task's author, and would differ from run to run.
fn backtrace(error: &Error) -> Vec<String> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return Vec::new() };
    backtrace
        .frames()
        .iter()
        .map(|frame| match frame.func_name() {
            Some(name) => excerpt(&format!("{:#}", demangle(&excerpt(name)))),
            None => format!("function {}", frame.func_index()),
        })
        .collect()
}

/// The longest text from a guest that is repeated in a message, in bytes.
const EXCERPT: usize = 500;

/// As much of a guest's text as a message can bear.
pub(super) fn excerpt(text: &str) -> String {
    shortened(text, EXCERPT)
}

/// At most so many bytes of a guest's text.
pub(crate) fn shortened(text: &str, length: usize) -> String {
    match text.len() <= length {
        true => sanitised(text),
        false => format!("{}…", sanitised(&text[..text.floor_char_boundary(length)])),
    }
}
