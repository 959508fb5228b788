//! How long to wait before the next attempt to reach a sink.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Three attempts quickly, then slower, for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backoff {
    /// How long to wait before each of the first attempts after a failure. Default: 100 ms, 200 ms, 400 ms.
    pub quick: [Duration; 3],
    /// How long to wait before the attempt after those; each further one waits twice as long. Default: 1 s.
    pub slow: Duration,
    /// The longest wait. Default: 30 s.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff {
            quick: [100, 200, 400].map(Duration::from_millis),
            slow: Duration::from_secs(1),
            longest: Duration::from_secs(30),
        }
    }
}

impl Backoff {
    /// How long to wait after so many failures in a row (from 1), before chance is added.
    fn exact(&self, failures: u32) -> Duration {
        let index = failures.saturating_sub(1) as usize;
        match self.quick.get(index) {
            Some(quick) => *quick,
            None => {
                let doublings = (index - self.quick.len()).min(30) as u32;
                self.slow.saturating_mul(1 << doublings).min(self.longest)
            }
        }
    }

    /// How long to wait after so many failures in a row (from 1): up to a fifth less than the exact time, by chance, so
    /// that a thousand hosts do not come back to a restarted sink in the same instant.
    pub(crate) fn wait(&self, failures: u32) -> Duration {
        let chance = RandomState::new().hash_one(failures) % 1000;
        self.exact(failures).mul_f64(1.0 - chance as f64 / 5000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_attempts_come_quickly_and_then_slower_ones_up_to_the_longest() {
        let backoff = Backoff::default();

        let waits: Vec<u128> = (1..=10).map(|failures| backoff.exact(failures).as_millis()).collect();

        assert_eq!(waits, [100, 200, 400, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        assert_eq!(backoff.exact(u32::MAX), Duration::from_secs(30));
    }

    #[test]
    fn chance_takes_at_most_a_fifth() {
        let backoff = Backoff::default();

        for _ in 0..100 {
            let wait = backoff.wait(4);
            assert!(wait <= Duration::from_secs(1) && wait >= Duration::from_millis(800), "{wait:?}");
        }
    }
}
