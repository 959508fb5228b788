//! The thread that owns the database, and the queue before it.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::AccessError;
use super::append::{self, Appended, Record};
use super::read::{self, Page, Wanted};

/// How many events go into one transaction, unless a single batch has more.
const TRANSACTION_EVENTS: usize = 10_000;

/// What the thread is asked to do.
pub(super) enum Work {
    Append { records: Vec<Record>, max_executions: u64, reply: oneshot::Sender<Result<Appended, AccessError>> },
    Read { wanted: Wanted, reply: oneshot::Sender<Result<Page, AccessError>> },
}

/// A batch to be appended, as it waits.
struct Batch {
    records: Vec<Record>,
    max_executions: u64,
    reply: oneshot::Sender<Result<Appended, AccessError>>,
}

/// What waits for the thread. It is bounded by who asks: every stream of the sink asks for one thing at a time.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Waiting {
    appends: VecDeque<Batch>,
    reads: VecDeque<(Wanted, oneshot::Sender<Result<Page, AccessError>>)>,
    closed: bool,
}

/// What the thread does next: one transaction, and one read, so that neither kind keeps the other waiting for longer.
struct Turn {
    batches: Vec<Batch>,
    read: Option<(Wanted, oneshot::Sender<Result<Page, AccessError>>)>,
}

impl Queue {
    pub(super) fn push(&self, work: Work) -> Result<(), AccessError> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.closed {
            return Err(AccessError::Closed);
        }
        match work {
            Work::Append { records, max_executions, reply } => {
                waiting.appends.push_back(Batch { records, max_executions, reply });
            }
            Work::Read { wanted, reply } => waiting.reads.push_back((wanted, reply)),
        }
        drop(waiting);
        self.changed.notify_one();
        Ok(())
    }

    /// Lets the thread end when it has done what waits.
    pub(super) fn close(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.changed.notify_one();
    }

    /// Waits for something to do; `None` when there is nothing left and the queue is closed.
    fn next(&self) -> Option<Turn> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if !waiting.appends.is_empty() || !waiting.reads.is_empty() {
                return Some(waiting.take_turn());
            }
            if waiting.closed {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Waiting {
    fn take_turn(&mut self) -> Turn {
        let mut batches = Vec::new();
        let mut events = 0;
        while let Some(batch) =
            self.appends.pop_front_if(|next| batches.is_empty() || events + next.records.len() <= TRANSACTION_EVENTS)
        {
            events += batch.records.len();
            batches.push(batch);
        }
        Turn { batches, read: self.reads.pop_front() }
    }
}

/// Starts the thread. It ends when the queue is closed, and says so.
pub(super) fn start(
    connection: Connection,
    queue: Arc<Queue>,
    newest: watch::Sender<u64>,
    ended: watch::Sender<bool>,
) -> io::Result<()> {
    thread::Builder::new()
        .name("hotcell-store".to_owned())
        .spawn(move || {
            run(connection, &queue, &newest);
            ended.send_replace(true);
        })
        .map(drop)
}

fn run(mut connection: Connection, queue: &Queue, newest: &watch::Sender<u64>) {
    while let Some(Turn { batches, read }) = queue.next() {
        if !batches.is_empty() {
            append_all(&mut connection, batches, newest);
        }
        if let Some((wanted, reply)) = read {
            // Nobody waits for the answer any more if this fails.
            let _ = reply.send(read::read(&connection, &wanted).map_err(AccessError::from));
        }
    }
}

/// Appends batches in one transaction, and answers when it is durable.
fn append_all(connection: &mut Connection, batches: Vec<Batch>, newest: &watch::Sender<u64>) {
    let (work, replies): (Vec<_>, Vec<_>) =
        batches.into_iter().map(|batch| ((batch.records, batch.max_executions), batch.reply)).unzip();
    match append::append(connection, work) {
        Ok((results, position)) => {
            newest.send_if_modified(|newest| {
                let changed = position > *newest;
                *newest = position.max(*newest);
                changed
            });
            for (reply, result) in replies.into_iter().zip(results) {
                let _ = reply.send(result);
            }
        }
        Err(error) => {
            let error = AccessError::from(error);
            for reply in replies {
                let _ = reply.send(Err(error.clone()));
            }
        }
    }
}
