//! How a task looks at a moment, which is not always how it stands.

use std::time::Duration;

use jiff::Timestamp;

use super::figures::between;
use super::line::Tone;
use super::task::{State, Task};

/// Within a loop whose iterations are shorter than this, states would change too fast to be read. So they
/// keep still, and only the numbers move.
const READABLE: Duration = Duration::from_millis(150);

/// What is shown of the state of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Not yet reached in this iteration.
    Pending,
    Running,
    /// Waits for its next attempt.
    Waiting,
    Done,
    Failed,
    /// Failed, and something around it took care of that.
    Caught,
    Cancelled,
    Skipped,
}

/// What the tasks around a task mean for how it looks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Surroundings {
    /// The execution has ended.
    over: bool,
    /// Something around it has been performed anew, and has not reached it since.
    stale: bool,
    /// Something around it has completed.
    completed: bool,
    /// A loop around it goes faster than people read.
    fast: bool,
}

impl Surroundings {
    /// What is around the outermost tasks of an execution that has ended, or not.
    pub(super) fn outermost(over: bool) -> Self {
        Surroundings { over, ..Surroundings::default() }
    }

    /// What is around a child of this task, that is itself within these surroundings.
    pub(super) fn of_child(self, parent: &Task, child: &Task, now: Timestamp) -> Self {
        let goes_on = !parent.state.is_over();
        let repeat = parent.repeat.as_ref().filter(|_| goes_on);
        let missed = goes_on
            && (child.within != Some(parent.performance)
                || repeat.is_some_and(|repeat| child.iteration != Some(repeat.index)));
        Surroundings {
            over: self.over,
            stale: self.stale || missed,
            completed: self.completed || parent.state == State::Completed,
            fast: self.fast || repeat.is_some_and(|repeat| between(repeat.began, now) < READABLE),
        }
    }
}

impl Look {
    pub(super) fn of(task: &Task, around: Surroundings) -> Self {
        if around.over && !task.state.is_over() {
            return Look::Cancelled;
        }
        if around.fast && (around.stale || (task.state == State::Running && task.before.is_some())) {
            return Look::of_all(task, around);
        }
        if around.stale {
            return Look::Pending;
        }
        match &task.state {
            State::Running => Look::Running,
            State::Waiting { .. } => Look::Waiting,
            State::Completed => Look::Done,
            State::Failed(_) if around.completed => Look::Caught,
            State::Failed(_) => Look::Failed,
            State::Cancelled => Look::Cancelled,
            State::Skipped => Look::Skipped,
        }
    }

    /// All performances taken together.
    fn of_all(task: &Task, around: Surroundings) -> Self {
        if task.totals.ended == 0 {
            Look::Skipped
        } else if task.totals.failed < task.totals.ended {
            Look::Done
        } else if around.over && !around.completed {
            Look::Failed
        } else {
            Look::Caught
        }
    }

    /// Whether nothing goes on in the task, and nothing went wrong for good.
    pub(super) fn is_quiet(self) -> bool {
        !matches!(self, Look::Running | Look::Waiting | Look::Failed)
    }

    /// The sign in front of the task.
    pub(super) fn sign(self, now: Timestamp) -> (Tone, &'static str) {
        match self {
            Look::Pending => (Tone::Faint, "·"),
            Look::Running => (Tone::Active, spinner(now)),
            Look::Waiting => (Tone::Warning, "↻"),
            Look::Done => (Tone::Good, "✓"),
            Look::Failed => (Tone::Bad, "✗"),
            Look::Caught => (Tone::Warning, "✗"),
            Look::Cancelled => (Tone::Faint, "■"),
            Look::Skipped => (Tone::Faint, "↷"),
        }
    }

    /// The name of the task.
    pub(super) fn tone(self) -> Tone {
        match self {
            Look::Pending | Look::Cancelled | Look::Skipped => Tone::Faint,
            Look::Failed => Tone::Bad,
            _ => Tone::Plain,
        }
    }
}

/// The step of the spinner for this moment: ten steps a second.
pub(super) fn spinner(now: Timestamp) -> &'static str {
    const STEPS: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
    STEPS[(now.as_millisecond().rem_euclid(1000) / 100) as usize]
}
