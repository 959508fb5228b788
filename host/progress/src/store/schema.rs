//! The tables of a store, and how older ones become the present ones.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;

/// Marks an SQLite file as a store of progress events: `hcpr` in ASCII.
const APPLICATION_ID: i64 = 0x6863_7072;

/// What leads from each format to the next. A file's `user_version` says how many of them it has behind it. They are
/// never changed, only added to.
const STEPS: [&str; 1] = ["
    -- A single row.
    CREATE TABLE store (
        id TEXT NOT NULL
    ) STRICT;
    INSERT INTO store (id) VALUES (lower(hex(randomblob(8))));

    CREATE TABLE executions (
        id INTEGER PRIMARY KEY,
        execution TEXT NOT NULL UNIQUE,
        -- The number of the highest event stored.
        highest INTEGER NOT NULL,
        -- The number of the last event of all, when it is stored.
        ended INTEGER
    ) STRICT;

    CREATE TABLE events (
        -- The order in which they were stored.
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        execution INTEGER NOT NULL REFERENCES executions (id),
        sequence INTEGER NOT NULL,
        -- Its name, task_started for example.
        event TEXT NOT NULL,
        -- An encoded hotcell.progress.v1.Event.
        body BLOB NOT NULL,
        UNIQUE (execution, sequence)
    ) STRICT;
"];

/// Brings a database to the present format.
pub(super) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let sqlite = |source| StoreError::Sqlite { place: path.display().to_string(), source };
    connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(sqlite)?;
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|error| {
            match error.sqlite_error_code() {
                Some(rusqlite::ErrorCode::NotADatabase) => StoreError::Foreign { path: path.to_owned() },
                _ => sqlite(error),
            }
        })?;
    let application: i64 = transaction.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(sqlite)?;
    let tables: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(sqlite)?;
    if application != APPLICATION_ID && (application != 0 || tables > 0) {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    let known = STEPS.len() as i64;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(sqlite)?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    let behind = usize::try_from(found).map_err(|_| StoreError::Foreign { path: path.to_owned() })?;
    for step in &STEPS[behind..] {
        transaction.execute_batch(step).map_err(sqlite)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(sqlite)?;
    transaction.pragma_update(None, "user_version", known).map_err(sqlite)?;
    transaction.commit().map_err(sqlite)
}
