//! The clocks of a cell, which are coarse.

use std::time::{Duration, Instant, SystemTime};

use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// Clocks that move in steps. Whoever wants to tell a hit from a miss in a processor's cache, and with that what another
/// cell does, has to measure nanoseconds; no task has to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coarse {
    step: Duration,
    started: Instant,
}

impl Coarse {
    /// Clocks with this step. The monotonic one starts now, with one step: Go's runtime, for example, takes zero for a clock that
    /// does not work.
    pub(super) fn new(step: Duration) -> Self {
        Coarse { step: step.max(Duration::from_nanos(1)), started: Instant::now() }
    }

    /// The last step before a time.
    fn floor(self, time: Duration) -> Duration {
        let past = time.as_nanos() % self.step.as_nanos();
        // What is past is less than the time, which fits.
        time - Duration::from_nanos_u128(past)
    }
}

impl HostMonotonicClock for Coarse {
    fn resolution(&self) -> u64 {
        self.step.as_nanos().try_into().unwrap_or(u64::MAX)
    }

    fn now(&self) -> u64 {
        (self.step + self.floor(self.started.elapsed())).as_nanos().try_into().unwrap_or(u64::MAX)
    }
}

impl HostWallClock for Coarse {
    fn resolution(&self) -> Duration {
        self.step
    }

    fn now(&self) -> Duration {
        self.floor(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_between_two_steps_is_the_first_of_them() {
        let clock = Coarse::new(Duration::from_millis(1));
        assert_eq!(clock.floor(Duration::from_nanos(7_999_999)), Duration::from_millis(7));
        assert_eq!(clock.floor(Duration::from_millis(8)), Duration::from_millis(8));
    }

    #[test]
    fn the_clocks_tell_how_coarse_they_are() {
        let clock = Coarse::new(Duration::from_millis(1));
        assert_eq!(HostMonotonicClock::resolution(&clock), 1_000_000);
        assert_eq!(HostMonotonicClock::now(&clock) % 1_000_000, 0);
        assert_eq!(HostWallClock::now(&clock).subsec_nanos() % 1_000_000, 0);
    }

    #[test]
    fn no_clock_shows_zero() {
        assert!(HostMonotonicClock::now(&Coarse::new(Duration::from_secs(1))) > 0);
    }

    #[test]
    fn a_step_of_nothing_is_the_finest_that_there_is() {
        assert_eq!(HostMonotonicClock::resolution(&Coarse::new(Duration::ZERO)), 1);
    }
}
