//! Ctrl-C and SIGTERM.

use std::io;

/// Someone who wants the program to end.
pub(crate) struct Interruptions {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
}

impl Interruptions {
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Interruptions {
            #[cfg(unix)]
            signals: {
                use tokio::signal::unix::{SignalKind, signal};
                [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?]
            },
        })
    }

    /// Waits for the next one.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) {
        let [interrupt, terminate] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }

    /// Waits for the next one.
    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
