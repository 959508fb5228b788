//! One task of the tree: what is known about all its performances together.

use std::collections::VecDeque;
use std::time::Duration;

use hotcell_definition::Problem;
use hotcell_machine::LogLevel;
use jiff::Timestamp;

use super::figures::between;
use super::text::clean;

/// Where a task stands in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TaskId(pub(super) usize);

/// How many log lines of a task, and how many failures in a loop, are kept.
pub(super) const LAST: usize = 3;

/// A task of the definition. A task in a loop is performed many times, and stands in the tree once.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) name: String,
    pub(super) parent: Option<TaskId>,
    pub(super) children: Vec<TaskId>,
    pub(super) depth: usize,
    /// How the last performance stands.
    pub(super) state: State,
    /// The number of the last performance, and of the one in which it happens.
    pub(super) performance: u64,
    pub(super) within: Option<u64>,
    pub(super) iteration: Option<u64>,
    pub(super) attempt: u32,
    pub(super) began: Timestamp,
    /// How the performance before the last one ended.
    pub(super) before: Option<State>,
    /// The iterations of a `for`.
    pub(super) repeat: Option<Repeat>,
    pub(super) progress: Option<Progress>,
    pub(super) logs: VecDeque<(LogLevel, String)>,
    pub(super) totals: Totals,
}

/// How a performance stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    Running,
    /// An attempt failed; the next one begins at this time.
    Waiting {
        until: Timestamp,
        why: String,
    },
    Completed,
    Failed(String),
    Cancelled,
    Skipped,
}

impl State {
    pub(super) fn is_over(&self) -> bool {
        !matches!(self, State::Running | State::Waiting { .. })
    }
}

/// All performances of a task that have ended, and what happened within them.
#[derive(Debug, Default, Clone)]
pub(super) struct Totals {
    /// How many ended, the skipped ones aside.
    pub(super) ended: u64,
    pub(super) skipped: u64,
    pub(super) failed: u64,
    /// Failures that a `try` took care of, here or below.
    pub(super) caught: u64,
    /// Further attempts, here or below.
    pub(super) retried: u64,
    pub(super) time: Duration,
}

/// The iterations of a `for`.
#[derive(Debug)]
pub(super) struct Repeat {
    /// The index of the last iteration that began, from 0.
    pub(super) index: u64,
    pub(super) began: Timestamp,
    /// How many there will be, if the loop tells.
    pub(super) total: Option<u64>,
    /// The last failures in its iterations that were caught.
    pub(super) caught: VecDeque<Failure>,
}

/// A failure somewhere below a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) task: TaskId,
    pub(super) iteration: Option<u64>,
    pub(super) why: String,
}

/// How far a task has come, as it told.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Progress {
    pub(super) fraction: Option<f64>,
    pub(super) message: Option<String>,
}

impl Task {
    pub(super) fn new(name: &str, parent: Option<TaskId>, depth: usize, now: Timestamp) -> Self {
        Task {
            name: clean(name, 80),
            parent,
            children: Vec::new(),
            depth,
            state: State::Running,
            performance: 0,
            within: None,
            iteration: None,
            attempt: 1,
            began: now,
            before: None,
            repeat: None,
            progress: None,
            logs: VecDeque::new(),
            totals: Totals::default(),
        }
    }

    /// The flow reaches the task once more.
    pub(super) fn reach(&mut self, now: Timestamp) {
        self.began = now;
        self.progress = None;
        let before = std::mem::replace(&mut self.state, State::Running);
        self.before = before.is_over().then_some(before);
        self.logs.clear();
        if let Some(repeat) = &mut self.repeat {
            *repeat = Repeat::new(0, now);
        }
    }

    /// The performance ends.
    pub(super) fn end(&mut self, state: State, now: Timestamp) {
        match &state {
            State::Skipped => self.totals.skipped += 1,
            state => {
                self.totals.ended += 1;
                self.totals.failed += u64::from(matches!(state, State::Failed(_)));
                self.totals.time += between(self.began, now);
            }
        }
        self.state = state;
    }

    pub(super) fn log(&mut self, level: LogLevel, message: &str) {
        remember(&mut self.logs, (level, clean(message, 300)));
    }
}

impl Repeat {
    pub(super) fn new(index: u64, now: Timestamp) -> Self {
        Repeat { index, began: now, total: None, caught: VecDeque::new() }
    }

    pub(super) fn catch(&mut self, failure: Failure) {
        remember(&mut self.caught, failure);
    }
}

fn remember<T>(queue: &mut VecDeque<T>, item: T) {
    if queue.len() == LAST {
        queue.pop_front();
    }
    queue.push_back(item);
}

/// A problem on one line: `Bad order (422): the quantity must be positive`.
pub(super) fn in_short(problem: &Problem) -> String {
    let title = match problem.title.as_deref().map(|title| clean(title, 120)).filter(|title| !title.is_empty()) {
        Some(title) => title,
        None => clean(problem.kind.rsplit('/').next().unwrap_or_default(), 120),
    };
    let detail = problem.detail.as_deref().map(|detail| clean(detail, 300)).filter(|detail| !detail.is_empty());
    match detail {
        Some(detail) => format!("{title} ({}): {detail}", problem.status),
        None => format!("{title} ({})", problem.status),
    }
}
