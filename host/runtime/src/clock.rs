//! Where the time comes from.

use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;

/// A clock. Tests bring their own: a [`SimulatedClock`](crate::SimulatedClock).
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Waits until the clock shows this time or a later one; not at all, if it does already. Dropping the future is fine
    /// at any moment.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()>;
}

/// The longest sleep before the clock is looked at again, so that a clock that was set, or a machine that was suspended,
/// is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The clock of the machine, to the microsecond.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        // Nanoseconds say nothing about a workflow, and make every printed time longer.
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            loop {
                // Negative when the time has passed.
                let Ok(left) = Duration::try_from(at.duration_since(SystemClock.now())) else { return };
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
            }
        })
    }
}
