//! What is fed to a machine.

use hotcell_definition::Problem;
use hotcell_expression::Data;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{CallId, ChildId, CloudEvent, ListeningId, LogLevel, LogStream, Outcome, Position, TimerId};

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
    /// The event that a listening asked for with [`crate::Command::Subscribe`].
    EventArrived {
        /// The listening.
        listening: ListeningId,
        /// The place of the event among all that were published.
        position: Position,
        /// The place of the oldest event that is still held. The machine need not remember anything of older ones.
        oldest: Position,
        /// The event.
        event: CloudEvent,
    },
    /// Events that the listening has not heard, and that it may have been waiting for, are not held any more.
    EventsLost {
        /// The listening.
        listening: ListeningId,
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
