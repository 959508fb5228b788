//! Where the time comes from.

use jiff::Timestamp;

/// A clock. Tests bring their own.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine, to the microsecond.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        // Nanoseconds say nothing about a workflow, and make every printed time longer.
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}
