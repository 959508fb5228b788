//! The reporter: pushes events to a sink, whatever happens to the sink, and never slows or fails a workflow.

mod ledger;
mod requests;
mod session;

use std::collections::BTreeMap;
use std::fmt;
use std::thread;
use std::time::Duration;

use hotcell_machine::ExecutionId;
use tokio::sync::{mpsc, oneshot};

use crate::backoff::Backoff;
use crate::endpoint::{EndpointError, SinkAddress};
use crate::source::EventSource;
use requests::{Flush, Requests};
use session::Session;

/// How a reporter works. The defaults are right for nearly everyone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReporterOptions {
    /// How many events a batch has at most. A batch also ends at 1 MiB. Default: 1,000.
    pub batch_events: usize,
    /// How long a reporter that sent a batch waits for more before it sends the next. The first event after a pause is
    /// sent at once. Default: 10 ms.
    pub batch_interval: Duration,
    /// How many events may be on their way, sent and not acknowledged. Default: 10,000.
    pub unacknowledged_events: usize,
    /// How long a sink may take to acknowledge anything before it counts as broken, and the reporter connects anew.
    /// Default: 30 s.
    pub acknowledgement_timeout: Duration,
    /// How long it waits before it tries again.
    pub backoff: Backoff,
}

impl Default for ReporterOptions {
    fn default() -> Self {
        ReporterOptions {
            batch_events: 1_000,
            batch_interval: Duration::from_millis(10),
            unacknowledged_events: 10_000,
            acknowledgement_timeout: Duration::from_secs(30),
            backoff: Backoff::default(),
        }
    }
}

/// Reports the events of a source to a sink, on a thread of its own, as long as it lives.
///
/// It tries for ever: three attempts quickly, then slower. It keeps an event in its source until the sink has acknowledged
/// it, and after an outage goes on behind the last acknowledged one. An execution of which the sink *refuses* an event
/// (as malformed, or as contradicting what it has) is not reported further; the others are.
///
/// Dropping it ends the reporting at once; [`flush`](Reporter::flush) first.
#[derive(Debug)]
pub struct Reporter {
    flushes: mpsc::UnboundedSender<Flush>,
    url: String,
}

impl Reporter {
    /// Starts to report to the sink at this URL, `http://host:port`. The sink need not be there yet.
    ///
    /// # Errors
    /// If the URL is none, its scheme is not `http`, or no thread can be started.
    pub fn start(source: impl EventSource, url: &str, options: ReporterOptions) -> Result<Self, EndpointError> {
        let address = SinkAddress::parse(url)?;
        let url = address.url().to_owned();
        let failed = |error: std::io::Error| EndpointError::Thread { reason: error.to_string() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (flushes, requests) = mpsc::unbounded_channel();
        let session = Session::new(source, address, options, Requests::new(requests));
        thread::Builder::new()
            .name("hotcell-reporter".to_owned())
            .spawn(move || runtime.block_on(session.run()))
            .map_err(failed)?;
        Ok(Reporter { flushes, url })
    }

    /// Waits until every event that the source has at this moment is acknowledged, and not longer than `timeout`. A
    /// reporter that is waiting for its next attempt makes it at once.
    pub async fn flush(&self, timeout: Duration) -> Flushed {
        let (reply, answer) = oneshot::channel();
        let deadline = tokio::time::Instant::now() + timeout;
        let stopped = || Flushed {
            url: self.url.clone(),
            unreported: BTreeMap::new(),
            problem: Some("the reporter stopped; this is a bug in hotcell".to_owned()),
        };
        if self.flushes.send(Flush::new(deadline, reply)).is_err() {
            return stopped();
        }
        answer.await.unwrap_or_else(|_| stopped())
    }

    /// The URL of the sink.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// What a flush achieved. As text, a sentence for a user.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Flushed {
    /// The URL of the sink.
    pub url: String,
    /// The executions of which the sink did not acknowledge every event. Empty when all is well.
    pub unreported: BTreeMap<ExecutionId, Unreported>,
    /// What went wrong last, as a sentence that says what to do. Present only when not all is well.
    pub problem: Option<String>,
}

/// What of an execution was not reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreported {
    /// The number of the first event that the sink did not acknowledge.
    pub first: u64,
    /// How many it did not acknowledge.
    pub events: u64,
}

impl Flushed {
    /// Whether the sink has acknowledged everything.
    pub fn is_complete(&self) -> bool {
        self.unreported.is_empty() && self.problem.is_none()
    }

    /// How many events the sink has not acknowledged, of all executions.
    pub fn events(&self) -> u64 {
        self.unreported.values().map(|unreported| unreported.events).sum()
    }
}

impl fmt::Display for Flushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_complete() {
            return write!(f, "every progress event was reported to {}", self.url);
        }
        let events = self.events();
        let plural = if events == 1 { "event was" } else { "events were" };
        write!(f, "{events} progress {plural} not reported to {}", self.url)?;
        match self.unreported.len() {
            0 => {}
            1..=3 => {
                let mut separator = " (";
                for (execution, Unreported { first, .. }) in &self.unreported {
                    write!(f, "{separator}execution {execution} from number {first} on")?;
                    separator = ", ";
                }
                f.write_str(")")?;
            }
            executions => write!(f, " (of {executions} executions)")?,
        }
        match &self.problem {
            Some(problem) => write!(f, ": {problem}"),
            None => f.write_str(": the sink was too slow; give it more time"),
        }
    }
}
