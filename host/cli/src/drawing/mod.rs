//! Progress, drawn for people: a tree that lives on a terminal, or lines in a log.
//!
//! Events go in ([`Drawing::event`]), a clock moves what lives ([`Drawing::tick`]). Neither the time nor the
//! terminal is asked anywhere else, so that a drawing is the same whenever the same events go in.
//!
//! The tree has the shape of the definition, not of the execution: a task in a loop of a hundred thousand
//! iterations stands in it once, with numbers. So it stays small, and an event costs the same however many there
//! were before. What it says comes from tenants, and is cleaned before it gets anywhere near a terminal.

mod detail;
mod execution;
mod executions;
mod figures;
mod line;
mod lines;
mod live;
mod look;
mod pace;
mod screen;
mod summary;
mod target;
mod task;
#[cfg(test)]
mod tests;
mod text;
mod tree;

use hotcell_machine::Event;
use jiff::Timestamp;

use lines::Lines;
use live::Live;
pub(crate) use target::Target;
pub(crate) use text::{printable, printable_in_place};

/// How progress is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A tree that is drawn again and again, on a terminal.
    Live,
    /// A line for each event that matters.
    Lines,
}

/// A drawing of the progress of one execution, or of several at once.
pub(crate) struct Drawing {
    form: Form,
}

enum Form {
    Live(Live),
    Lines(Lines),
}

impl Drawing {
    /// A drawing that goes to this target.
    pub(crate) fn new(mode: Mode, target: Target) -> Self {
        let form = match mode {
            Mode::Live => Form::Live(Live::new(target)),
            Mode::Lines => Form::Lines(Lines::new(target)),
        };
        Drawing { form }
    }

    /// A drawing on standard error.
    pub(crate) fn stderr(mode: Mode) -> Self {
        Drawing::new(mode, Target::stderr())
    }

    /// Takes in an event. Events of one execution come in their order; one that came before is ignored.
    ///
    /// A live drawing shows it at the next tick. Lines are written when there are some kilobytes, or at the next tick.
    pub(crate) fn event(&mut self, event: &Event) {
        match &mut self.form {
            Form::Live(live) => live.event(event),
            Form::Lines(lines) => lines.event(event),
        }
    }

    /// Draws, at most some 15 times a second however often it is called. Some ten times a second are enough.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        match &mut self.form {
            Form::Live(live) => live.tick(now),
            Form::Lines(lines) => lines.tick(now),
        }
    }

    /// Leaves the last state, how it ended, and if it failed the whole problem. Without this call, what was drawn last
    /// stays.
    pub(crate) fn finish(self) {
        match self.form {
            Form::Live(live) => live.finish(),
            Form::Lines(lines) => lines.finish(),
        }
    }
}
