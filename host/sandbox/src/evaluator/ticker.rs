//! The clock that interrupts evaluations.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use wasmtime::Engine;

/// How often evaluations are interrupted to look at the time.
const TICK: Duration = Duration::from_millis(5);
/// After so many ticks without any evaluation the thread goes to sleep: an idle host should not wake 200 times a
/// second. One second.
const IDLE_TICKS: u32 = 200;

/// A thread that advances the epoch of an engine as long as something is evaluated. It ends when this is dropped.
pub(super) struct Ticker {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    running: AtomicUsize,
    asleep: AtomicBool,
    stopped: AtomicBool,
    lock: Mutex<()>,
    wake: Condvar,
}

impl Ticker {
    /// Starts the thread.
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (engine, thread) = (engine.clone(), Arc::clone(&shared));
        std::thread::Builder::new().name("hotcell-evaluator-epoch".into()).spawn(move || thread.tick(&engine))?;
        Ok(Ticker { shared })
    }

    /// Makes sure that the clock ticks until the guard is dropped.
    pub(super) fn watch(&self) -> Watch<'_> {
        self.shared.running.fetch_add(1, SeqCst);
        // The thread looks at `running` after it has said that it sleeps, so that one of the two sees the other.
        if self.shared.asleep.load(SeqCst) {
            self.shared.wake();
        }
        Watch(&self.shared)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stopped.store(true, SeqCst);
        self.shared.wake();
    }
}

/// As long as it lives, the clock ticks.
pub(super) struct Watch<'t>(&'t Shared);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
    }
}

impl Shared {
    fn tick(&self, engine: &Engine) {
        let mut idle = 0;
        while !self.stopped.load(SeqCst) {
            std::thread::sleep(TICK);
            engine.increment_epoch();
            idle = if self.running.load(SeqCst) == 0 { idle + 1 } else { 0 };
            if idle == IDLE_TICKS {
                self.sleep();
                idle = 0;
            }
        }
    }

    fn sleep(&self) {
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.asleep.store(true, SeqCst);
        while self.running.load(SeqCst) == 0 && !self.stopped.load(SeqCst) {
            guard = self.wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        self.asleep.store(false, SeqCst);
    }

    fn wake(&self) {
        let _guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.wake.notify_one();
    }
}
