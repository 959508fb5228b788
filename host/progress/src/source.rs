//! Where a reporter reads events.

use std::future::Future;
use std::sync::Arc;

use hotcell_machine::Event;

/// A durable or temporary list of events of many executions, read from any position by one reader.
///
/// Positions are the source's own numbering over all executions, ascending by one. The events of each execution stand in
/// the order of their sequence numbers. The in-memory source is [`Subscription`](crate::Subscription); a journal is
/// another one.
pub trait EventSource: Send + 'static {
    /// The position of the oldest event that the reader has not released.
    fn start(&self) -> u64;

    /// The position after the newest event.
    fn end(&self) -> u64;

    /// Waits until there is an event at this position, and says so with `true`; `false` when there will never be one.
    /// Dropping the future loses nothing.
    fn ready(&mut self, position: u64) -> impl Future<Output = bool> + Send;

    /// The events from this position on, at most `limit` of them, without waiting for more.
    fn read(&mut self, position: u64, limit: usize) -> impl Future<Output = Vec<Arc<Event>>> + Send;

    /// Says that the reader does not need the events before this position any more.
    fn release(&mut self, position: u64);
}
