//! Reading events, a page at a time.

use hotcell_machine::ExecutionId;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// How many events a page has at most.
const PAGE_EVENTS: i64 = 500;
/// How many bytes of events a page has at most, unless it is a single event: it keeps the writer waiting for a few
/// milliseconds, and fits into a message.
const PAGE_BYTES: usize = 1 << 20;

/// What to read.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    /// Events of one execution from this number on.
    Execution { execution: ExecutionId, from: u64 },
    /// Events of all executions after this position.
    All { after: u64 },
}

/// Some events.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    /// Oldest first; none when there are no more at the moment.
    pub(crate) events: Vec<Stored>,
    /// Whether no event will ever follow those in the page.
    pub(crate) is_last: bool,
}

/// An event as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) position: u64,
    pub(crate) sequence: u64,
    /// The encoded event.
    pub(crate) body: Vec<u8>,
}

pub(super) fn read(connection: &Connection, wanted: &Wanted) -> rusqlite::Result<Page> {
    match wanted {
        Wanted::Execution { execution, from } => {
            let mut page = page(
                connection,
                "SELECT events.position, events.sequence, events.body
             FROM events JOIN executions ON executions.id = events.execution
             WHERE executions.execution = ?1 AND events.sequence >= ?2
             ORDER BY events.sequence LIMIT ?3",
                params![execution.as_str(), capped(*from), PAGE_EVENTS],
            )?;
            let next = page.events.last().map_or(*from, |event| event.sequence + 1);
            page.is_last = connection
                .prepare_cached("SELECT ended < ?2 FROM executions WHERE execution = ?1 AND ended IS NOT NULL")?
                .query_row(params![execution.as_str(), capped(next)], |row| row.get(0))
                .optional()?
                .unwrap_or(false);
            Ok(page)
        }
        Wanted::All { after } => page(
            connection,
            "SELECT position, sequence, body FROM events WHERE position > ?1 ORDER BY position LIMIT ?2",
            params![capped(*after), PAGE_EVENTS],
        ),
    }
}

fn page(connection: &Connection, sql: &str, parameters: &[&dyn rusqlite::ToSql]) -> rusqlite::Result<Page> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut page = Page::default();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let event = stored(row)?;
        bytes += event.body.len();
        if bytes > PAGE_BYTES && !page.events.is_empty() {
            break;
        }
        page.events.push(event);
    }
    Ok(page)
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored { position: row.get(0)?, sequence: row.get(1)?, body: row.get(2)? })
}

/// The position of the newest event, 0 if there is none.
pub(super) fn newest(connection: &Connection) -> rusqlite::Result<u64> {
    connection.prepare_cached("SELECT coalesce(max(position), 0) FROM events")?.query_row([], |row| row.get(0))
}

/// A number as SQLite can hold it. No event has a higher one.
fn capped(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
