//! Progress from inside a task, which becomes `task_progress` events.

use std::fmt::Display;

use serde::Serialize;

/// Tells how far the task has come: `fraction` is between 0 and 1 (values outside are clamped), `message` is for people.
///
/// Whoever watches the execution sees it at once. When one of the two is not known, or there is something to tell
/// programs, use [`Report`].
///
/// ```
/// # let lines = ["a", "b"];
/// for (done, line) in lines.iter().enumerate() {
///     hotcell::report(done as f64 / lines.len() as f64, format_args!("line {line}"));
/// }
/// ```
pub fn report(fraction: f64, message: impl Display) {
    Report::new().fraction(fraction).message(message).send();
}

/// A progress report, built piece by piece. Nothing happens before [`send`](Report::send).
///
/// ```
/// hotcell::Report::new().message("waiting for the printer").data(&serde_json::json!({"queue": 3})).send();
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "a report is told by `send`"]
pub struct Report {
    /// How much is done, from 0 to 1.
    pub fraction: Option<f64>,
    /// What is being done, for people.
    pub message: Option<String>,
    /// Anything else, for programs: a JSON text.
    pub data: Option<String>,
}

impl Report {
    /// A report that says nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How much is done, from 0 to 1. Values outside are clamped; what is not a number is left out.
    pub fn fraction(mut self, fraction: f64) -> Self {
        self.fraction = (!fraction.is_nan()).then(|| fraction.clamp(0.0, 1.0));
        self
    }

    /// What is being done, for people.
    pub fn message(mut self, message: impl Display) -> Self {
        self.message = Some(message.to_string());
        self
    }

    /// Anything else, for programs. A value that JSON cannot hold (a map whose keys are not strings) is left out,
    /// with a warning in the log: progress never fails a task.
    pub fn data(mut self, data: &impl Serialize) -> Self {
        match serde_json::to_string(data) {
            Ok(json) => self.data = Some(json),
            Err(error) => crate::warn(format_args!("a progress report goes without its data: {error}")),
        }
        self
    }

    /// Tells whoever watches.
    pub fn send(self) {
        crate::host::report(self);
    }
}
