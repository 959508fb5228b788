//! Appending events: each (execution, sequence) once, whatever comes how often.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use hotcell_machine::ExecutionId;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::AccessError;

/// An event to be stored.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) execution: ExecutionId,
    /// From 1 to 2^63-1.
    pub(crate) sequence: u64,
    pub(crate) event: &'static str,
    pub(crate) is_last: bool,
    /// The encoded event.
    pub(crate) body: Vec<u8>,
}

/// What became of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Appended {
    /// For each execution in the batch, the number of its last event in the batch: that and all before it are stored as
    /// they were reported. Not the highest number stored, which another reporter may have reported: what this one sends
    /// next may contradict it.
    pub(crate) acknowledged: Vec<(ExecutionId, u64)>,
    /// The event that was not stored, as were none of those after it.
    pub(crate) contradiction: Option<Contradiction>,
}

/// An event that cannot be true if what is stored is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contradiction {
    pub(crate) execution: ExecutionId,
    pub(crate) sequence: u64,
    pub(crate) reason: String,
}

/// What is known of an execution. Valid within one transaction.
struct Known {
    id: i64,
    highest: u64,
    ended: Option<u64>,
    changed: bool,
}

type Results = Vec<Result<Appended, AccessError>>;

/// Appends batches, each with the number of executions that there may be, in one transaction. Returns what became of each,
/// and the position of the newest event. After an error, nothing is stored.
pub(super) fn append(
    connection: &mut Connection,
    batches: Vec<(Vec<Record>, u64)>,
) -> rusqlite::Result<(Results, u64)> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut appending = Appending { transaction: &transaction, known: HashMap::new() };
    let mut results = Vec::with_capacity(batches.len());
    for (records, max_executions) in batches {
        results.push(appending.batch(records, max_executions)?);
    }
    appending.finish()?;
    let newest = super::read::newest(&transaction)?;
    transaction.commit()?;
    Ok((results, newest))
}

struct Appending<'a> {
    transaction: &'a Transaction<'a>,
    known: HashMap<ExecutionId, Known>,
}

impl Appending<'_> {
    fn batch(&mut self, records: Vec<Record>, max_executions: u64) -> rusqlite::Result<Result<Appended, AccessError>> {
        let mut appended = Appended::default();
        let mut acknowledged: HashMap<ExecutionId, u64> = HashMap::new();
        for record in records {
            if !self.learn(&record.execution, max_executions)? {
                return Ok(Err(AccessError::TooManyExecutions(max_executions)));
            }
            if let Some(reason) = self.event(&record)? {
                let Record { execution, sequence, .. } = record;
                appended.contradiction = Some(Contradiction { execution, sequence, reason });
                break;
            }
            acknowledged.insert(record.execution, record.sequence);
        }
        appended.acknowledged = acknowledged.into_iter().collect();
        Ok(Ok(appended))
    }

    /// Looks an execution up, and creates it if there may be one more. `false` if there may not.
    fn learn(&mut self, execution: &ExecutionId, max_executions: u64) -> rusqlite::Result<bool> {
        let Entry::Vacant(vacant) = self.known.entry(execution.clone()) else { return Ok(true) };
        let stored = self
            .transaction
            .prepare_cached("SELECT id, highest, ended FROM executions WHERE execution = ?1")?
            .query_row([execution.as_str()], |row| {
                Ok(Known { id: row.get(0)?, highest: row.get(1)?, ended: row.get(2)?, changed: false })
            })
            .optional()?;
        if let Some(known) = stored {
            vacant.insert(known);
            return Ok(true);
        }
        // Executions are never deleted, so the highest id is their number.
        let count: u64 = self
            .transaction
            .prepare_cached("SELECT coalesce(max(id), 0) FROM executions")?
            .query_row([], |row| row.get(0))?;
        if count >= max_executions {
            return Ok(false);
        }
        self.transaction
            .prepare_cached("INSERT INTO executions (execution, highest) VALUES (?1, 0)")?
            .execute([execution.as_str()])?;
        vacant.insert(Known { id: self.transaction.last_insert_rowid(), highest: 0, ended: None, changed: false });
        Ok(true)
    }

    /// Stores one event of a known execution. Returns why not, if it contradicts what is stored.
    fn event(&mut self, record: &Record) -> rusqlite::Result<Option<String>> {
        let known = self.known.get_mut(&record.execution).expect("the execution was looked up before its event");
        if known.ended.is_some_and(|ended| record.sequence > ended) {
            return Ok(Some("it comes after the last event of its execution".to_owned()));
        }
        if record.sequence <= known.highest {
            let stored: Option<Vec<u8>> = self
                .transaction
                .prepare_cached("SELECT body FROM events WHERE execution = ?1 AND sequence = ?2")?
                .query_row(params![known.id, record.sequence], |row| row.get(0))
                .optional()?;
            match stored {
                Some(body) if body == record.body => return Ok(None),
                Some(_) => {
                    return Ok(Some(
                        "an event of the same number with other content is stored; \
                         two executions have the same id, or the execution was run anew under its old id"
                            .to_owned(),
                    ));
                }
                None if record.is_last => {
                    return Ok(Some("it ends its execution, but events after it are stored".to_owned()));
                }
                // It fills a hole.
                None => {}
            }
        }
        self.transaction
            .prepare_cached("INSERT INTO events (execution, sequence, event, body) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![known.id, record.sequence, record.event, record.body])?;
        known.highest = known.highest.max(record.sequence);
        if record.is_last {
            known.ended = Some(record.sequence);
        }
        known.changed = true;
        Ok(None)
    }

    /// Writes what changed of executions.
    fn finish(self) -> rusqlite::Result<()> {
        let mut update =
            self.transaction.prepare_cached("UPDATE executions SET highest = ?2, ended = ?3 WHERE id = ?1")?;
        for known in self.known.values().filter(|known| known.changed) {
            update.execute(params![known.id, known.highest, known.ended])?;
        }
        Ok(())
    }
}
