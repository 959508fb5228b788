//! The publisher: sends lifecycle events to a sink, whatever happens to the sink, and never slows or fails a workflow.

mod file;
mod http;
mod session;

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tokio_rustls::rustls::ClientConfig;

use crate::backoff::Backoff;
use crate::lifecycle::Lifecycle;
use crate::source::EventSource;
use session::Session;

/// How a publisher works. The defaults are right for nearly everyone.
#[derive(Clone)]
pub struct PublisherOptions {
    /// How long a sink may take to answer a request. Default: 30 s.
    pub answer_timeout: Duration,
    /// How long it waits before it tries again.
    pub backoff: Backoff,
    /// How connections over TLS are made, and whose certificates are trusted. Default: not at all, so that an `https://`
    /// URL is refused.
    pub tls: Option<Arc<ClientConfig>>,
    /// The token that is sent with each request (`Authorization: Bearer`). Default: none.
    pub token: Option<String>,
}

/// Without the token.
impl fmt::Debug for PublisherOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PublisherOptions { answer_timeout, backoff, tls, token } = self;
        f.debug_struct("PublisherOptions")
            .field("answer_timeout", answer_timeout)
            .field("backoff", backoff)
            .field("tls", &tls.is_some())
            .field("token", &token.is_some())
            .finish()
    }
}

impl Default for PublisherOptions {
    fn default() -> Self {
        PublisherOptions {
            answer_timeout: Duration::from_secs(30),
            backoff: Backoff::default(),
            tls: None,
            token: None,
        }
    }
}

/// Why a publisher does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublisherError {
    /// Neither a URL nor a file.
    #[error(
        "{sink:?} is no sink of lifecycle events: {reason}; expected https://host/path, http://host:port/path, or @FILE"
    )]
    Invalid {
        /// What was given.
        sink: String,
        /// Why it is none.
        reason: String,
    },
    /// The file cannot be written to.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What the operating system said.
        reason: String,
    },
    /// The operating system gives no thread.
    #[error(
        "no thread for publishing lifecycle events could be started: {reason}; raise the limit of processes and threads"
    )]
    Thread {
        /// What the operating system said.
        reason: String,
    },
}

/// Publishes the lifecycle events of a source, in order and each at least once, on a thread of its own.
///
/// - To an `http://` or `https://` URL: one POST an event, in the structured mode of the CloudEvents HTTP binding. The next one is sent
///   when the one before it has been answered with 2xx. An answer of 400, 413, 415 or 422 says that this event will never be
///   taken: it is given up, and the next one is sent. Anything else (no connection, no answer, any other status) is tried
///   again for ever, three times quickly, then slower. An event that is sent again has the same id.
/// - To a file, `@FILE`: one event a line, appended.
///
/// What is not published yet is kept in the source.
#[derive(Debug)]
pub struct Publisher {
    deadline: watch::Sender<Option<Instant>>,
    end: oneshot::Receiver<Published>,
    sink: String,
}

/// Where events go.
enum Sink {
    Http(Box<http::HttpSink>),
    File(file::FileSink),
}

impl Publisher {
    /// Starts to publish. The server at a URL need not be there yet; a file is made if it is not there.
    ///
    /// # Errors
    /// If the sink is neither a URL nor a file that can be written to, or no thread can be started.
    pub fn start(
        source: impl EventSource,
        lifecycle: Lifecycle,
        sink: &str,
        options: PublisherOptions,
    ) -> Result<Self, PublisherError> {
        let failed = |error: std::io::Error| PublisherError::Thread { reason: error.to_string() };
        let name = sink.to_owned();
        let sink = match sink.strip_prefix('@') {
            Some(path) => Sink::File(file::FileSink::open(path.as_ref())?),
            None => Sink::Http(Box::new(http::HttpSink::new(sink, &options)?)),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (deadline, deadlines) = watch::channel(None);
        let (reply, end) = oneshot::channel();
        let session = Session::new(source, lifecycle, sink, name.clone(), options.backoff, deadlines);
        thread::Builder::new()
            .name("hotcell-lifecycle".to_owned())
            .spawn(move || {
                // Nobody waits for the end of one that was dropped.
                let _ = reply.send(runtime.block_on(session.run()));
            })
            .map_err(failed)?;
        Ok(Publisher { deadline, end, sink: name })
    }

    /// Waits until everything is published, and not longer than `timeout`. The source has to be closed, as nothing says
    /// otherwise that this is everything. One that waits for its next attempt makes it at once.
    pub async fn finish(self, timeout: Duration) -> Published {
        // It has ended by itself if there is nobody to tell.
        let _ = self.deadline.send(Some(Instant::now() + timeout));
        self.end.await.unwrap_or_else(|_| Published {
            sink: self.sink,
            problem: Some("the publisher stopped; this is a bug in hotcell".to_owned()),
            ..Published::default()
        })
    }
}

/// What was published. As text, a sentence for a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Published {
    /// The URL of the sink, or `@` and the file.
    pub sink: String,
    /// How many lifecycle events the sink took.
    pub delivered: u64,
    /// How many it refused for good.
    pub refused: u64,
    /// How many were not sent, or not answered, in time.
    pub left: u64,
    /// What went wrong last, as a sentence that says what to do. Present only when not all is well.
    pub problem: Option<String>,
}

impl Published {
    /// Whether the sink has everything.
    pub fn is_complete(&self) -> bool {
        self.refused == 0 && self.left == 0 && self.problem.is_none()
    }
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.refused + self.left;
        if missing == 0 {
            write!(f, "{} lifecycle events were published to {}", self.delivered, self.sink)?;
        } else {
            let plural = if missing == 1 { "event was" } else { "events were" };
            write!(f, "{missing} lifecycle {plural} not published to {}", self.sink)?;
        }
        match &self.problem {
            Some(problem) => write!(f, ": {problem}"),
            None if missing > 0 => f.write_str(": the sink was too slow; give it more time"),
            None => Ok(()),
        }
    }
}
