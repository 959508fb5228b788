//! The host's record of a call that runs in a worker: what it may still say, and who is told of its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::pool::Seat;
use super::wire::{Nonsense, Outcome};
use crate::in_process::{json, logs};
use crate::{Call, CallEnd, CallError, CallLimits, Host, LOG_LINE_OVERHEAD, LogLevel, LogStream, PayloadKind, Usage};

/// Making a text printable makes it at most three times as long.
const PRINTABLE: usize = 3;
/// JSON that is written again is at most so many times as long: `1e9` becomes `1000000000.0`.
const WRITTEN_AGAIN: usize = 8;
/// hotcell's own remarks in a call's log.
const REMARKS: usize = 16;
/// How many reports more than its limit says the clock of a worker may allow.
const REPORTS_SPARE: u64 = 16;

/// How it went on with a call in a worker.
pub(super) enum Ending {
    /// It ended.
    Ended(CallEnd),
    /// The worker was lost before it did.
    Lost(String),
}

/// A call that a worker has.
pub(super) struct OpenCall {
    host: Arc<dyn Host>,
    /// What the caller's futures run on.
    runtime: Handle,
    limits: CallLimits,
    started: Instant,
    /// When it is over at the latest. A worker that has it longer hangs.
    deadline: Instant,
    /// Nobody, once the call is cancelled.
    waiting: Option<oneshot::Sender<Ending>>,
    /// What answers its question.
    answering: Option<AbortHandle>,
    log_bytes_left: usize,
    remarks_left: usize,
    reports: u64,
    report_bytes_left: usize,
    /// Its place in the worker, which is free again when the worker says so.
    seat: Option<Seat>,
}

impl OpenCall {
    pub(super) fn new(
        call: &Call,
        host: Arc<dyn Host>,
        runtime: Handle,
        waiting: oneshot::Sender<Ending>,
        seat: Seat,
    ) -> Self {
        let limits = call.limits;
        let far = Duration::from_secs(365 * 24 * 3600);
        OpenCall {
            host,
            runtime,
            started: Instant::now(),
            deadline: Instant::now() + limits.wall_time.min(far),
            waiting: Some(waiting),
            answering: None,
            log_bytes_left: limits.log_bytes.saturating_mul(PRINTABLE).saturating_add(1 << 10),
            remarks_left: REMARKS,
            reports: 0,
            report_bytes_left: limits.payload.saturating_mul(WRITTEN_AGAIN),
            limits,
            seat: Some(seat),
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Nobody waits for it any more. What it still says is not heard.
    pub(super) fn cancel(&mut self) {
        self.waiting = None;
        self.deadline = Instant::now();
        if let Some(answering) = self.answering.take() {
            answering.abort();
        }
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.waiting.is_none()
    }

    pub(super) fn host(&self) -> (Arc<dyn Host>, Handle) {
        (Arc::clone(&self.host), self.runtime.clone())
    }

    /// It asks something. A call stands still until it is answered, and cannot ask twice.
    pub(super) fn asks(&mut self, answering: AbortHandle) -> Result<(), Nonsense> {
        match self.answering.replace(answering) {
            None => Ok(()),
            Some(_) => Err(Nonsense("a call asks before it is answered")),
        }
    }

    pub(super) fn is_asking(&self) -> bool {
        self.answering.is_some()
    }

    pub(super) fn is_answered(&mut self) {
        self.answering = None;
    }

    /// It writes a line. Its cell has cut and cleaned it already, if it still is hotcell's.
    pub(super) fn logs(&mut self, level: LogLevel, stream: LogStream, message: String) -> Result<(), Nonsense> {
        if message.len() > logs::MAX_LINE * PRINTABLE {
            return Err(Nonsense("a line is too long"));
        }
        let too_much = Nonsense("a call logs more than it may");
        match stream {
            LogStream::Host => self.remarks_left = self.remarks_left.checked_sub(1).ok_or(too_much)?,
            _ => {
                let bytes = message.len() + LOG_LINE_OVERHEAD;
                self.log_bytes_left = self.log_bytes_left.checked_sub(bytes).ok_or(too_much)?;
            }
        }
        if !self.is_cancelled() {
            self.host.log(level, stream, logs::sanitised(&message));
        }
        Ok(())
    }

    /// It tells how far it is.
    pub(super) fn reports(
        &mut self,
        fraction: Option<f64>,
        message: Option<String>,
        data: Option<String>,
    ) -> Result<(), Nonsense> {
        self.reports += 1;
        let allowed = u64::from(self.limits.reports) + self.started.elapsed().as_millis() as u64 / 100 + REPORTS_SPARE;
        let bytes = message.as_ref().map_or(0, String::len) + data.as_ref().map_or(0, String::len);
        let left = self.report_bytes_left.checked_sub(bytes);
        let (true, Some(left)) = (self.reports <= allowed, left) else {
            return Err(Nonsense("a call reports more than it may"));
        };
        self.report_bytes_left = left;
        let data = match data {
            Some(text) => Some(
                json::read(PayloadKind::Report, &text, self.limits.payload_values)
                    .map_err(|_| Nonsense("a report is no JSON"))?,
            ),
            None => None,
        };
        if !self.is_cancelled() {
            let fraction = fraction.filter(|fraction| !fraction.is_nan()).map(|fraction| fraction.clamp(0.0, 1.0));
            self.host.report(fraction, message.map(|message| logs::sanitised(&message)), data);
        }
        Ok(())
    }

    /// It has ended, as the worker says.
    pub(super) fn ended(mut self, outcome: Outcome, usage: Usage) -> Result<(), Nonsense> {
        let end = self.checked(outcome)?;
        let Some(waiting) = self.waiting.take() else { return Ok(()) };
        let Some(result) = end else { return Err(Nonsense("it cancels calls by itself")) };
        // Whoever waits finds the place free.
        self.seat = None;
        let _ = waiting.send(Ending::Ended(CallEnd { result, usage }));
        Ok(())
    }

    /// What the outcome says, if it is what a cell may say.
    fn checked(&self, outcome: Outcome) -> Result<Option<Result<serde_json::Value, CallError>>, Nonsense> {
        let longest = self.limits.payload.saturating_mul(WRITTEN_AGAIN).saturating_add(64 << 10);
        match outcome {
            Outcome::Cancelled => Ok(None),
            Outcome::Output(text) | Outcome::Failed(text) if text.len() > longest => {
                Err(Nonsense("the end of a call is too long"))
            }
            Outcome::Output(text) => Ok(Some(json::read(PayloadKind::Output, &text, self.limits.payload_values))),
            Outcome::Failed(text) => {
                let values = self.limits.payload_values.saturating_add(1 << 10);
                let error = json::read(PayloadKind::Output, &text, values)
                    .ok()
                    .and_then(|error| serde_json::from_value(error).ok())
                    .ok_or(Nonsense("a call ends with an error that there is not"))?;
                Ok(Some(Err(error)))
            }
        }
    }

    /// Its worker was lost.
    pub(super) fn lost(mut self, reason: &str) {
        if let Some(waiting) = self.waiting.take() {
            let _ = waiting.send(Ending::Lost(reason.to_owned()));
        }
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        if let Some(answering) = self.answering.take() {
            answering.abort();
        }
    }
}
