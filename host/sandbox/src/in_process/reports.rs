//! The bound on a call's progress reports.

use std::time::{Duration, Instant};

use crate::CallLimits;

/// After the first reports, one more is allowed each time this has passed: enough to see that a long call goes on.
const INTERVAL: Duration = Duration::from_millis(100);

/// Decides which reports are passed on. Each becomes an event that is stored.
pub(super) struct ReportBound {
    at_once: u64,
    bytes_left: usize,
    passed: u64,
    dropped: u64,
    first: Option<Instant>,
}

impl ReportBound {
    pub(super) fn new(limits: &CallLimits) -> Self {
        ReportBound {
            at_once: u64::from(limits.reports),
            bytes_left: limits.payload,
            passed: 0,
            dropped: 0,
            first: None,
        }
    }

    /// Whether a report of so many bytes, made at this time, is passed on.
    pub(super) fn admits(&mut self, bytes: usize, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(*self.first.get_or_insert(now));
        let allowed = self.at_once.saturating_add((elapsed.as_millis() / INTERVAL.as_millis()) as u64);
        if self.passed >= allowed || bytes > self.bytes_left {
            self.dropped += 1;
            return false;
        }
        self.bytes_left -= bytes;
        self.passed += 1;
        true
    }

    /// How many reports were made, dropped ones included.
    pub(super) fn made(&self) -> u64 {
        self.passed + self.dropped
    }

    /// How many reports were dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_first_reports_only_so_many_are_passed_on_as_time_allows() {
        let mut bound = ReportBound::new(&CallLimits { reports: 2, ..CallLimits::default() });
        let start = Instant::now();
        assert_eq!(
            [0, 0, 0, 99].map(|ms| bound.admits(1, start + Duration::from_millis(ms))),
            [true, true, false, false]
        );
        assert_eq!([100, 101, 350].map(|ms| bound.admits(1, start + Duration::from_millis(ms))), [true, false, true]);
        assert_eq!((bound.made(), bound.dropped()), (7, 3));
    }

    #[test]
    fn reports_share_one_bound_on_their_bytes() {
        let mut bound = ReportBound::new(&CallLimits { payload: 10, ..CallLimits::default() });
        let now = Instant::now();
        assert_eq!([6, 6, 4, 1].map(|bytes| bound.admits(bytes, now)), [true, false, true, false]);
    }
}
