//! Taking in what a reporter sends.

use std::collections::HashMap;
use std::pin::Pin;

use futures::{Stream, stream};
use hotcell_machine::ExecutionId;
use prost::Message;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tonic::metadata::MetadataValue;
use tonic::{Code, Status, Streaming};

use super::{Limits, going_down};
use crate::decode::{InvalidEvent, decode};
use crate::proto::{self, Acknowledgement, REFUSAL_METADATA, Refusal, ReportRequest, ReportResponse};
use crate::store::{Contradiction, Record, Store};

pub(super) type ReportStream = Pin<Box<dyn Stream<Item = Result<ReportResponse, Status>> + Send>>;

/// Of how many executions a stream remembers which number comes next. Beyond it, it forgets all of them and the next
/// event of each counts as its first on the stream, which only makes it more lenient about gaps.
const MAX_REMEMBERED: usize = 10_000;

/// The acknowledgements of a stream of reports. It takes in the next message when the last answer was taken out, so a
/// stream never holds more than one message, and a client that does not read is not read from.
pub(super) fn acknowledge(
    requests: Streaming<ReportRequest>,
    store: Store,
    limits: Limits,
    stopping: watch::Receiver<bool>,
    permit: OwnedSemaphorePermit,
) -> ReportStream {
    let intake = Intake { requests, store, limits, stopping, next: HashMap::new(), end: None, _permit: permit };
    Box::pin(stream::unfold(intake, |mut intake| async move { Some((intake.answer().await?, intake)) }))
}

struct Intake {
    requests: Streaming<ReportRequest>,
    store: Store,
    limits: Limits,
    stopping: watch::Receiver<bool>,
    /// The number that comes next, of each execution that was reported on this stream and has not ended.
    next: HashMap<ExecutionId, u64>,
    /// What remains to be said before the end of the stream.
    end: Option<End>,
    _permit: OwnedSemaphorePermit,
}

enum End {
    With(Status),
    Silent,
}

impl Intake {
    /// The next answer, `None` at the end.
    async fn answer(&mut self) -> Option<Result<ReportResponse, Status>> {
        match self.end.replace(End::Silent) {
            Some(End::With(status)) => return Some(Err(status)),
            Some(End::Silent) => return None,
            None => self.end = None,
        }
        let request = tokio::select! {
            biased;
            _ = self.stopping.wait_for(|stopping| *stopping) => Err(going_down()),
            request = self.requests.message() => request,
        };
        let result = match request {
            Ok(Some(request)) => self.take_in(request).await,
            Ok(None) => {
                self.end = Some(End::Silent);
                return None;
            }
            Err(status) => Err(status),
        };
        if result.is_err() {
            self.end = Some(End::Silent);
        }
        Some(result)
    }

    /// Stores the events of a message up to the first that is refused. If there are any before it, they are acknowledged
    /// first, and the refusal follows.
    async fn take_in(&mut self, request: ReportRequest) -> Result<ReportResponse, Status> {
        let mut records = Vec::with_capacity(request.events.len());
        let mut refusal = None;
        for event in request.events {
            match self.accept(event) {
                Ok(record) => records.push(record),
                Err(status) => {
                    refusal = Some(status);
                    break;
                }
            }
        }
        let appended = self.store.append(records, self.limits.executions).await?;
        let refusal = appended.contradiction.map(contradicting).or(refusal);
        let acknowledgements: Vec<_> = appended
            .acknowledged
            .into_iter()
            .map(|(execution, sequence)| Acknowledgement { execution: execution.as_str().to_owned(), sequence })
            .collect();
        match refusal {
            Some(status) if acknowledgements.is_empty() => return Err(status),
            Some(status) => self.end = Some(End::With(status)),
            None => {}
        }
        Ok(ReportResponse { acknowledgements })
    }

    /// Checks one event and its place in the stream.
    fn accept(&mut self, event: proto::Event) -> Result<Record, Status> {
        let body = event.encode_to_vec();
        if body.len() > self.limits.event_bytes {
            let reason =
                format!("it has {} bytes, more than the sink's limit of {}", body.len(), self.limits.event_bytes);
            let execution = event.execution.chars().take(256).collect();
            return Err(refused(Code::InvalidArgument, execution, event.sequence, reason));
        }
        let event = decode(event).map_err(|InvalidEvent { execution, sequence, reason }| {
            refused(Code::InvalidArgument, execution, sequence, format!("it is malformed: {reason}"))
        })?;
        let is_last = event.kind.is_last();
        let record =
            Record { sequence: event.sequence, event: event.kind.name(), is_last, body, execution: event.execution };
        self.check_order(&record)?;
        Ok(record)
    }

    /// Events of an execution come one after the other; repeating some is harmless.
    fn check_order(&mut self, record: &Record) -> Result<(), Status> {
        if let Some(next) = self.next.get_mut(&record.execution) {
            if record.sequence > *next {
                let reason = format!("event {next} was to come on this stream; send the events in order, without gaps");
                let execution = record.execution.as_str().to_owned();
                return Err(refused(Code::FailedPrecondition, execution, record.sequence, reason));
            }
            *next = record.sequence + 1;
            if record.is_last {
                self.next.remove(&record.execution);
            }
        } else if !record.is_last {
            if self.next.len() >= MAX_REMEMBERED {
                self.next.clear();
            }
            self.next.insert(record.execution.clone(), record.sequence + 1);
        }
        Ok(())
    }
}

fn contradicting(contradiction: Contradiction) -> Status {
    let Contradiction { execution, sequence, reason } = contradiction;
    refused(Code::AlreadyExists, execution.as_str().to_owned(), sequence, reason)
}

/// A status that says which event is refused, for people and for programs.
fn refused(code: Code, execution: String, sequence: u64, reason: String) -> Status {
    let message = format!("event {sequence} of execution {execution:?} is refused: {reason}");
    let refusal = Refusal { execution, sequence, reason };
    let mut status = Status::new(code, message);
    status.metadata_mut().insert_bin(REFUSAL_METADATA, MetadataValue::from_bytes(&refusal.encode_to_vec()));
    status
}
