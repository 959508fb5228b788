//! A task for tests: does, by its input, what a task can do, and what it should not.
//!
//! The input is `{"do": "…", …}`; the enum `Probe` lists what there is. What returns at all returns something to look at.

mod crimes;
mod questions;

use hotcell::{Level, Problem, Value};
use serde::Deserialize;

/// What to do.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
enum Probe {
    /// Returns what the call is, as an object with the members of the contract's `call`.
    Context,
    /// Returns `value` as it is.
    Echo { value: Value },
    /// Returns the value of the secret, or hotcell's problem.
    Secret { name: String },
    /// Writes a log line at each level, `trace` first, each with the message; returns how many.
    LogLevels { message: String },
    /// Writes `lines` log lines of `bytes` bytes; returns how many.
    LogFlood { lines: u32, bytes: usize },
    /// Reports progress in `steps` steps with messages, the last with data `{"step":n}`; returns how many.
    Report { steps: u32 },
    /// Reports data that is not JSON.
    ReportNonsense,
    /// Writes the message into memory of this instance, and returns what stood there before: always null, in a fresh cell.
    Remember { message: String },
    /// Returns a problem with these members.
    Fail {
        kind: Option<String>,
        status: Option<u16>,
        title: Option<String>,
        detail: Option<String>,
        with: Option<Value>,
    },
    /// Fails with status 503 while the attempt is less than `until`; returns the attempt after that.
    Flaky { until: u32 },
    /// Panics with the message.
    Panic { message: String },
    /// Never returns.
    Loop,
    /// Computes for so many rounds; returns a checksum. A million rounds take some milliseconds.
    Spin { rounds: u64 },
    /// Takes memory in blocks of 1 MiB and touches it until there is no more, which ends in a trap.
    Allocate,
    /// Takes so many MiB of memory, touches them, and returns how many it got.
    AllocateMebibytes { mebibytes: u32 },
    /// Calls itself until the stack is used up.
    Recurse,
    /// Calls itself so often, and returns how often.
    RecurseBy { depth: u32 },
    /// Returns a string of so many bytes.
    Output { bytes: usize },
    /// Returns arrays nested so deep.
    Nest { depth: usize },
}

#[hotcell::task]
fn probe(probe: Probe) -> Result<Value, Problem> {
    match probe {
        Probe::Context => Ok(questions::context()),
        Probe::Echo { value } => Ok(value),
        Probe::Secret { name } => hotcell::secret(&name).map(Value::from),
        Probe::LogLevels { message } => {
            let levels = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error];
            levels.iter().for_each(|level| hotcell::log(*level, &message));
            Ok(levels.len().into())
        }
        Probe::LogFlood { lines, bytes } => {
            let line = "x".repeat(bytes);
            (0..lines).for_each(|_| hotcell::info(&line));
            Ok(lines.into())
        }
        Probe::Report { steps } => {
            questions::report(steps);
            Ok(steps.into())
        }
        Probe::ReportNonsense => {
            hotcell::Report { data: Some("{nonsense".to_owned()), ..hotcell::Report::new() }.send();
            Ok("the nonsense was taken".into())
        }
        Probe::Remember { message } => Ok(crimes::remember(message).into()),
        Probe::Fail { kind, status, title, detail, with } => Err(questions::problem(kind, status, title, detail, with)),
        Probe::Flaky { until } => questions::flaky(until),
        Probe::Panic { message } => panic!("{message}"),
        Probe::Loop => crimes::spin_forever(),
        Probe::Spin { rounds } => Ok(crimes::spin(rounds).into()),
        Probe::Allocate => Ok(crimes::allocate(u32::MAX).into()),
        Probe::AllocateMebibytes { mebibytes } => Ok(crimes::allocate(mebibytes).into()),
        Probe::Recurse => Ok(crimes::recurse(u32::MAX).into()),
        Probe::RecurseBy { depth } => Ok(crimes::recurse(depth).into()),
        Probe::Output { bytes } => Ok("x".repeat(bytes).into()),
        Probe::Nest { depth } => Ok((0..depth).fold(Value::Null, |inner, _| vec![inner].into())),
    }
}
