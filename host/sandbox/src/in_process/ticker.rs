//! The clock that interrupts guests.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::Engine;

/// How often running guests are interrupted, so that limits are checked and other calls get their turn. Shorter
/// ticks cost the guest; longer ones cost whoever waits.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// A thread that advances the epoch of an engine every [`TICK`]. It ends when this is dropped.
pub(crate) struct Ticker {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts the thread.
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let engine = engine.clone();
        let thread = std::thread::Builder::new().name("hotcell-epoch".into()).spawn(move || {
            // Nothing is ever sent: the channel ends when the sender is dropped.
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(TICK) {
                engine.increment_epoch();
            }
        })?;
        Ok(Ticker { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread does not panic, and if it did, there would be nothing left to do about it.
            let _ = thread.join();
        }
    }
}
