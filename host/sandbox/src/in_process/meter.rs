//! How much time a call has used, and how much it may.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::{CallError, CallLimits};

/// The clocks of one call. CPU time is that of the threads while they poll the call, so that time in which the
/// call waits, or in which the system runs something else, is not counted.
///
/// The first poll is the exception: it counts with the wall time that it takes. It ends with the call or at the next
/// tick, after at most 5 ms, and most calls need no other; asking twice for the thread's clock would cost them more
/// than a microsecond.
///
/// The call is polled by one thread at a time; the numbers are atomic only because it can move between threads.
pub(super) struct Meter {
    limits: (Duration, Duration),
    started: Instant,
    deadline: Instant,
    /// The CPU time of the polls that have ended, in nanoseconds.
    cpu_before: AtomicU64,
    /// What the thread's clock showed when this poll began; [`FIRST_POLL`] in the first.
    poll_started: AtomicU64,
}

/// A time that no thread's clock shows, 584 years.
const FIRST_POLL: u64 = u64::MAX;

impl Meter {
    /// Starts the wall clock. The first poll is expected at once.
    pub(super) fn start(limits: &CallLimits) -> Self {
        let started = Instant::now();
        // A limit of centuries cannot be represented as an instant, and does not have to be.
        let far = Duration::from_secs(365 * 24 * 3600);
        Meter {
            limits: (limits.cpu_time, limits.wall_time),
            started,
            deadline: started + limits.wall_time.min(far),
            cpu_before: AtomicU64::new(0),
            poll_started: AtomicU64::new(FIRST_POLL),
        }
    }

    /// Polls the call to its end and counts the CPU time of each poll.
    pub(super) async fn measure<F: Future>(&self, call: F) -> F::Output {
        let mut call = pin!(call);
        let mut is_first = true;
        poll_fn(|context| {
            if !std::mem::take(&mut is_first) {
                self.poll_started.store(thread_cpu_time(), Relaxed);
            }
            let poll = call.as_mut().poll(context);
            self.cpu_before.fetch_add(self.cpu_of_poll(), Relaxed);
            poll
        })
        .await
    }

    /// To be asked from within a poll: the limit that has been passed, if one has.
    pub(super) fn passed(&self) -> Option<CallError> {
        let (cpu_time, wall_time) = self.limits;
        let cpu = Duration::from_nanos(self.cpu_before.load(Relaxed).saturating_add(self.cpu_of_poll()));
        if cpu >= cpu_time {
            return Some(CallError::CpuLimit { limit: cpu_time });
        }
        (Instant::now() >= self.deadline).then_some(CallError::TimeLimit { limit: wall_time })
    }

    /// To be asked between polls: the CPU time of all polls together.
    pub(super) fn cpu(&self) -> Duration {
        Duration::from_nanos(self.cpu_before.load(Relaxed))
    }

    /// The time since the call started.
    pub(super) fn wall(&self) -> Duration {
        self.started.elapsed()
    }

    /// When the call will be interrupted.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    fn cpu_of_poll(&self) -> u64 {
        match self.poll_started.load(Relaxed) {
            FIRST_POLL => self.started.elapsed().as_nanos() as u64,
            started => thread_cpu_time().saturating_sub(started),
        }
    }
}

/// The CPU time of this thread, in nanoseconds.
fn thread_cpu_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    (time.tv_sec as u64).saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64)
}
