//! Where a sink keeps events: an SQLite file, or the same in memory.

mod append;
mod read;
mod schema;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hotcell_machine::ExecutionId;
use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

pub(crate) use append::{Appended, Contradiction, Record};
pub(crate) use read::{Page, Wanted};
use worker::{Queue, Work};

/// How large a store in memory may become: 1 GiB. Beyond it, the sink refuses events until it is restarted.
const MAX_MEMORY_BYTES: u64 = 1 << 30;

/// The events of a sink. Clones are handles to the same store.
///
/// One thread owns the database; what came in while it wrote goes into one transaction. It is durable (WAL,
/// `synchronous=FULL`) before it is acknowledged. The file may be read by any SQLite tool while the sink runs.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    queue: Arc<Queue>,
    id: String,
    /// The position of the newest event.
    newest: watch::Receiver<u64>,
    ended: watch::Receiver<bool>,
}

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite could not open it, or could not read or write it.
    #[error("the store {place} cannot be used: {source}; check that the folder exists, is writable and has space")]
    Sqlite {
        /// The file, or `in memory`.
        place: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file is an SQLite database of another program.
    #[error("{} is a database, but not one of `hotcell progress serve`; name another file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer hotcell wrote the file.
    #[error(
        "{} was written by a newer hotcell (format {found}, this one knows {known}); use that one, or another file",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its format.
        found: i64,
        /// The newest format that this version knows.
        known: i64,
    },
    /// The operating system gives no thread to the store.
    #[error("no thread for the store could be started: {0}; raise the limit of processes and threads")]
    Thread(std::io::Error),
}

/// Why the store did not take or give events.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum AccessError {
    /// No space is left.
    #[error("the store of the sink is full; give it more space, or a new file")]
    Full,
    /// It has events of as many executions as it may.
    #[error("the sink stores events of {0} executions already, which is its limit; give it a new file")]
    TooManyExecutions(u64),
    /// SQLite failed.
    #[error("the store of the sink failed: {0}")]
    Sqlite(String),
    /// The store was closed.
    #[error("the sink is going down; try again")]
    Closed,
}

impl From<rusqlite::Error> for AccessError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => AccessError::Full,
            _ => AccessError::Sqlite(error.to_string()),
        }
    }
}

impl Store {
    /// Opens the file, and creates it if there is none. A file that an older hotcell wrote is upgraded.
    ///
    /// # Errors
    /// If the file cannot be opened, is not a store, or is one of a newer hotcell.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let sqlite = |source| StoreError::Sqlite { place: path.display().to_string(), source };
        let mut connection = Connection::open(path).map_err(sqlite)?;
        schema::prepare(&mut connection, path)?;
        connection.pragma_update(None, "journal_mode", "wal").map_err(sqlite)?;
        connection.pragma_update(None, "synchronous", "full").map_err(sqlite)?;
        Self::start(connection, &path.display().to_string())
    }

    /// A store in memory, for up to 1 GiB. Its events are gone with the process.
    ///
    /// # Errors
    /// If there is no memory or no thread.
    pub fn in_memory() -> Result<Self, StoreError> {
        const PLACE: &str = "in memory";
        let sqlite = |source| StoreError::Sqlite { place: PLACE.to_owned(), source };
        let mut connection = Connection::open_in_memory().map_err(sqlite)?;
        schema::prepare(&mut connection, Path::new(PLACE))?;
        let page: u64 = connection.pragma_query_value(None, "page_size", |row| row.get(0)).map_err(sqlite)?;
        connection.pragma_update(None, "max_page_count", MAX_MEMORY_BYTES / page.max(1)).map_err(sqlite)?;
        Self::start(connection, PLACE)
    }

    fn start(connection: Connection, place: &str) -> Result<Self, StoreError> {
        let sqlite = |source| StoreError::Sqlite { place: place.to_owned(), source };
        let id = connection.query_row("SELECT id FROM store", [], |row| row.get(0)).map_err(sqlite)?;
        let newest = read::newest(&connection).map_err(sqlite)?;
        let (newest_sender, newest) = watch::channel(newest);
        let (ended_sender, ended) = watch::channel(false);
        let queue = Arc::new(Queue::default());
        worker::start(connection, queue.clone(), newest_sender, ended_sender).map_err(StoreError::Thread)?;
        Ok(Store { inner: Arc::new(Inner { queue, id, newest, ended }) })
    }

    /// Closes the store, and waits until everything that was given to it is written. Other handles get errors from then on.
    pub async fn close(self) {
        self.inner.queue.close();
        // An error says that the thread is gone, which is what this waits for.
        let _ = self.inner.ended.clone().wait_for(|ended| *ended).await;
    }

    /// Which store this is: another file, or another life of a store in memory, has another id.
    pub(crate) fn id(&self) -> &str {
        &self.inner.id
    }

    /// The position of the newest event, as it changes.
    pub(crate) fn newest(&self) -> watch::Receiver<u64> {
        self.inner.newest.clone()
    }

    /// Stores events, in the order given, up to the first that contradicts what is stored. Returns when what could be
    /// stored is durable.
    pub(crate) async fn append(&self, records: Vec<Record>, max_executions: u64) -> Result<Appended, AccessError> {
        let (reply, answer) = oneshot::channel();
        self.inner.queue.push(Work::Append { records, max_executions, reply })?;
        answer.await.unwrap_or(Err(AccessError::Closed))
    }

    /// Reads the next events, some hundred at most.
    pub(crate) async fn read(&self, wanted: Wanted) -> Result<Page, AccessError> {
        let (reply, answer) = oneshot::channel();
        self.inner.queue.push(Work::Read { wanted, reply })?;
        answer.await.unwrap_or(Err(AccessError::Closed))
    }

    /// Whether anything is stored of the execution.
    pub(crate) async fn knows(&self, execution: &ExecutionId) -> Result<bool, AccessError> {
        let wanted = Wanted::Execution { execution: execution.clone(), from: 0 };
        Ok(!self.read(wanted).await?.events.is_empty())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue.close();
    }
}

#[cfg(test)]
mod tests;
