//! How many lines a log gets.

use std::time::Duration;

use jiff::Timestamp;

use super::figures::between;

/// The lines that may come at once, before the pace counts.
const BURST: f64 = 200.0;
/// The lines a second after that.
const PER_SECOND: f64 = 20.0;

/// Lets so many lines through that a log stays readable: a token bucket, filled by the time of the events.
#[derive(Debug)]
pub(super) struct Pace {
    tokens: f64,
    filled: Option<Timestamp>,
    left_out: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { tokens: BURST, filled: None, left_out: 0 }
    }
}

impl Pace {
    /// Whether one more line may come at this time, and how many were left out before it since one last came.
    pub(super) fn allow(&mut self, now: Timestamp) -> (bool, u64) {
        let passed = self.filled.map_or(Duration::ZERO, |filled| between(filled, now));
        self.filled = Some(now);
        self.tokens = (self.tokens + passed.as_secs_f64() * PER_SECOND).min(BURST);
        // Once lines are left out, it goes on when there is room for some.
        let needed = if self.left_out > 0 { PER_SECOND } else { 1.0 };
        if self.tokens < needed {
            self.left_out += 1;
            return (false, 0);
        }
        self.tokens -= 1.0;
        (true, self.left_out())
    }

    /// How many lines were left out since one last came. Asking makes it zero.
    pub(super) fn left_out(&mut self) -> u64 {
        std::mem::take(&mut self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_after_a_burst_and_goes_on_a_second_later() {
        let mut pace = Pace::default();
        let start = Timestamp::UNIX_EPOCH;

        let allowed = (0..10_000).filter(|_| pace.allow(start).0).count();
        let later = pace.allow(start + Duration::from_secs(2));

        assert_eq!(allowed, 200);
        assert_eq!(later, (true, 9_800));
        assert_eq!(pace.left_out(), 0);
    }
}
