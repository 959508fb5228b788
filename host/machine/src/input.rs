//! What is fed to a machine.

use hotcell_definition::Problem;
use hotcell_expression::Data;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{CallId, ChildId, LogLevel, LogStream, Outcome, TimerId};

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// When it happened. A clock that went back does no harm; the events say what the inputs said.
    pub time: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub kind: InputKind,
}

/// What happened. Inputs for something that no longer exists (a call that was cancelled, a timer that was
/// cleared) are ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "input", rename_all = "snake_case")]
pub enum InputKind {
    /// The driver answers [`crate::Command::Proceed`].
    Proceed,
    /// A call ended.
    CallEnded {
        /// The call.
        call: CallId,
        /// Its output, or why there is none.
        result: Result<Data, Problem>,
    },
    /// A call told how far it has come.
    CallReported {
        /// The call.
        call: CallId,
        /// How much is done, from 0 to 1.
        fraction: Option<f64>,
        /// What is being done.
        message: Option<String>,
        /// Anything else.
        data: Option<Value>,
    },
    /// A call wrote a log line.
    CallLogged {
        /// The call.
        call: CallId,
        /// How much it matters.
        level: LogLevel,
        /// Where it was written.
        stream: LogStream,
        /// The line.
        message: String,
    },
    /// A timer's time has come.
    TimerFired {
        /// The timer.
        timer: TimerId,
    },
    /// A child execution ended.
    ChildEnded {
        /// The child.
        child: ChildId,
        /// How.
        outcome: Outcome,
    },
    /// Someone cancels the execution.
    Cancel {
        /// Why.
        reason: Option<String>,
    },
    /// Someone pauses the execution: what runs goes on, nothing new starts.
    Suspend,
    /// The execution goes on.
    Resume,
}
