//! The life of a publisher: read, send, wait, and again.

use std::collections::VecDeque;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Published, Sink};
use crate::backoff::Backoff;
use crate::lifecycle::{Lifecycle, LifecycleEvent};
use crate::source::EventSource;

/// How many progress events are read at once.
const BATCH: usize = 256;

/// Events that go out, and what became of those before them.
#[derive(Default)]
pub(super) struct Outgoing {
    pub(super) waiting: VecDeque<LifecycleEvent>,
    pub(super) delivered: u64,
    pub(super) refused: u64,
    /// Why the last event was refused.
    pub(super) refusal: Option<String>,
}

/// A running publisher.
pub(super) struct Session<S> {
    source: S,
    lifecycle: Lifecycle,
    sink: Sink,
    name: String,
    backoff: Backoff,
    deadlines: watch::Receiver<Option<Instant>>,
    /// The position of the next event to read.
    position: u64,
    outgoing: Outgoing,
    /// What went wrong last, if nothing has gone well since.
    problem: Option<String>,
}

impl<S: EventSource> Session<S> {
    pub(super) fn new(
        source: S,
        lifecycle: Lifecycle,
        sink: Sink,
        name: String,
        backoff: Backoff,
        deadlines: watch::Receiver<Option<Instant>>,
    ) -> Self {
        let position = source.start();
        let outgoing = Outgoing::default();
        Session { source, lifecycle, sink, name, backoff, deadlines, position, outgoing, problem: None }
    }

    pub(super) async fn run(mut self) -> Published {
        let deadlines = self.deadlines.clone();
        tokio::select! {
            () = self.publish() => {}
            () = over(deadlines) => self.read_rest().await,
        }
        let Outgoing { waiting, delivered, refused, refusal } = self.outgoing;
        let problem = self.problem.or(refusal);
        Published { sink: self.name, delivered, refused, left: waiting.len() as u64, problem }
    }

    /// Publishes until the source is closed and read to its end.
    async fn publish(&mut self) {
        while self.source.ready(self.position).await {
            self.read().await;
            self.send().await;
            self.source.release(self.position);
        }
    }

    async fn read(&mut self) {
        for event in self.source.read(self.position, BATCH).await {
            self.position += 1;
            self.outgoing.waiting.extend(self.lifecycle.apply(&event));
        }
    }

    /// Sends what waits, and tries again until it has been sent.
    async fn send(&mut self) {
        let mut failures = 0_u32;
        while !self.outgoing.waiting.is_empty() {
            let before = self.outgoing.waiting.len();
            let sent = match &mut self.sink {
                Sink::Http(sink) => sink.send(&mut self.outgoing).await,
                Sink::File(sink) => sink.send(&mut self.outgoing),
            };
            let Err(problem) = sent else { break };
            failures = if self.outgoing.waiting.len() < before { 1 } else { failures.saturating_add(1) };
            if self.problem.is_none() {
                tracing::warn!(sink = self.name, "lifecycle events are not published at the moment: {problem}");
            }
            self.problem = Some(problem);
            self.pause(failures).await;
        }
        if self.problem.take().is_some() {
            tracing::info!(sink = self.name, "lifecycle events are published again");
        }
    }

    /// Waits for the next attempt. Who waits for the end wants quick attempts, but not a loop without pauses.
    async fn pause(&mut self, failures: u32) {
        let wait = self.backoff.wait(failures);
        let quick = wait.min(self.backoff.quick[1]);
        if self.deadlines.borrow().is_some() {
            return sleep(quick).await;
        }
        tokio::select! {
            () = sleep(wait) => {}
            changed = self.deadlines.changed() => if changed.is_err() {
                sleep(quick).await;
            },
        }
    }

    /// Counts what is left.
    async fn read_rest(&mut self) {
        while self.position < self.source.end() {
            self.read().await;
        }
    }
}

/// When the time to finish is over, or nobody has the publisher any more.
async fn over(mut deadlines: watch::Receiver<Option<Instant>>) {
    let Ok(deadline) = deadlines.wait_for(Option::is_some).await.map(|deadline| *deadline) else { return };
    if let Some(deadline) = deadline {
        sleep_until(deadline).await;
    }
}
