//! What a machine remembers between two inputs. Plain data, serializable.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use hotcell_definition::{Problem, TaskReference};
use hotcell_expression::Data;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::listen::Listening;
use crate::program::{ExtensionId, Flow, NodeId};
use crate::{ChildId, CloudEvent, ExecutionId, Outcome, Positions};

/// The state of an execution: everything that is needed, with its [`crate::Program`], to go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub(crate) execution: ExecutionId,
    pub(crate) started_at: Timestamp,
    /// The raw input, `$workflow.input`.
    pub(crate) input: Data,
    /// The number of the last event.
    pub(crate) sequence: u64,
    /// The number of the last frame or timer.
    pub(crate) last_id: u64,
    pub(crate) frames: BTreeMap<u64, Frame>,
    /// What each timer is for.
    pub(crate) timers: BTreeMap<u64, Alarm>,
    pub(crate) agenda: VecDeque<Step>,
    /// The events that were consumed, by the frames that hold a context.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) consumed: BTreeMap<u64, Positions>,
    /// Those that branches consumed which are over, by the frames of their forks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) consumed_by_branches: BTreeMap<u64, Positions>,
    /// Whether the driver has been asked to proceed and has not done so yet.
    pub(crate) proceeding: bool,
    pub(crate) suspended: bool,
    pub(crate) outcome: Option<Outcome>,
}

/// The number of the frame of the workflow itself.
pub(crate) const ROOT: u64 = 0;

/// One task that is being performed, or the workflow itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Frame {
    pub(crate) parent: Option<u64>,
    /// The task; nothing for the workflow.
    pub(crate) node: Option<NodeId>,
    /// The place of the task in the list that it stands in.
    pub(crate) position: u32,
    pub(crate) raw_input: Data,
    /// The transformed input, `$input`.
    pub(crate) input: Data,
    pub(crate) started_at: Timestamp,
    pub(crate) attempt: u32,
    pub(crate) iteration: Option<u64>,
    /// `$context`, in the frame of the workflow and in those of branches, which have one of their own. One that is
    /// null is one of their own, too.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(crate) context: Option<Data>,
    /// The timer of the task's `timeout`.
    pub(crate) timeout: Option<u64>,
    /// When the task's `timeout` ends.
    pub(crate) deadline: Option<Timestamp>,
    /// Variables that the tasks within can use: the item and index of a loop, the error of a `catch`.
    pub(crate) variables: Vec<(Arc<str>, Data)>,
    /// Where the references of the tasks of the function start in which this one is performed. None: they are whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) base: Option<Arc<TaskReference>>,
    /// The extensions that apply to the task, as far as that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) extensions: Vec<ExtensionId>,
    /// `$authorization`, if the task authenticates and something in it uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) authorization: Option<Data>,
    pub(crate) doing: Doing,
}

/// How far a task is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Doing {
    /// It has not begun.
    Nothing,
    /// It performs a list of tasks.
    Sequence,
    /// It performs a list of tasks for each of the items that are left.
    Loop { items: Data, index: u64 },
    /// It performs branches concurrently.
    Fork(Branches),
    /// It attempts a list of tasks.
    Try(Trying),
    /// It waits for a timer.
    Wait { timer: u64 },
    /// A call runs.
    Call,
    /// A child execution runs.
    Child { id: ChildId },
    /// It listens for events, or processes one.
    Listen(Box<Listening>),
    /// A function is performed.
    Function,
    /// Its extensions perform their tasks.
    Extending(Box<Extending>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Extending {
    /// The place of the extension among those of the task and, behind the task, among those that apply.
    pub(crate) position: u32,
    pub(crate) side: Side,
}

/// On which side of a task its extensions are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Side {
    Before,
    /// The task has its outputs, and knows what replaces its `then`.
    After {
        raw_output: Data,
        output: Data,
        flow: Option<Flow>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Branches {
    /// How many branches have not ended.
    pub(crate) open: usize,
    /// How large the outputs of those that have ended are together, in bytes as JSON.
    pub(crate) bytes: u64,
    /// The output of each branch, and the context with which it ended.
    pub(crate) ended: Vec<Option<(Data, Data)>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trying {
    pub(crate) stage: Stage,
    /// The number of the attempt, from 1.
    pub(crate) attempt: u32,
    /// When all attempts together must have ended.
    pub(crate) give_up_at: Option<Timestamp>,
    /// The timer that ends the attempt.
    pub(crate) attempt_timer: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// The tasks of `try` are performed.
    Attempting,
    /// The next attempt is waited for.
    Waiting { timer: u64 },
    /// The tasks of `catch` are performed.
    Handling,
}

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Alarm {
    pub(crate) frame: u64,
    pub(crate) purpose: Purpose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    /// The time of a task or workflow is up.
    Timeout,
    /// The time of an attempt is up.
    AttemptTimeout,
    /// The next attempt begins.
    Retry,
    /// A `wait` is over.
    Wait,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// Begin the task at this place of the list that the parent performs.
    Enter { parent: u64, position: u32, input: Data },
    /// A task has its raw output. `flow` replaces its `then`.
    Complete { frame: u64, output: Data, flow: Option<Flow> },
    /// A task has failed.
    Fail { frame: u64, problem: Problem },
    /// The task at this place of the list that the frame performs has ended.
    Next { frame: u64, position: u32, output: Data, flow: Flow },
    /// A new iteration of a loop.
    Iterate { frame: u64, data: Data },
    /// The next extension of a task, or the task itself.
    Extend { frame: u64 },
    /// Test an event that has come.
    Hear { frame: u64, event: CloudEvent },
}

impl Step {
    /// The frame in which it is to be done.
    pub(crate) fn frame(&self) -> u64 {
        match self {
            Step::Enter { parent: frame, .. }
            | Step::Complete { frame, .. }
            | Step::Fail { frame, .. }
            | Step::Next { frame, .. }
            | Step::Iterate { frame, .. }
            | Step::Extend { frame }
            | Step::Hear { frame, .. } => *frame,
        }
    }
}

/// A `null` that was written is a value; `Option` would read it as nothing.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Data>, D::Error> {
    Data::deserialize(deserializer).map(Some)
}

impl Frame {
    /// The timers that were set for the frame. Some may have fired.
    pub(crate) fn timers(&self) -> impl Iterator<Item = u64> {
        let (first, second) = match &self.doing {
            Doing::Wait { timer } => (Some(*timer), None),
            Doing::Try(Trying { stage: Stage::Waiting { timer }, attempt_timer, .. }) => (*attempt_timer, Some(*timer)),
            Doing::Try(trying) => (trying.attempt_timer, None),
            _ => (None, None),
        };
        [self.timeout, first, second].into_iter().flatten()
    }
}

impl State {
    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// The frame and those around it, from the inside out.
    pub(crate) fn ancestry(&self, frame: u64) -> impl Iterator<Item = (u64, &Frame)> {
        let mut next = Some(frame);
        std::iter::from_fn(move || {
            let id = next?;
            let frame = self.frames.get(&id)?;
            next = frame.parent;
            Some((id, frame))
        })
    }

    /// The task that is extended by the extension in which this frame is, or that has its own extensions perform
    /// their tasks.
    pub(crate) fn extended(&self, frame: u64) -> Option<(u64, &Frame, &Extending)> {
        self.ancestry(frame).find_map(|(id, frame)| match &frame.doing {
            Doing::Extending(extending) => Some((id, frame, &**extending)),
            _ => None,
        })
    }

    /// The frame that holds `$context` for this one.
    pub(crate) fn context_holder(&self, frame: u64) -> u64 {
        self.ancestry(frame).find(|(_, frame)| frame.context.is_some()).map_or(ROOT, |(id, _)| id)
    }

    /// `$context` as this frame sees it.
    pub(crate) fn context(&self, frame: u64) -> Data {
        self.ancestry(frame).find_map(|(_, frame)| frame.context.clone()).unwrap_or_default()
    }
}
