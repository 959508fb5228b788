//! The script's standard output and error, and whether it has been told to stop.

use std::cell::{Cell, RefCell};
use std::io::Write;

/// What a script has written so far. Nothing that it does after it was stopped is heard.
pub(crate) struct Streams {
    limit: usize,
    stdout: RefCell<String>,
    stderr: RefCell<String>,
    stop: Cell<Option<Stop>>,
}

/// Why a script goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It called `process.exit`.
    Exit(i32),
    /// It wrote more than it may.
    TooMuch,
}

impl Streams {
    pub(crate) fn new(limit: usize) -> Self {
        Streams { limit, stdout: RefCell::default(), stderr: RefCell::default(), stop: Cell::default() }
    }

    /// Writes a text to a stream, 1 or 2, and passes it on to that of the cell. Returns false if it was too much.
    pub(crate) fn write(&self, stream: i32, text: &str) -> bool {
        if self.stop.get().is_some() {
            return true;
        }
        if text.len() > self.limit.saturating_sub(self.stdout.borrow().len() + self.stderr.borrow().len()) {
            self.stop.set(Some(Stop::TooMuch));
            return false;
        }
        // Nobody is left to be told if the cell's own streams fail; what counts is the output.
        if stream == 2 {
            self.stderr.borrow_mut().push_str(text);
            let _ = std::io::stderr().write_all(text.as_bytes());
        } else {
            self.stdout.borrow_mut().push_str(text);
            let _ = std::io::stdout().write_all(text.as_bytes());
        }
        true
    }

    /// The script wants to end with this code. The first word counts.
    pub(crate) fn exit(&self, code: i32) {
        if self.stop.get().is_none() {
            self.stop.set(Some(Stop::Exit(code)));
        }
    }

    pub(crate) fn stopped(&self) -> Option<Stop> {
        self.stop.get()
    }

    /// What was written to stdout and to stderr.
    pub(crate) fn take(&self) -> (String, String) {
        let _ = std::io::stdout().flush();
        (self.stdout.take(), self.stderr.take())
    }
}
