//! Watching a sink from the client side, across its outages.

use std::collections::{HashMap, VecDeque};

use futures::{Stream, stream};
use hotcell_machine::{Event, ExecutionId};
use tonic::{Code, Status, Streaming};

use crate::backoff::Backoff;
use crate::decode::{InvalidEvent, decode};
use crate::endpoint::{EndpointError, SinkAddress};
use crate::proto::{WatchRequest, WatchResponse};

/// What to watch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watch {
    /// The execution to watch. Default: all.
    pub execution: Option<ExecutionId>,
    /// The number of the first event wanted of the execution. Default: 0, which means 1. A sink refuses a higher one in a
    /// watch of all.
    pub from_sequence: u64,
    /// End after what the sink has stored. Default: go on with what comes; a watch of one execution ends after its last
    /// event.
    pub stored_only: bool,
    /// How long to wait before each attempt to reconnect. Only a connection that was there once is tried again.
    pub backoff: Backoff,
}

/// Why there is no event.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WatchError {
    /// The sink cannot be reached, or refused. The watch ends.
    #[error("{0}")]
    Failed(String),
    /// The connection broke; the watch goes on behind the last event as soon as the sink is back.
    #[error("{0}; waiting for it to come back")]
    Interrupted(String),
    /// The sink sent something that is no event. The watch ends.
    #[error("the sink sent something that this version of hotcell does not understand: {0}")]
    Invalid(#[from] InvalidEvent),
}

impl WatchError {
    /// Whether the watch goes on after this.
    pub fn is_temporary(&self) -> bool {
        matches!(self, WatchError::Interrupted(_))
    }
}

/// Watches the executions of a sink: each event once, in the order of its numbers within its execution. After an outage of
/// the sink, it goes on where it was; [`WatchError::Interrupted`] says so, once for each outage. The stream ends after any
/// other error, after the last event of the execution that is watched, or when all that is stored was given.
///
/// # Errors
/// If the URL is none.
pub fn watch(
    url: &str,
    watch: Watch,
) -> Result<impl Stream<Item = Result<Event, WatchError>> + Send + Unpin + use<>, EndpointError> {
    let watching = Watching {
        address: SinkAddress::parse(url)?,
        watch,
        connection: None,
        was_connected: false,
        failures: 0,
        cursor: String::new(),
        seen: HashMap::new(),
        ready: VecDeque::new(),
        ended: false,
    };
    Ok(Box::pin(stream::unfold(watching, |mut watching| async move { Some((watching.next().await?, watching)) })))
}

struct Watching {
    address: SinkAddress,
    watch: Watch,
    connection: Option<Streaming<WatchResponse>>,
    /// Whether the sink ever answered.
    was_connected: bool,
    failures: u32,
    /// Where a watch of all executions goes on.
    cursor: String,
    /// The highest number seen, of each execution. Kept after their ends as well: a sink whose store was lost may be
    /// told everything anew.
    seen: HashMap<ExecutionId, u64>,
    ready: VecDeque<Event>,
    ended: bool,
}

impl Watching {
    async fn next(&mut self) -> Option<Result<Event, WatchError>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.ended |= self.watch.execution.is_some() && event.kind.is_last();
                return Some(Ok(event));
            }
            if self.ended {
                return None;
            }
            match self.receive().await {
                Ok(true) => {}
                Ok(false) => self.ended = true,
                Err(error) => {
                    self.ended = !error.is_temporary();
                    self.connection = None;
                    if error.is_temporary() && self.failures > 1 {
                        continue;
                    }
                    return Some(Err(error));
                }
            }
        }
    }

    /// Gets events ready; `false` when there will be none.
    async fn receive(&mut self) -> Result<bool, WatchError> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => {
                let connection = self.connect().await?;
                self.connection.insert(connection)
            }
        };
        match connection.message().await {
            Ok(Some(response)) => {
                self.failures = 0;
                self.take(response)?;
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(status) => Err(self.failed(&status)),
        }
    }

    async fn connect(&mut self) -> Result<Streaming<WatchResponse>, WatchError> {
        if self.failures > 0 {
            tokio::time::sleep(self.watch.backoff.wait(self.failures)).await;
        }
        let mut client = match self.address.connect().await {
            Ok(client) => client,
            Err(problem) => return Err(self.unreachable(problem)),
        };
        let request = self.request();
        match client.watch(request).await {
            Ok(response) => {
                self.was_connected = true;
                Ok(response.into_inner())
            }
            Err(status) => Err(self.failed(&status)),
        }
    }

    fn request(&self) -> WatchRequest {
        let execution = self.watch.execution.as_ref();
        let from_sequence = match execution.and_then(|execution| self.seen.get(execution)) {
            Some(seen) => seen + 1,
            // Which is where a watch of all begins anyway.
            None if execution.is_none() && self.watch.from_sequence == 1 => 0,
            None => self.watch.from_sequence,
        };
        WatchRequest {
            execution: execution.map(|execution| execution.as_str().to_owned()),
            from_sequence,
            cursor: self.cursor.clone(),
            stored_only: self.watch.stored_only,
        }
    }

    fn take(&mut self, response: WatchResponse) -> Result<(), WatchError> {
        for event in response.events {
            let event = decode(event)?;
            let seen = self.seen.entry(event.execution.clone()).or_default();
            if event.sequence > *seen {
                *seen = event.sequence;
                self.ready.push_back(event);
            }
        }
        self.cursor = response.cursor;
        Ok(())
    }

    fn unreachable(&mut self, problem: String) -> WatchError {
        self.failures = self.failures.saturating_add(1);
        if self.was_connected { WatchError::Interrupted(problem) } else { WatchError::Failed(problem) }
    }

    fn failed(&mut self, status: &Status) -> WatchError {
        let problem = self.address.explain(status);
        match status.code() {
            Code::InvalidArgument
            | Code::NotFound
            | Code::Unimplemented
            | Code::DataLoss
            | Code::OutOfRange
            | Code::PermissionDenied
            | Code::Unauthenticated => WatchError::Failed(problem),
            _ => self.unreachable(problem),
        }
    }
}
