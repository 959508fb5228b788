//! Giving out what is stored, and then what comes.

use std::pin::Pin;

use futures::{Stream, stream};
use hotcell_machine::ExecutionId;
use prost::Message;
use tokio::sync::{OwnedSemaphorePermit, watch as state};
use tonic::Status;

use super::going_down;
use crate::decode::check_execution_id;
use crate::proto::{self, WatchRequest, WatchResponse};
use crate::store::{Store, Wanted};

pub(super) type WatchStream = Pin<Box<dyn Stream<Item = Result<WatchResponse, Status>> + Send>>;

/// The events that are asked for. They are read when the client has room for them: a slow one keeps nobody waiting, and
/// takes the memory of one page.
pub(super) async fn watch(
    request: WatchRequest,
    store: Store,
    stopping: state::Receiver<bool>,
    permit: OwnedSemaphorePermit,
) -> Result<WatchStream, Status> {
    let wanted = wanted(&request, &store)?;
    if let Wanted::Execution { execution, .. } = &wanted
        && request.stored_only
        && !store.knows(execution).await?
    {
        return Err(Status::not_found(format!(
            "nothing is stored of execution {:?}; check its id, or watch without `stored_only` to wait for it",
            execution.as_str()
        )));
    }
    let newest = store.newest();
    let outlook =
        Outlook { store, wanted, stored_only: request.stored_only, newest, stopping, ended: false, _permit: permit };
    Ok(Box::pin(stream::unfold(outlook, |mut outlook| async move { Some((outlook.next().await?, outlook)) })))
}

fn wanted(request: &WatchRequest, store: &Store) -> Result<Wanted, Status> {
    match &request.execution {
        Some(execution) => {
            check_execution_id(execution).map_err(Status::invalid_argument)?;
            if !request.cursor.is_empty() {
                return Err(Status::invalid_argument(
                    "`cursor` is for a watch of all executions; leave it out, or leave `execution` out",
                ));
            }
            Ok(Wanted::Execution {
                execution: ExecutionId::new(execution.as_str()),
                from: request.from_sequence.max(1),
            })
        }
        None if request.from_sequence > 0 => Err(Status::invalid_argument(
            "`from_sequence` is for a watch of one execution; name it in `execution`, or use `cursor`",
        )),
        None => Ok(Wanted::All { after: position(&request.cursor, store)? }),
    }
}

/// A cursor is `<id of the store>/<position>`. That of another store means from the beginning.
fn position(cursor: &str, store: &Store) -> Result<u64, Status> {
    if cursor.is_empty() {
        return Ok(0);
    }
    let invalid =
        || Status::invalid_argument("`cursor` is none that a sink gave; leave it out to begin at the first event");
    let (id, position) = cursor.split_once('/').ok_or_else(invalid)?;
    let position = position.parse().map_err(|_| invalid())?;
    Ok(if id == store.id() { position } else { 0 })
}

/// One watch.
struct Outlook {
    store: Store,
    /// What comes next.
    wanted: Wanted,
    stored_only: bool,
    newest: state::Receiver<u64>,
    stopping: state::Receiver<bool>,
    ended: bool,
    _permit: OwnedSemaphorePermit,
}

impl Outlook {
    /// The next answer, `None` at the end.
    async fn next(&mut self) -> Option<Result<WatchResponse, Status>> {
        if self.ended {
            return None;
        }
        let answer = self.page().await.transpose();
        self.ended |= !matches!(answer, Some(Ok(_)));
        answer
    }

    async fn page(&mut self) -> Result<Option<WatchResponse>, Status> {
        loop {
            // Marked as seen before reading: what is stored after that ends the wait below.
            self.newest.borrow_and_update();
            let page = self.store.read(self.wanted.clone()).await?;
            self.ended = page.is_last;
            if !page.events.is_empty() {
                let mut events = Vec::with_capacity(page.events.len());
                for stored in page.events {
                    let event = proto::Event::decode(stored.body.as_slice())
                        .map_err(|error| Status::data_loss(format!("a stored event cannot be read: {error}")))?;
                    self.advance(stored.position, stored.sequence);
                    events.push(event);
                }
                return Ok(Some(WatchResponse { events, cursor: self.cursor() }));
            }
            if self.stored_only || self.ended {
                return Ok(None);
            }
            tokio::select! {
                biased;
                _ = self.stopping.wait_for(|stopping| *stopping) => return Err(going_down()),
                changed = self.newest.changed() => changed.map_err(|_| going_down())?,
            }
        }
    }

    fn advance(&mut self, position: u64, sequence: u64) {
        match &mut self.wanted {
            Wanted::Execution { from, .. } => *from = sequence + 1,
            Wanted::All { after } => *after = position,
        }
    }

    fn cursor(&self) -> String {
        match &self.wanted {
            Wanted::Execution { .. } => String::new(),
            Wanted::All { after } => format!("{}/{after}", self.store.id()),
        }
    }
}
