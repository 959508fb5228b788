//! What is asked of a running reporter: to flush, and to end.

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::Flushed;

/// A flush that somebody waits for.
#[derive(Debug)]
pub(super) struct Flush {
    deadline: Instant,
    reply: oneshot::Sender<Flushed>,
    /// The position in the source up to which it waits. Set when the reporter takes it on.
    until: Option<u64>,
}

impl Flush {
    pub(super) fn new(deadline: Instant, reply: oneshot::Sender<Flushed>) -> Self {
        Flush { deadline, reply, until: None }
    }

    fn is_due(&self, settled: u64, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= settled) || self.deadline <= now
    }
}

/// Something that is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Report what there is without delay.
    Flush,
    /// The time of a flush is up.
    Deadline,
    /// Stop: nobody has the reporter any more.
    Stop,
}

/// The flushes that are waited for, and those that come.
pub(super) struct Requests {
    coming: mpsc::UnboundedReceiver<Flush>,
    waiting: Vec<Flush>,
}

impl Requests {
    pub(super) fn new(coming: mpsc::UnboundedReceiver<Flush>) -> Self {
        Requests { coming, waiting: Vec::new() }
    }

    /// Waits until something is asked. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Asked {
        let earliest = self.waiting.iter().map(|flush| flush.deadline).min();
        let deadline = async {
            match earliest {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            coming = self.coming.recv() => match coming {
                Some(flush) => {
                    self.waiting.push(flush);
                    Asked::Flush
                }
                None => Asked::Stop,
            },
            () = deadline => Asked::Deadline,
        }
    }

    /// Whether somebody waits for a flush.
    pub(super) fn is_urgent(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes on the flushes that have come: they wait for what there is before `end`.
    pub(super) fn take_on(&mut self, end: u64) {
        for flush in &mut self.waiting {
            flush.until.get_or_insert(end);
        }
    }

    /// Whether a flush can be answered, as everything before `settled` is, or its time is up.
    pub(super) fn is_due(&self, settled: u64) -> bool {
        let now = Instant::now();
        self.waiting.iter().any(|flush| flush.is_due(settled, now))
    }

    /// Answers the flushes that have what they wait for, as everything before `settled` is, and those whose time is up.
    pub(super) fn answer(&mut self, settled: u64, outcome: impl Fn(u64) -> Flushed) {
        let now = Instant::now();
        for flush in self.waiting.extract_if(.., |flush| flush.is_due(settled, now)) {
            // Nobody waits for the answer any more if this fails.
            let _ = flush.reply.send(outcome(flush.until.unwrap_or(settled)));
        }
    }
}
