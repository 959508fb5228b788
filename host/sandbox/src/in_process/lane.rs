//! The heavy lane: calls that compute for long take turns, so that short ones need not wait for them.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// One call's place in the lane. A call that has not ended when it is interrupted for the first time is heavy from then on: it
/// goes on only while it holds one of the few permits, which it gives back whenever it does not run.
///
/// With fewer permits than threads that run guests there is always one that short calls find free. Where guests
/// have one thread only, one of the heavy calls at a time competes with the short ones, however many there are.
pub(super) struct Lane {
    permits: Arc<Semaphore>,
    held: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Lane {
    pub(super) fn new(permits: Arc<Semaphore>) -> Arc<Self> {
        Arc::new(Lane { permits, held: Mutex::default() })
    }

    /// For a call that was interrupted: lets others go first, and waits until it may go on.
    pub(super) async fn turn(self: Arc<Self>) {
        tokio::task::yield_now().await;
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        *self.held() = Some(permit);
    }

    /// Polls the call to its end. Whenever it stops, be it for others or for its host, it makes room in the lane.
    pub(super) async fn drive<F: Future>(&self, call: F) -> F::Output {
        let mut call = pin!(call);
        poll_fn(|context| {
            let poll = call.as_mut().poll(context);
            drop(self.held().take());
            poll
        })
        .await
    }

    fn held(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn one_heavy_call_goes_on_at_a_time_and_a_call_that_stops_makes_room() {
        let permits = Arc::new(Semaphore::new(1));
        let (first, second) = (Lane::new(permits.clone()), Lane::new(permits.clone()));
        let mut turns = [first.clone().turn().boxed(), second.turn().boxed()];
        // The first poll of each is the one that lets others go first.
        for turn in &mut turns {
            assert!(turn.now_or_never().is_none());
        }
        let [first_turn, second_turn] = &mut turns;
        assert!(first_turn.now_or_never().is_some());
        assert!(second_turn.now_or_never().is_none());
        // The first call waits for its host.
        assert!(first.drive(std::future::pending::<()>()).now_or_never().is_none());
        assert!(second_turn.now_or_never().is_some());
    }
}
