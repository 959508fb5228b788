//! A clock for tests: it stands still until it is told to go on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::{Notify, oneshot};

use crate::clock::Clock;

/// A clock that stands still until it is [set](SimulatedClock::set). Nothing that waits for it really waits: a test asks
/// for [what is waited for](SimulatedClock::next_sleep), and sets the clock to that.
///
/// Clones show the same time.
#[derive(Debug, Clone)]
pub struct SimulatedClock {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Somebody began to sleep.
    slept: Notify,
}

#[derive(Debug)]
struct State {
    now: Timestamp,
    next: u64,
    /// Who sleeps, by when they wake.
    sleepers: BTreeMap<(Timestamp, u64), oneshot::Sender<()>>,
}

impl SimulatedClock {
    /// A clock that shows this time.
    pub fn new(now: Timestamp) -> Self {
        let state = State { now, next: 0, sleepers: BTreeMap::new() };
        SimulatedClock { shared: Arc::new(Shared { state: Mutex::new(state), slept: Notify::new() }) }
    }

    /// Shows this time from now on, and wakes whoever waited for it or an earlier one. It may be set back.
    pub fn set(&self, now: Timestamp) {
        let mut state = self.shared.lock();
        state.now = now;
        while let Some(first) = state.sleepers.first_entry().filter(|first| first.key().0 <= now) {
            let _ = first.remove().send(());
        }
    }

    /// Waits until somebody sleeps, and says until when the first of them does. Only one task at a time may ask.
    pub async fn next_sleep(&self) -> Timestamp {
        self.sleeper(|_| true).await
    }

    /// Waits until somebody sleeps until this time. Only one task at a time may ask.
    pub async fn slept_until(&self, at: Timestamp) {
        self.sleeper(|until| until == at).await;
    }

    async fn sleeper(&self, wanted: impl Fn(Timestamp) -> bool) -> Timestamp {
        loop {
            {
                let mut state = self.shared.lock();
                // Those who do not wait any more.
                state.sleepers.retain(|_, sleeper| !sleeper.is_closed());
                if let Some(at) = state.sleepers.keys().map(|(at, _)| *at).find(|at| wanted(*at)) {
                    return at;
                }
            }
            self.shared.slept.notified().await;
        }
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        self.shared.lock().now
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let mut state = self.shared.lock();
        if at <= state.now {
            return Box::pin(std::future::ready(()));
        }
        let (wake, woken) = oneshot::channel();
        let id = state.next;
        state.next += 1;
        state.sleepers.insert((at, id), wake);
        drop(state);
        self.shared.slept.notify_one();
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            // The clock lives as long as whoever sleeps by it.
            let _ = woken.await;
            drop(shared);
        })
    }
}

impl Shared {
    /// No code that can panic runs while the lock is held, so a poisoned state is a valid one.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    #[tokio::test]
    async fn who_sleeps_wakes_when_the_clock_is_set_and_not_before() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        let clock = SimulatedClock::new(start);
        let (early, late) = (clock.sleep_until(start + 1.second()), clock.sleep_until(start + 1.hour()));

        assert_eq!(clock.next_sleep().await, start + 1.second());
        clock.set(start + 10.seconds());
        early.await;

        assert_eq!(clock.next_sleep().await, start + 1.hour());
        clock.set(start + 2.hours());
        late.await;
        clock.sleep_until(start).await;
    }
}
