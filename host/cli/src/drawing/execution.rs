//! What is known about one execution. Events change it; drawings read it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hotcell_definition::{Problem, TaskReference};
use hotcell_machine::{Event, EventKind, EventTask, WorkflowIdentity};
use jiff::Timestamp;
use serde_json::Value;

use super::figures::between;
use super::task::{Failure, Progress, Repeat, State, Task, TaskId, in_short};
use super::text::clean;

/// How many tasks of a definition are drawn. Further ones are only counted.
const MOST_TASKS: usize = 20_000;
/// How many performances can be under way at once. Events of further ones are ignored.
const MOST_PERFORMANCES: usize = 100_000;
/// The longest reference, in bytes, of a task that is drawn.
const LONGEST_REFERENCE: usize = 4 * 1024;
/// How far up the tree a failure is told.
const MOST_ANCESTORS: usize = 64;

/// An execution, as far as its events have told.
#[derive(Debug)]
pub(super) struct Execution {
    pub(super) id: String,
    pub(super) workflow: Option<String>,
    pub(super) phase: Phase,
    pub(super) began: Timestamp,
    /// When the last event happened.
    pub(super) last: Timestamp,
    pub(super) tally: Tally,
    pub(super) roots: Vec<TaskId>,
    tasks: Vec<Task>,
    known: HashMap<Arc<TaskReference>, TaskId>,
    performances: HashMap<u64, Performance>,
    sequence: u64,
}

/// How an execution stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    Starting,
    Parsing,
    Building,
    Executing,
    Suspended,
    Completed,
    Failed(Box<Problem>),
    Cancelled(Option<String>),
}

impl Phase {
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Phase::Completed | Phase::Failed(_) | Phase::Cancelled(_))
    }
}

/// What happened in an execution, in numbers.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    /// Performances of tasks that ended, the skipped ones aside.
    pub(super) tasks: u64,
    pub(super) skipped: u64,
    pub(super) cancelled: u64,
    /// Failures, each counted where it arose.
    pub(super) failures: u64,
    pub(super) caught: u64,
    pub(super) retries: u64,
    /// Tasks that are not in the tree, because it is full.
    pub(super) undrawn: u64,
}

/// One performance of a task that is under way.
#[derive(Debug)]
struct Performance {
    task: TaskId,
    /// The failure of a task in it of which one does not know yet what becomes of it.
    failure: Option<Failure>,
}

/// What an event of a task has changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) task: TaskId,
    /// How long the performance took, if it is over.
    pub(super) lasted: Option<Duration>,
    /// Whether a failure arose in this task, and not in one within it.
    pub(super) origin: bool,
}

impl Execution {
    pub(super) fn new(first: &Event) -> Self {
        Execution {
            id: clean(first.execution.as_str(), 80),
            workflow: None,
            phase: Phase::Starting,
            began: first.time,
            last: first.time,
            tally: Tally::default(),
            roots: Vec::new(),
            tasks: Vec::new(),
            known: HashMap::new(),
            performances: HashMap::new(),
            sequence: 0,
        }
    }

    /// Takes in an event. One that was taken in before changes nothing.
    pub(super) fn apply(&mut self, event: &Event) -> Option<Change> {
        if event.sequence <= self.sequence {
            return None;
        }
        self.sequence = event.sequence;
        self.last = self.last.max(event.time);
        if let Some(task) = &event.task {
            return self.apply_to_task(task, event);
        }
        self.phase = match &event.kind {
            EventKind::WorkflowStarted { workflow } => {
                self.workflow = Some(title(workflow));
                Phase::Starting
            }
            EventKind::WorkflowParsing | EventKind::WorkflowParsed => Phase::Parsing,
            EventKind::WorkflowBuilding => Phase::Building,
            EventKind::WorkflowExecuting | EventKind::WorkflowResumed => Phase::Executing,
            EventKind::WorkflowSuspended => Phase::Suspended,
            EventKind::WorkflowCompleted { .. } => Phase::Completed,
            EventKind::WorkflowFailed { error } => Phase::Failed(Box::new(error.clone())),
            EventKind::WorkflowCancelled { reason } => {
                Phase::Cancelled(reason.as_deref().map(|reason| clean(reason, 200)))
            }
            _ => return None,
        };
        None
    }

    pub(super) fn task(&self, id: TaskId) -> &Task {
        &self.tasks[id.0]
    }

    /// Every task of the tree.
    pub(super) fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter()
    }

    /// How long the execution takes until now, or took.
    pub(super) fn elapsed(&self, now: Timestamp) -> Duration {
        between(self.began, if self.phase.is_over() { self.last } else { now.max(self.last) })
    }

    /// The task and those around it, from the inside out.
    pub(super) fn around(&self, id: TaskId) -> impl Iterator<Item = TaskId> {
        std::iter::successors(Some(id), |id| self.task(*id).parent).take(MOST_ANCESTORS)
    }

    fn apply_to_task(&mut self, event: &EventTask, Event { kind, time, .. }: &Event) -> Option<Change> {
        let over = match kind {
            EventKind::TaskCompleted => Some(State::Completed),
            EventKind::TaskFailed { error } => Some(State::Failed(in_short(error))),
            EventKind::TaskCancelled => Some(State::Cancelled),
            EventKind::TaskSkipped => Some(State::Skipped),
            // It follows the end of its task, and is of no interest to somebody who looks on.
            EventKind::StateUpdated { .. } => return None,
            _ => None,
        };
        self.count(over.as_ref());
        let id = self.performed(event, *time)?;
        if let Some(state) = over {
            return Some(self.end(id, event, state, *time));
        }
        let task = &mut self.tasks[id.0];
        match kind {
            EventKind::TaskProgress { fraction, message, data } => {
                if let Some(total) = data.as_ref().and_then(|data| data.get("iterations")).and_then(Value::as_u64) {
                    task.repeat.get_or_insert_with(|| Repeat::new(0, *time)).total = Some(total);
                } else {
                    let message = message.as_deref().map(|message| clean(message, 200));
                    let fraction = fraction.filter(|fraction| fraction.is_finite()).map(|part| part.clamp(0.0, 1.0));
                    task.progress = Some(Progress { fraction, message });
                }
            }
            EventKind::TaskLog { level, message, .. } => task.log(*level, message),
            EventKind::TaskRetried { error, delay } => self.retry(id, event, in_short(error), *delay, *time),
            _ => {}
        }
        Some(Change { task: id, lasted: None, origin: false })
    }

    fn count(&mut self, over: Option<&State>) {
        match over {
            Some(State::Skipped) => self.tally.skipped += 1,
            Some(state) => {
                self.tally.tasks += 1;
                self.tally.cancelled += u64::from(*state == State::Cancelled);
            }
            None => {}
        }
    }

    /// The task of an event, which is performed from now on if it is not yet.
    fn performed(&mut self, event: &EventTask, now: Timestamp) -> Option<TaskId> {
        if let Some(performance) = self.performances.get(&event.id) {
            return Some(performance.task);
        }
        if self.performances.len() >= MOST_PERFORMANCES || event.reference.as_str().len() > LONGEST_REFERENCE {
            self.tally.undrawn += 1;
            return None;
        }
        let parent = event.parent.and_then(|parent| self.performances.get(&parent)).map(|parent| parent.task);
        let id = match self.known.get(&event.reference) {
            Some(id) => *id,
            None => self.plant(event, parent, now)?,
        };
        self.performances.insert(event.id, Performance { task: id, failure: None });
        if let Some(parent) = parent {
            self.enter(parent, event, now);
        }
        let task = &mut self.tasks[id.0];
        (task.performance, task.within) = (event.id, event.parent);
        (task.iteration, task.attempt) = (event.iteration, event.attempt);
        task.reach(now);
        Some(id)
    }

    /// Puts a task into the tree.
    fn plant(&mut self, event: &EventTask, parent: Option<TaskId>, now: Timestamp) -> Option<TaskId> {
        if self.tasks.len() >= MOST_TASKS {
            self.tally.undrawn += 1;
            return None;
        }
        let id = TaskId(self.tasks.len());
        let depth = parent.map_or(0, |parent| self.task(parent).depth + 1);
        self.tasks.push(Task::new(&event.name, parent, depth, now));
        self.known.insert(Arc::clone(&event.reference), id);
        match parent {
            Some(parent) => self.tasks[parent.0].children.push(id),
            None => self.roots.push(id),
        }
        Some(id)
    }

    /// The flow reaches a task within another one.
    fn enter(&mut self, parent: TaskId, event: &EventTask, now: Timestamp) {
        let parent = &mut self.tasks[parent.0];
        if matches!(parent.state, State::Waiting { .. }) {
            parent.state = State::Running;
        }
        let Some(index) = event.iteration else { return };
        match &mut parent.repeat {
            Some(repeat) if repeat.index == index => {}
            Some(repeat) => (repeat.index, repeat.began) = (index, now),
            // No event says which tasks are loops. The tasks in one have another index than the loop itself.
            None if parent.iteration != Some(index) => parent.repeat = Some(Repeat::new(index, now)),
            None => {}
        }
    }

    fn end(&mut self, id: TaskId, event: &EventTask, state: State, now: Timestamp) -> Change {
        let within = self.performances.remove(&event.id).and_then(|performance| performance.failure);
        let origin = matches!(state, State::Failed(_)) && within.is_none();
        self.tally.failures += u64::from(origin);
        match &state {
            State::Failed(why) => {
                let failure = within.unwrap_or_else(|| Failure { task: id, iteration: None, why: why.clone() });
                if let Some(parent) = event.parent.and_then(|parent| self.performances.get_mut(&parent)) {
                    parent.failure = Some(failure);
                }
            }
            State::Completed => {
                if let Some(failure) = within {
                    self.caught(id, failure);
                }
            }
            _ => {}
        }
        let task = &mut self.tasks[id.0];
        let lasted = between(task.began, now);
        task.end(state, now);
        Change { task: id, lasted: Some(lasted), origin }
    }

    /// A failure in this task did no harm.
    fn caught(&mut self, id: TaskId, mut failure: Failure) {
        self.tally.caught += 1;
        let mut around: Vec<TaskId> = self.around(id).collect();
        for inner in &around {
            self.tasks[inner.0].totals.caught += 1;
        }
        // The innermost loop around it remembers it.
        around.retain(|outer| *outer != id && self.task(*outer).repeat.is_some());
        if let Some(repeat) = around.first().and_then(|outer| self.tasks[outer.0].repeat.as_mut()) {
            failure.iteration = Some(repeat.index);
            repeat.catch(failure);
        }
    }

    fn retry(&mut self, id: TaskId, event: &EventTask, why: String, delay: u64, now: Timestamp) {
        self.tally.retries += 1;
        let around: Vec<TaskId> = self.around(id).collect();
        for outer in around {
            self.tasks[outer.0].totals.retried += 1;
        }
        if let Some(performance) = self.performances.get_mut(&event.id) {
            performance.failure = None;
        }
        let until = now.checked_add(Duration::from_millis(delay)).unwrap_or(Timestamp::MAX);
        let task = &mut self.tasks[id.0];
        task.attempt = event.attempt;
        task.state = State::Waiting { until, why };
    }
}

fn title(WorkflowIdentity { namespace, name, version }: &WorkflowIdentity) -> String {
    format!("{}/{}:{}", clean(namespace, 80), clean(name, 80), clean(version, 40))
}
