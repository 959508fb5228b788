//! A machine: started, fed, serialized, restored.

use std::cell::OnceCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use hotcell_definition::{ErrorKind, Problem};
use hotcell_expression::{Data, Evaluation, Evaluator, ExpressionError, Violation};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::grants::SecretGrants;
use crate::mask;
use crate::program::Program;
use crate::state::{Doing, Frame, Purpose, ROOT, Stage, State, Step};
use crate::{Command, Event, EventKind, EventTask, ExecutionId, Input, InputKind, Outcome, Payload};

/// An execution, as a value.
#[derive(Debug, Clone)]
pub struct Machine {
    program: Arc<Program>,
    state: State,
    workflow: OnceCell<Arc<Value>>,
}

/// How an execution starts.
#[derive(Debug, Clone)]
pub struct Start {
    /// Its id.
    pub execution: ExecutionId,
    /// Its raw input.
    pub input: Data,
    /// When.
    pub time: Timestamp,
    /// The number of the first event. Whoever told of parsing and building has used the numbers before.
    pub first_sequence: u64,
}

/// What a machine needs from outside while it takes a turn. None of it becomes part of its state.
pub struct Environment<'a> {
    /// Evaluates jq and schemas.
    pub evaluator: &'a mut dyn Evaluator,
    /// The secrets that were granted, by name. Those that the definition does not declare are not used.
    pub secrets: &'a Map<String, Value>,
    /// Which tasks may use which of them. Default: all may use all.
    pub grants: Option<&'a dyn SecretGrants>,
}

/// What follows from an input.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Turn {
    /// What happened, in order.
    pub events: Vec<Event>,
    /// What the driver must do now, in order.
    pub commands: Vec<Command>,
}

/// How much one turn does before it lets other inputs in: an agenda item counts 1, an evaluation in a cell,
/// which may take up to its time limit, counts [`EVALUATION_COST`], and so many bytes of results that were built count
/// 1 ([`BYTES_PER_COST`]). Answers documents that loop without end.
const TURN_BUDGET: u64 = 256;
const EVALUATION_COST: u64 = 64;
const BYTES_PER_COST: u64 = 64 * 1024;

impl Machine {
    /// Starts an execution.
    pub fn start(program: Arc<Program>, start: Start, environment: Environment<'_>) -> (Self, Turn) {
        let root = Frame {
            parent: None,
            node: None,
            position: 0,
            raw_input: start.input.clone(),
            input: start.input.clone(),
            started_at: start.time,
            attempt: 1,
            iteration: None,
            context: Some(Data::null()),
            timeout: None,
            deadline: None,
            variables: Vec::new(),
            base: None,
            extensions: Vec::new(),
            authorization: None,
            doing: Doing::Sequence,
        };
        let state = State {
            execution: start.execution,
            started_at: start.time,
            input: start.input,
            sequence: start.first_sequence.saturating_sub(1),
            last_id: ROOT,
            frames: BTreeMap::from([(ROOT, root)]),
            timers: BTreeMap::new(),
            agenda: VecDeque::new(),
            consumed: BTreeMap::new(),
            consumed_by_branches: BTreeMap::new(),
            proceeding: false,
            suspended: false,
            outcome: None,
        };
        let mut machine = Machine { program, state, workflow: OnceCell::new() };
        let turn = machine.turn(start.time, environment, |run| run.begin_workflow());
        (machine, turn)
    }

    /// Takes in what happened.
    pub fn apply(&mut self, input: Input, environment: Environment<'_>) -> Turn {
        if self.state.outcome.is_some() {
            return Turn::default();
        }
        self.turn(input.time, environment, |run| run.take(input.kind))
    }

    /// Brings an execution back.
    pub fn restore(program: Arc<Program>, state: State) -> Self {
        Machine { program, state, workflow: OnceCell::new() }
    }

    /// What there is to serialize.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// How the execution ended, if it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.state.outcome.as_ref()
    }

    /// The id of the execution.
    pub fn execution(&self) -> &ExecutionId {
        &self.state.execution
    }

    /// The program that the machine walks.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    fn turn(&mut self, now: Timestamp, environment: Environment<'_>, act: impl FnOnce(&mut Run<'_>)) -> Turn {
        let mut run = Run {
            program: &self.program,
            state: &mut self.state,
            workflow: &self.workflow,
            evaluator: Counting { evaluator: environment.evaluator, evaluations: 0 },
            bytes: 0,
            secrets: environment.secrets,
            grants: environment.grants,
            now,
            turn: Turn::default(),
        };
        act(&mut run);
        run.work();
        run.turn
    }
}

/// Counts what goes to the evaluator.
pub(crate) struct Counting<'a> {
    evaluator: &'a mut dyn Evaluator,
    evaluations: u64,
}

impl Evaluator for Counting<'_> {
    fn evaluate(&mut self, evaluation: Evaluation<'_>) -> Result<Value, ExpressionError> {
        self.evaluations += 1;
        self.evaluator.evaluate(evaluation)
    }

    fn check(&mut self, program: &str, variables: &[&str]) -> Result<(), ExpressionError> {
        self.evaluations += 1;
        self.evaluator.check(program, variables)
    }

    fn validate(&mut self, schema: &str, data: &Value) -> Result<Vec<Violation>, ExpressionError> {
        self.evaluations += 1;
        self.evaluator.validate(schema, data)
    }
}

/// A turn that is being taken. What it does with tasks stands in the modules `flow`, `perform`, `retry`,
/// `emit` and `listen`.
pub(crate) struct Run<'a> {
    pub(crate) program: &'a Program,
    pub(crate) state: &'a mut State,
    pub(crate) workflow: &'a OnceCell<Arc<Value>>,
    pub(crate) evaluator: Counting<'a>,
    /// How many bytes of results have been built.
    pub(crate) bytes: u64,
    pub(crate) secrets: &'a Map<String, Value>,
    pub(crate) grants: Option<&'a dyn SecretGrants>,
    pub(crate) now: Timestamp,
    pub(crate) turn: Turn,
}

impl Run<'_> {
    fn take(&mut self, input: InputKind) {
        match input {
            InputKind::Proceed => self.state.proceeding = false,
            InputKind::CallEnded { call, result } => {
                let Some(frame) = call.frame(&self.state.execution) else { return };
                if matches!(self.doing(frame), Some(Doing::Call)) {
                    self.call_ended(frame, result);
                }
            }
            InputKind::CallReported { call, fraction, message, data } => {
                if let Some(frame) = self.calling_frame(&call) {
                    let fraction =
                        fraction.filter(|fraction| fraction.is_finite()).map(|fraction| fraction.clamp(0.0, 1.0));
                    // In JSON, data that is null is no data; both must come to the same when they are replayed.
                    let data = data.filter(|data| !data.is_null());
                    let message = message.map(|message| mask::text(message, self.secrets));
                    self.task_event(frame, EventKind::TaskProgress { fraction, message, data });
                }
            }
            InputKind::CallLogged { call, level, stream, message } => {
                if let Some(frame) = self.calling_frame(&call) {
                    let message = mask::text(message, self.secrets);
                    self.task_event(frame, EventKind::TaskLog { level, stream, message });
                }
            }
            InputKind::TimerFired { timer } => {
                if let Some(alarm) = self.state.timers.remove(&timer.0) {
                    self.ring(alarm.frame, alarm.purpose);
                }
            }
            InputKind::ChildEnded { child, outcome } => {
                let frame = self.state.frames.iter().find_map(|(id, frame)| match &frame.doing {
                    Doing::Child { id: running } if *running == child => Some(*id),
                    _ => None,
                });
                if let Some(frame) = frame {
                    self.child_ended(frame, outcome);
                }
            }
            InputKind::EventArrived { listening, position, oldest, event } => {
                self.event_arrived(listening, position, oldest, event);
            }
            InputKind::EventsLost { listening } => self.events_lost(listening),
            InputKind::Cancel { reason } => self.cancel_workflow(reason),
            InputKind::Suspend if !self.state.suspended => {
                self.state.suspended = true;
                self.event(EventKind::WorkflowSuspended, None);
            }
            InputKind::Resume if self.state.suspended => {
                self.state.suspended = false;
                self.event(EventKind::WorkflowResumed, None);
            }
            InputKind::Suspend | InputKind::Resume => {}
        }
    }

    fn calling_frame(&self, call: &crate::CallId) -> Option<u64> {
        call.frame(&self.state.execution).filter(|frame| matches!(self.doing(*frame), Some(Doing::Call)))
    }

    fn doing(&self, frame: u64) -> Option<&Doing> {
        self.state.frames.get(&frame).map(|frame| &frame.doing)
    }

    /// A timer's time has come. Timers are cleared with what they are for, so the frame is there.
    fn ring(&mut self, id: u64, purpose: Purpose) {
        let Some(frame) = self.state.frames.get_mut(&id) else { return };
        match purpose {
            Purpose::Timeout => {
                frame.timeout = None;
                let what = if id == ROOT { "workflow" } else { "task" };
                let problem = Problem::new(
                    ErrorKind::Timeout,
                    "Timeout",
                    format!("the {what} did not end within its `timeout` and was interrupted"),
                );
                // What the task still does is of no use any more, whatever becomes of the error.
                self.cancel_within(id);
                self.fail(id, problem);
            }
            Purpose::Wait => {
                let output = frame.input.clone();
                self.state.agenda.push_back(Step::Complete { frame: id, output, flow: None });
            }
            Purpose::AttemptTimeout => self.attempt_timed_out(id),
            Purpose::Retry => {
                if let Doing::Try(trying) = &mut frame.doing
                    && matches!(trying.stage, Stage::Waiting { .. })
                {
                    trying.attempt += 1;
                    self.begin_attempt(id);
                }
            }
        }
    }

    /// Does what stands on the agenda, as far as the turn's budget goes.
    fn work(&mut self) {
        let mut steps = 0;
        while !self.state.suspended && self.state.outcome.is_none() {
            let cost = steps + self.evaluator.evaluations * EVALUATION_COST + self.bytes / BYTES_PER_COST;
            if cost >= TURN_BUDGET {
                if !self.state.agenda.is_empty() && !self.state.proceeding {
                    self.state.proceeding = true;
                    self.turn.commands.push(Command::Proceed);
                }
                return;
            }
            let Some(step) = self.state.agenda.pop_front() else { return };
            steps += 1;
            self.step(step);
        }
    }

    /// Tells what happened.
    pub(crate) fn event(&mut self, kind: EventKind, task: Option<EventTask>) {
        self.state.sequence += 1;
        self.turn.events.push(Event {
            sequence: self.state.sequence,
            kind,
            time: self.now,
            execution: self.state.execution.clone(),
            task,
        });
    }

    /// Tells what happened to the task of a frame.
    pub(crate) fn task_event(&mut self, frame: u64, kind: EventKind) {
        let task = self.event_task(frame);
        self.event(kind, task);
    }

    /// The task of a frame as events show it; nothing for the workflow's own.
    pub(crate) fn event_task(&self, id: u64) -> Option<EventTask> {
        let frame = self.state.frames.get(&id)?;
        let node = self.program.node(frame.node?);
        Some(EventTask {
            name: Arc::clone(&node.name),
            reference: frame.reference(node),
            attempt: frame.attempt,
            id,
            parent: frame.parent.filter(|parent| *parent != ROOT),
            iteration: frame.iteration,
        })
    }

    /// Data for the event that comes next.
    pub(crate) fn payload(&self, data: &Data) -> Payload {
        if data.bytes() <= Payload::INLINE_BYTES {
            Payload::Value { value: data.share() }
        } else {
            let reference = format!("{}/{}", self.state.execution, self.state.sequence + 1);
            Payload::Reference { reference, bytes: data.bytes() }
        }
    }

    /// Ends the execution: nothing is left, nothing follows.
    pub(crate) fn finish(&mut self, outcome: Outcome) {
        self.state.frames.clear();
        self.state.timers.clear();
        self.state.agenda.clear();
        self.state.consumed.clear();
        self.state.consumed_by_branches.clear();
        self.turn.commands.push(Command::Finish { outcome: outcome.clone() });
        self.state.outcome = Some(outcome);
    }
}
