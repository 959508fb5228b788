//! A sink: the server side of the protocol, over a store.

mod report;
mod serving;
mod watch;

use std::sync::Arc;

use tokio::sync::{Semaphore, watch as state};
use tonic::{Request, Response, Status, Streaming};

use crate::proto::progress_service_server::ProgressService;
use crate::proto::{ReportRequest, WatchRequest};
use crate::store::{AccessError, Store};

pub use serving::{ServeError, serve};

/// The largest message of the protocol: 10 MiB. The largest event, which carries what a call may return at most (8 MiB),
/// fits. Both sides use it.
pub(crate) const MAX_MESSAGE_BYTES: usize = 10 << 20;

/// What a sink bears. Everything beyond it is refused with `RESOURCE_EXHAUSTED`, and the reporter tries again later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How many streams may report at the same time. Each takes at most a message (10 MiB) of memory, in parts that have
    /// come in already. Default: 64.
    pub report_streams: usize,
    /// How many watches there may be at the same time. Each takes the memory of a page, 1 MiB or one event.
    /// Default: 256.
    pub watches: usize,
    /// Of how many executions events are stored. Default: 1,000,000.
    pub executions: u64,
    /// How large an encoded event may be, in bytes. Default: 9 MiB.
    pub event_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { report_streams: 64, watches: 256, executions: 1_000_000, event_bytes: 9 << 20 }
    }
}

/// The service. One for all connections.
struct Sink {
    store: Store,
    limits: Limits,
    report_streams: Arc<Semaphore>,
    watches: Arc<Semaphore>,
    /// Becomes true when the sink is going down.
    stopping: state::Receiver<bool>,
}

impl Sink {
    fn new(store: Store, limits: Limits, stopping: state::Receiver<bool>) -> Self {
        let permits = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        let (report_streams, watches) = (permits(limits.report_streams), permits(limits.watches));
        Sink { store, limits, report_streams, watches, stopping }
    }
}

#[tonic::async_trait]
impl ProgressService for Sink {
    type ReportStream = report::ReportStream;
    type WatchStream = watch::WatchStream;

    async fn report(&self, request: Request<Streaming<ReportRequest>>) -> Result<Response<Self::ReportStream>, Status> {
        let permit = self.report_streams.clone().try_acquire_owned().map_err(|_| {
            let limit = self.limits.report_streams;
            Status::resource_exhausted(format!(
                "{limit} streams are reporting to this sink, its limit; try again later"
            ))
        })?;
        let (store, limits, stopping) = (self.store.clone(), self.limits.clone(), self.stopping.clone());
        Ok(Response::new(report::acknowledge(request.into_inner(), store, limits, stopping, permit)))
    }

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let permit = self.watches.clone().try_acquire_owned().map_err(|_| {
            let limit = self.limits.watches;
            Status::resource_exhausted(format!("this sink is watched {limit} times, its limit; try again later"))
        })?;
        let stream = watch::watch(request.into_inner(), self.store.clone(), self.stopping.clone(), permit).await?;
        Ok(Response::new(stream))
    }
}

impl From<AccessError> for Status {
    fn from(error: AccessError) -> Self {
        let message = error.to_string();
        match error {
            AccessError::Full | AccessError::TooManyExecutions(_) => Status::resource_exhausted(message),
            AccessError::Sqlite(_) => Status::internal(message),
            AccessError::Closed => going_down(),
        }
    }
}

fn going_down() -> Status {
    Status::unavailable("the sink is going down; try again")
}
