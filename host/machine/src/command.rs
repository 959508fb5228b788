//! What a machine asks of its driver.

use std::fmt;
use std::sync::Arc;

use hotcell_definition::Problem;
use hotcell_expression::Data;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::program::Origin;
use crate::{CloudEvent, EventTask, ExecutionId, Interest, Position, Positions};

/// The id of a call: `<execution>/<number>`. The same after a crash, and for no other call, so that guests can
/// use it as idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(Arc<str>);

impl CallId {
    pub(crate) fn new(execution: &ExecutionId, frame: u64) -> Self {
        CallId(format!("{execution}/{frame}").into())
    }

    /// The number of the performance of the task that makes the call, if the id belongs to the execution.
    pub(crate) fn frame(&self, execution: &ExecutionId) -> Option<u64> {
        self.0.strip_prefix(execution.as_str())?.strip_prefix('/')?.parse().ok()
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a child execution: `<parent>.<number>`.
pub type ChildId = ExecutionId;

/// The id of a timer within its execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimerId(pub u64);

/// The id of a listening within its execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ListeningId(pub u64);

/// What the driver must do now. Commands of one turn are carried out in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Start a call; its end comes back as [`crate::InputKind::CallEnded`].
    StartCall(Box<StartCall>),
    /// Start a call that nobody waits for: its end is not told, and it may go on when the execution has ended.
    StartDetached(Box<StartCall>),
    /// Interrupt a call. Whatever comes of it afterwards is ignored.
    CancelCall {
        /// The call.
        call: CallId,
    },
    /// Feed [`crate::InputKind::TimerFired`] at this time, or at once if it has passed.
    SetTimer {
        /// The timer.
        timer: TimerId,
        /// When.
        at: Timestamp,
    },
    /// Forget a timer.
    ClearTimer {
        /// The timer.
        timer: TimerId,
    },
    /// Start another execution; its end comes back as [`crate::InputKind::ChildEnded`] if it is awaited.
    StartChild(Box<StartChild>),
    /// Cancel a child execution.
    CancelChild {
        /// The child.
        child: ChildId,
    },
    /// Publish an event to whoever listens, in this execution and in others.
    Publish {
        /// The event.
        event: CloudEvent,
    },
    /// Feed the next event that a listening has not heard, once, as [`crate::InputKind::EventArrived`]; at once if
    /// there is one, or when it is published.
    Subscribe(Box<Subscribe>),
    /// Do not feed the event that was asked for.
    Unsubscribe {
        /// The listening.
        listening: ListeningId,
    },
    /// The turn was cut off because it was long: feed [`crate::InputKind::Proceed`] next. Other inputs may come
    /// in between, so that an endless loop can be cancelled.
    Proceed,
    /// The execution has ended. No command follows.
    Finish {
        /// How.
        outcome: Outcome,
    },
}

/// Which event a listening hears next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscribe {
    /// The listening.
    pub listening: ListeningId,
    /// The first one beyond this. From 0 on, what is still held is heard; if some of what lies beyond another position
    /// is not held any more, the answer is [`crate::InputKind::EventsLost`].
    pub after: Position,
    /// What it may be.
    pub interest: Interest,
    /// Those that have been consumed before.
    pub except: Positions,
}

/// A call to start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartCall {
    /// Its id.
    pub id: CallId,
    /// The task that makes it.
    pub task: EventTask,
    /// What is called.
    pub callee: Callee,
    /// What it gets. Its shape is the callee's.
    pub input: Data,
    /// When the call is of no use any more: the nearest timeout of the task and of what it stands in.
    pub deadline: Option<Timestamp>,
}

/// What a call calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Callee {
    /// A component of the definition's author.
    Component {
        /// The component, as the definition names it.
        component: String,
        /// The export to call. Default: the task handler.
        export: Option<String>,
        /// The document that names it, if it is that of a function that is elsewhere: the component is found relative
        /// to it, and gets none of the workflow's secrets.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<Origin>,
    },
    /// The interpreter of a language. The input is an object: `code`, or `source`, the place where the code is; and, if
    /// given, `arguments` (a list of texts, or an object), `environment` (texts by name) and `stdin` (a text). The output
    /// is `{code, stdout, stderr}`.
    Script {
        /// The language.
        language: ScriptLanguage,
    },
    /// The shell of the host, which runs a command outside of any cell. A program has such calls only if the operator
    /// allows it ([`crate::HostShell`]). Input and output are those of a script, with `command` instead of `code`.
    Shell,
    /// A component that hotcell brings along.
    Builtin(Builtin),
}

/// The languages of scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScriptLanguage {
    /// `js`, ES2024.
    JavaScript,
    /// `python`, 3.13 or later.
    Python,
}

impl fmt::Display for ScriptLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ScriptLanguage::JavaScript => "JavaScript",
            ScriptLanguage::Python => "Python",
        })
    }
}

/// The components that hotcell brings along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Builtin {
    /// Makes requests over HTTP. Its input says which, and how to authenticate; it may hold secrets. The output is an
    /// object whose member `output` is the task's.
    Http,
}

impl fmt::Display for Callee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Callee::Component { component, .. } => f.write_str(component),
            Callee::Script { language } => language.fmt(f),
            Callee::Shell => f.write_str("shell"),
            Callee::Builtin(Builtin::Http) => f.write_str("http"),
        }
    }
}

/// A child execution to start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartChild {
    /// Its id.
    pub id: ChildId,
    /// The task that starts it.
    pub task: EventTask,
    /// The namespace of the workflow.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its version, or `latest`.
    pub version: String,
    /// What it gets.
    pub input: Data,
    /// Whether the task waits for its end.
    pub awaited: bool,
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With an output.
    Completed(Data),
    /// With an error that nothing caught.
    Faulted(Problem),
    /// Someone cancelled it.
    Cancelled,
}
