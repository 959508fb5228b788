//! Why a call has no output.

use std::time::Duration;

use hotcell_definition::{ErrorKind, Problem};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Digest, MAX_JSON_DEPTH};

/// Why a call has no output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum CallError {
    /// The task returned a problem.
    #[error("the task returned a problem: {problem}")]
    Returned {
        /// The problem, with what the task left out filled in.
        problem: Box<Problem>,
    },
    /// The task did something that WebAssembly does not allow, or gave up.
    #[error("{}", .trap.title())]
    Trap {
        /// What it did.
        trap: TrapKind,
        /// The same, as the engine says it.
        message: String,
        /// The functions that were active, innermost first. Names come from the component.
        backtrace: Vec<String>,
    },
    /// The task ended its process, as if it were a command, instead of returning.
    #[error("the task exited with status {status}")]
    Exited {
        /// The exit status.
        status: i32,
    },
    /// The task, a command, ended with an exit code that is not 0.
    #[error("the task ended with exit code {status}")]
    ExitCode {
        /// The exit code.
        status: i32,
        /// The end of what it wrote to its standard error: at most 2 KiB.
        stderr: String,
    },
    /// The component does not export what was to be called, or it cannot be called.
    #[error("{reason}")]
    NotCallable {
        /// What is wrong, and what there is.
        reason: String,
    },
    /// The input does not fit the types of the function.
    #[error("{path}: {reason}")]
    Argument {
        /// Where in the input: `$.order.items[3].price`.
        path: String,
        /// What was expected, and what stands there.
        reason: String,
    },
    /// The linear memories of the call would have become larger than they may.
    #[error("the task needs more than {limit} bytes of memory")]
    MemoryLimit {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The call used up its CPU time.
    #[error("the task used {limit:?} of CPU time")]
    CpuLimit {
        /// The limit.
        limit: Duration,
    },
    /// The call used up its wall time.
    #[error("the task took {limit:?}")]
    TimeLimit {
        /// The limit.
        limit: Duration,
    },
    /// Data between the task and hotcell was too large.
    #[error("{what} passes the limit of {limit} {unit}")]
    PayloadLimit {
        /// Which data.
        what: PayloadKind,
        /// The limit.
        limit: usize,
        /// What the limit counts.
        unit: PayloadUnit,
    },
    /// The task holds more of something than it may.
    #[error("the task holds more than {limit} {resource}")]
    ResourceLimit {
        /// Of what.
        resource: ResourceKind,
        /// The limit.
        limit: usize,
    },
    /// What the task returned as its output, or gave as a report's data, is no JSON.
    #[error("{what} is not valid JSON: {reason}")]
    InvalidJson {
        /// Which data.
        what: PayloadKind,
        /// What is wrong with it.
        reason: String,
    },
    /// The component was not prepared.
    #[error("component {component} was not prepared")]
    UnknownComponent {
        /// The component that was to be called.
        component: Digest,
    },
    /// The process that the task ran in ended, and so did the one in which it was run again.
    #[error("the worker process that the task ran in was lost: {reason}")]
    WorkerCrashed {
        /// How it was lost.
        reason: String,
    },
    /// hotcell or the machine it runs on failed, not the task.
    #[error("hotcell could not run the task: {reason}")]
    Internal {
        /// What failed.
        reason: String,
    },
}

/// What ended a task that did not end by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrapKind {
    /// The `unreachable` instruction: what a panic, an abort or a failed assertion compiles to.
    Unreachable,
    /// Calls nested too deeply for the stack.
    StackOverflow,
    /// An integer was divided by zero.
    DivisionByZero,
    /// An integer operation, or a conversion to an integer, whose result cannot be represented.
    IntegerOverflow,
    /// Memory was read or written where there is none.
    OutOfBounds,
    /// A function pointer was called that is null, out of its table, or of another type.
    BadFunctionPointer,
    /// The component violates the rules of the component model: an invalid string, handle or pointer at its border.
    ComponentModel,
    /// Anything else.
    Other,
}

impl TrapKind {
    /// A title that names the cause.
    pub fn title(self) -> &'static str {
        match self {
            TrapKind::Unreachable => "Trap: unreachable",
            TrapKind::StackOverflow => "Stack overflow",
            TrapKind::DivisionByZero => "Division by zero",
            TrapKind::IntegerOverflow => "Integer overflow",
            TrapKind::OutOfBounds => "Out of bounds memory access",
            TrapKind::BadFunctionPointer => "Trap: bad function pointer",
            TrapKind::ComponentModel => "Trap: component model violation",
            TrapKind::Other => "Trap",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            TrapKind::Unreachable => {
                "The task panicked, aborted or failed an assertion. What it said, if anything, is in its log; make \
                 it return a problem for input that it cannot handle."
            }
            TrapKind::StackOverflow => {
                "The task's calls were nested too deeply. Look for a recursion without an end, or whose depth the \
                 input decides."
            }
            TrapKind::DivisionByZero => "The task divided an integer by zero. Make it check the divisor.",
            TrapKind::IntegerOverflow => {
                "An integer operation of the task has a result that cannot be represented. Make it check its operands."
            }
            TrapKind::OutOfBounds => {
                "The task used memory where it has none: a bad pointer or index, or a stack inside the task's memory \
                 that overflowed."
            }
            TrapKind::BadFunctionPointer => {
                "The task called a function pointer that is null, or points to something else. Was it built from \
                 code that casts function pointers?"
            }
            TrapKind::ComponentModel => {
                "The task passed something over its border that the component model does not allow. Rebuild it \
                 with a current toolchain."
            }
            TrapKind::Other => "The task was ended by WebAssembly.",
        }
    }
}

/// Data that crosses the border of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayloadKind {
    /// The input of the call.
    Input,
    /// Its output, or the problem that it returned.
    Output,
    /// What it gave to one host call.
    HostCall,
    /// The data of a progress report.
    Report,
}

impl std::fmt::Display for PayloadKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            PayloadKind::Input => "the task's input",
            PayloadKind::Output => "the task's output",
            PayloadKind::HostCall => "the data of one of the task's host calls",
            PayloadKind::Report => "the data of one of the task's progress reports",
        })
    }
}

/// What a payload limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayloadUnit {
    /// Bytes of JSON text.
    Bytes,
    /// JSON values: each number, string, array and so on.
    Values,
}

impl std::fmt::Display for PayloadUnit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            PayloadUnit::Bytes => "bytes",
            PayloadUnit::Values => "JSON values",
        })
    }
}

/// Something of which a task can hold only so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// Handles and resources of the component model: streams, pollables and the like.
    Handles,
    /// Elements of function tables.
    TableElements,
}

impl std::fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ResourceKind::Handles => "handles and resources",
            ResourceKind::TableElements => "table elements",
        })
    }
}

impl CallError {
    /// The error as the workflow sees it, and can catch it. `instance` is left to the machine.
    pub fn to_problem(&self) -> Problem {
        let runtime = |title: &str, detail: String| Problem::new(ErrorKind::Runtime, title, detail);
        match self {
            CallError::Returned { problem } => (**problem).clone(),
            CallError::Trap { trap, message, backtrace } => {
                let mut problem = runtime(trap.title(), format!("{} ({message})", trap.advice()));
                if !backtrace.is_empty() {
                    let frames = backtrace.iter().cloned().map(Value::String).collect();
                    problem.extensions.insert("backtrace".into(), Value::Array(frames));
                }
                problem
            }
            CallError::Exited { status } => runtime(
                "Task exited",
                format!(
                    "The task ended its process with status {status} instead of returning. Make it return its output, \
                     or a problem."
                ),
            ),
            CallError::ExitCode { status, stderr } => runtime(
                &format!("Exit code {status}"),
                match stderr.is_empty() {
                    true => "The task failed, and wrote nothing to its standard error. Make it say there why.".into(),
                    false => stderr.clone(),
                },
            ),
            CallError::NotCallable { reason } => Problem::new(
                ErrorKind::Configuration,
                "Export not callable",
                format!("{}. `hotcell component inspect FILE` shows what can be called.", capitalised(reason)),
            ),
            CallError::Argument { path, reason } => {
                Problem::new(ErrorKind::Validation, "Argument does not fit", format!("{path}: {reason}"))
            }
            CallError::MemoryLimit { limit } => runtime(
                "Memory limit",
                format!(
                    "The task needs more than the {} of memory that a call may use. Give it less data at once, or \
                     raise the limit.",
                    Bytes(*limit)
                ),
            ),
            CallError::CpuLimit { limit } => runtime(
                "CPU limit",
                format!(
                    "The task used up the {} of CPU time that a call may use. Look for an endless loop, give it \
                     less data at once, or raise the limit.",
                    Seconds(*limit)
                ),
            ),
            CallError::TimeLimit { limit } => Problem::new(
                ErrorKind::Timeout,
                "Time limit",
                format!(
                    "The task did not end within the {} that a call may take. Look for what it waits for, give it less \
                     to do at once, or raise the limit.",
                    Seconds(*limit)
                ),
            ),
            CallError::PayloadLimit { what, limit, unit } => {
                let limit = match unit {
                    PayloadUnit::Bytes => Bytes(*limit).to_string(),
                    PayloadUnit::Values => format!("{limit} JSON values"),
                };
                runtime(
                    "Payload limit",
                    format!("{} passes the limit of {limit}. Pass a reference to the data instead.", Sentence(what)),
                )
            }
            CallError::ResourceLimit { resource, limit } => runtime(
                "Resource limit",
                format!("The task holds more than {limit} {resource}. Make it drop what it no longer needs."),
            ),
            CallError::InvalidJson { what, reason } => runtime(
                match what {
                    PayloadKind::Report => "Invalid report",
                    PayloadKind::Input => "Invalid input",
                    _ => "Invalid output",
                },
                format!(
                    "{} is not valid JSON: {reason}. It has to be one JSON text (RFC 8259), nested at most \
                     {MAX_JSON_DEPTH} levels deep.",
                    Sentence(what)
                ),
            ),
            CallError::UnknownComponent { component } => runtime(
                "Unknown component",
                format!("The component {component} is not known to this host. Load the definition again."),
            ),
            CallError::WorkerCrashed { reason } => runtime(
                "Worker crashed",
                format!(
                    "The worker process that the task ran in was lost, and the one in which it was run again, too: \
                     {reason}. Look for what the task does that others do not."
                ),
            ),
            CallError::Internal { reason } => runtime(
                "Host failure",
                format!("hotcell could not run the task: {reason}. This is not the task's fault; try it again."),
            ),
        }
    }
}

/// The same words at the beginning of a sentence.
struct Sentence<'a>(&'a PayloadKind);

impl std::fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.0.to_string();
        write!(f, "T{}", &text[1..])
    }
}

/// The text, beginning as a sentence does.
fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// A number of bytes in the largest unit that shows it exactly.
struct Bytes(usize);

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] {
            if self.0 >= 1 << shift && self.0.trailing_zeros() >= shift {
                return write!(f, "{} {unit}", self.0 >> shift);
            }
        }
        write!(f, "{} bytes", self.0)
    }
}

/// A duration in seconds, as people write it.
struct Seconds(Duration);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} s", self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passed_limit_is_a_problem_that_names_the_limit_and_its_value() {
        let memory = CallError::MemoryLimit { limit: 128 << 20 }.to_problem();
        assert_eq!(memory.title.as_deref(), Some("Memory limit"));
        assert_eq!((memory.status, memory.is(ErrorKind::Runtime)), (500, true));
        assert!(memory.detail.unwrap().contains("128 MiB"));

        let cpu = CallError::CpuLimit { limit: Duration::from_millis(1_500) }.to_problem();
        assert_eq!(cpu.title.as_deref(), Some("CPU limit"));
        assert!(cpu.detail.unwrap().contains("1.5 s"));

        let payload = CallError::PayloadLimit { what: PayloadKind::Output, limit: 8 << 20, unit: PayloadUnit::Bytes }
            .to_problem();
        assert_eq!(payload.title.as_deref(), Some("Payload limit"));
        assert!(payload.detail.unwrap().starts_with("The task's output passes the limit of 8 MiB."));
    }

    #[test]
    fn a_call_that_takes_too_long_is_a_timeout_of_the_specification() {
        let problem = CallError::TimeLimit { limit: Duration::from_secs(60) }.to_problem();
        assert!(problem.is(ErrorKind::Timeout));
        assert_eq!(problem.status, 408);
    }

    #[test]
    fn a_traps_title_names_its_cause_and_its_backtrace_is_kept() {
        let error = CallError::Trap {
            trap: TrapKind::Unreachable,
            message: "wasm trap: unreachable".into(),
            backtrace: vec!["price::main".into()],
        };
        let problem = error.to_problem();
        assert_eq!(problem.title.as_deref(), Some("Trap: unreachable"));
        assert_eq!(problem.extensions["backtrace"][0], "price::main");
    }

    #[test]
    fn errors_cross_a_socket_unchanged() {
        let error = CallError::ResourceLimit { resource: ResourceKind::Handles, limit: 1_000 };
        let text = serde_json::to_string(&error).unwrap();
        assert_eq!(serde_json::from_str::<CallError>(&text).unwrap(), error);
    }
}
