//! Log lines, which become `task_log` events.

use std::fmt::Display;

/// How much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Every step, for whoever hunts a bug.
    Trace,
    /// What helps to understand a run after the fact.
    Debug,
    /// What a person who watches wants to know.
    Info,
    /// Something is odd, and the task goes on.
    Warn,
    /// Something is broken.
    Error,
}

/// Writes a log line.
///
/// A call has 256 KiB for all that it logs and prints; what goes beyond is dropped and counted.
///
/// ```
/// hotcell::log(hotcell::Level::Info, "42 lines priced");
/// hotcell::warn(format_args!("no price for {}, taking the list price", "A-1"));
/// ```
pub fn log(level: Level, message: impl Display) {
    crate::host::log(level, &message.to_string());
}

/// Writes a log line at [`Level::Trace`].
pub fn trace(message: impl Display) {
    log(Level::Trace, message);
}

/// Writes a log line at [`Level::Debug`].
pub fn debug(message: impl Display) {
    log(Level::Debug, message);
}

/// Writes a log line at [`Level::Info`].
pub fn info(message: impl Display) {
    log(Level::Info, message);
}

/// Writes a log line at [`Level::Warn`].
pub fn warn(message: impl Display) {
    log(Level::Warn, message);
}

/// Writes a log line at [`Level::Error`].
pub fn error(message: impl Display) {
    log(Level::Error, message);
}
