//! The life of a reporter: connect, stream, wait, and again.

use std::pin::Pin;
use std::time::Duration;

use futures::{Stream, StreamExt, TryStreamExt, stream};
use hotcell_machine::ExecutionId;
use prost::Message;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tonic::transport::Channel;

use super::ledger::Ledger;
use super::requests::{Asked, Requests};
use super::{Flushed, ReporterOptions};
use crate::encode::encode;
use crate::endpoint::SinkAddress;
use crate::proto::progress_service_client::ProgressServiceClient;
use crate::proto::{REFUSAL_METADATA, Refusal, ReportRequest, ReportResponse};
use crate::source::EventSource;

/// How many bytes of events a batch has at most, unless it is a single event.
const BATCH_BYTES: usize = 1 << 20;
/// How many batches wait in this process for the connection to take them.
const WAITING_BATCHES: usize = 2;

/// Why a stream ended.
enum Broken {
    /// Try again after a pause. With what went wrong.
    Failed(String),
    /// Try again at once: an execution was given up.
    Refused,
    /// Nobody has the reporter any more.
    Stop,
}

/// A running reporter.
pub(super) struct Session<S> {
    source: S,
    address: SinkAddress,
    options: ReporterOptions,
    requests: Requests,
    ledger: Ledger,
    /// How often in a row it failed.
    failures: u32,
    problem: Option<String>,
}

impl<S: EventSource> Session<S> {
    pub(super) fn new(source: S, address: SinkAddress, options: ReporterOptions, requests: Requests) -> Self {
        let ledger = Ledger::new(source.start());
        let options = ReporterOptions {
            batch_events: options.batch_events.max(1),
            unacknowledged_events: options.unacknowledged_events.max(1),
            ..options
        };
        Session { source, address, options, requests, ledger, failures: 0, problem: None }
    }

    pub(super) async fn run(mut self) {
        loop {
            match self.connect_and_stream().await {
                Broken::Stop => return,
                Broken::Refused => {
                    self.source.release(self.ledger.settled());
                    self.ledger.rewind();
                    self.answer().await;
                }
                Broken::Failed(problem) => {
                    self.ledger.rewind();
                    self.failures = self.failures.saturating_add(1);
                    self.tell(problem);
                    if self.pause().await == Asked::Stop {
                        return;
                    }
                }
            }
        }
    }

    /// Says what went wrong, once for each outage.
    fn tell(&mut self, problem: String) {
        if self.failures == 1 {
            tracing::warn!(sink = self.address.url(), "progress is not reported at the moment: {problem}");
        }
        self.problem = Some(problem);
    }

    /// Waits for the next attempt, or until a flush asks for one.
    async fn pause(&mut self) -> Asked {
        let mut until = Instant::now() + self.options.backoff.wait(self.failures);
        if self.requests.is_urgent() {
            // Who waits for a flush wants quick attempts, but not a loop without pauses.
            until = until.min(Instant::now() + self.options.backoff.quick[1]);
        }
        loop {
            self.answer().await;
            tokio::select! {
                () = sleep_until(until) => return Asked::Deadline,
                asked = self.requests.next() => match asked {
                    Asked::Deadline => {}
                    Asked::Flush | Asked::Stop => {
                        self.answer().await;
                        return asked;
                    }
                },
            }
        }
    }

    /// Waits for something to report, connects, and reports until it breaks.
    async fn connect_and_stream(&mut self) -> Broken {
        loop {
            self.answer().await;
            let Session { source, requests, ledger, .. } = self;
            tokio::select! {
                has_more = source.ready(ledger.next()) => {
                    if has_more {
                        break;
                    }
                    // The source is closed and everything is reported. Flushes are still answered.
                    if requests.next().await == Asked::Stop {
                        return Broken::Stop;
                    }
                }
                asked = requests.next() => if asked == Asked::Stop {
                    return Broken::Stop;
                },
            }
        }
        let client = loop {
            let Session { requests, address, .. } = self;
            tokio::select! {
                client = address.connect() => match client {
                    Ok(client) => break client,
                    Err(problem) => return Broken::Failed(problem),
                },
                asked = requests.next() => if asked == Asked::Stop {
                    return Broken::Stop;
                },
            }
            self.answer().await;
        };
        self.stream(client).await
    }

    /// Reports on one stream until it breaks.
    async fn stream(&mut self, mut client: ProgressServiceClient<Channel>) -> Broken {
        let (batches, outgoing) = mpsc::channel(WAITING_BATCHES);
        let mut responses: Pin<Box<dyn Stream<Item = Result<ReportResponse, Status>> + Send>> = Box::pin(
            // A sink may answer the call only after it has got something, so its answer is not waited for.
            stream::once(async move { client.report(ReceiverStream::new(outgoing)).await })
                .map_ok(tonic::Response::into_inner)
                .try_flatten(),
        );
        let mut not_before = Instant::now();
        let mut patience = Instant::now() + self.options.acknowledgement_timeout;
        loop {
            self.answer().await;
            let has_room = self.ledger.unsettled() < self.options.unacknowledged_events;
            let is_waiting = self.ledger.unsettled() > 0;
            let urgent = self.requests.is_urgent();
            let Session { source, requests, ledger, options, .. } = self;
            let next = ledger.next();
            tokio::select! {
                biased;
                asked = requests.next() => if asked == Asked::Stop {
                    return Broken::Stop;
                },
                response = responses.next() => match response {
                    Some(Ok(response)) => {
                        if self.acknowledge(response) {
                            patience = Instant::now() + self.options.acknowledgement_timeout;
                        }
                    }
                    Some(Err(status)) => return self.broken_by(&status),
                    None => return Broken::Failed(format!("{} ended the stream", self.address.url())),
                },
                permit = turn_to_send(&batches, source, next, has_room, options, not_before, urgent) => {
                    let Some(permit) = permit else { continue };
                    let batch = self.next_batch().await;
                    if batch.events.is_empty() {
                        continue;
                    }
                    if !is_waiting {
                        patience = Instant::now() + self.options.acknowledgement_timeout;
                    }
                    permit.send(batch);
                    not_before = Instant::now() + self.options.batch_interval;
                }
                () = sleep_until(patience), if is_waiting => {
                    return Broken::Failed(format!(
                        "{} acknowledged nothing for {:?}", self.address.url(), self.options.acknowledgement_timeout
                    ));
                }
            }
        }
    }

    /// Takes the next events from the source, and leaves out those that need not be sent.
    async fn next_batch(&mut self) -> ReportRequest {
        let room = self.options.unacknowledged_events - self.ledger.unsettled();
        let limit = self.options.batch_events.min(room).max(1);
        let mut batch = ReportRequest::default();
        let mut bytes = 0;
        for event in self.source.read(self.ledger.next(), limit).await {
            let encoded = encode(&event);
            bytes += encoded.encoded_len();
            if bytes > BATCH_BYTES && !batch.events.is_empty() {
                break;
            }
            if self.ledger.enter(&event) {
                batch.events.push(encoded);
            }
        }
        if self.ledger.settle_entered() {
            self.source.release(self.ledger.settled());
        }
        batch
    }

    /// Notes what the sink has stored. Returns whether that is more than before.
    fn acknowledge(&mut self, response: ReportResponse) -> bool {
        let mut settled = false;
        for acknowledgement in response.acknowledgements {
            let execution = ExecutionId::new(acknowledgement.execution);
            settled |= self.ledger.acknowledge(&execution, acknowledgement.sequence);
        }
        if settled {
            self.source.release(self.ledger.settled());
            if self.failures > 0 {
                tracing::info!(sink = self.address.url(), "progress is reported again");
            }
            self.failures = 0;
            self.problem = None;
        }
        settled
    }

    /// What the end of a stream means.
    fn broken_by(&mut self, status: &Status) -> Broken {
        if let Some(refusal) = refusal(status) {
            let execution = ExecutionId::new(refusal.execution);
            let reason = self.address.explain(status);
            if self.ledger.refuse(&execution, refusal.sequence, reason.clone()) {
                tracing::warn!(%execution, "progress of the execution is not reported any more: {reason}");
                return Broken::Refused;
            }
        }
        Broken::Failed(self.address.explain(status))
    }

    /// Takes on the flushes that have come, and answers those that are done.
    async fn answer(&mut self) {
        let (settled, end) = (self.ledger.settled(), self.source.end());
        self.requests.take_on(end);
        if !self.requests.is_due(settled) {
            return;
        }
        let limit = usize::try_from(end.saturating_sub(settled)).unwrap_or(usize::MAX);
        let left = self.source.read(settled, limit).await;
        let Session { requests, ledger, address, problem, .. } = self;
        requests.answer(settled, |until| {
            let count = usize::try_from(until.saturating_sub(settled)).unwrap_or(usize::MAX);
            let unreported = ledger.unreported(left.iter().take(count).map(|event| &**event));
            let problem = if unreported.is_empty() {
                None
            } else {
                problem.clone().or_else(|| ledger.refusal().map(str::to_owned))
            };
            Flushed { url: address.url().to_owned(), unreported, problem }
        });
    }
}

/// Waits until a batch may and should be sent: there is an event, there is room for it, and the last batch was sent a
/// while ago, or there is enough for a full one. `None` when the source is closed and read to its end, after a while.
async fn turn_to_send<'a, S: EventSource>(
    batches: &'a mpsc::Sender<ReportRequest>,
    source: &mut S,
    next: u64,
    has_room: bool,
    options: &ReporterOptions,
    not_before: Instant,
    urgent: bool,
) -> Option<mpsc::Permit<'a, ReportRequest>> {
    if !has_room {
        return std::future::pending().await;
    }
    if !source.ready(next).await {
        return std::future::pending().await;
    }
    let is_full = source.end().saturating_sub(next) >= options.batch_events as u64;
    if !urgent && !is_full {
        sleep_until(not_before).await;
    }
    match batches.reserve().await {
        Ok(permit) => Some(permit),
        Err(_) => {
            // The call has ended; its answer, which says why, is about to come.
            sleep(Duration::from_millis(10)).await;
            None
        }
    }
}

/// The refusal of an event that a status carries.
fn refusal(status: &Status) -> Option<Refusal> {
    let bytes = status.metadata().get_bin(REFUSAL_METADATA)?.to_bytes().ok()?;
    Refusal::decode(bytes).ok()
}
