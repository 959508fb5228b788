//! The list of events in memory that executions append to, and that subscribers read at their own pace.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hotcell_machine::Event;
use tokio::sync::Notify;

use crate::source::EventSource;

/// Events of any number of executions in memory, in the order in which they were appended.
///
/// Appending never waits for a reader: it takes a lock that is held for the time of a push. An event is kept until every
/// subscription that existed when it was appended has released it, so memory is bounded by how far the slowest
/// subscription lags behind. An event whose data is larger than [`Payload::INLINE_BYTES`] carries a reference instead, so
/// an event takes a few hundred bytes and at most 64 KiB of data; 40,000 usual ones (10,000 tasks), all unread, take
/// about 20 MB. Log lines, problems and `task_progress` data are bounded by the limits of the call that made them.
///
/// Subscribe before the first event: what is appended while nobody subscribes is not kept.
///
/// The log is closed when [`close`](EventLog::close) is called, or the last clone of it is dropped. Subscriptions then end
/// after what is left.
///
/// [`Payload::INLINE_BYTES`]: hotcell_machine::Payload::INLINE_BYTES
#[derive(Debug, Clone, Default)]
pub struct EventLog {
    writer: Arc<Writer>,
}

/// What the clones of a log share. Its end closes the log.
#[derive(Debug, Default)]
struct Writer {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The position of the first event in `events`.
    first: u64,
    events: VecDeque<Arc<Event>>,
    closed: bool,
    next_reader: u64,
    readers: BTreeMap<u64, Reader>,
}

#[derive(Debug)]
struct Reader {
    /// The position from which on this reader still needs events.
    held_from: u64,
    wake: Arc<Notify>,
}

impl EventLog {
    /// An empty log.
    pub fn new() -> Self {
        EventLog::default()
    }

    /// Appends events, which come in the order of their sequence numbers. Does nothing on a closed log.
    pub fn append<E: Into<Arc<Event>>>(&self, events: impl IntoIterator<Item = E>) {
        let mut state = self.writer.shared.lock();
        if state.closed {
            return;
        }
        if state.readers.is_empty() {
            state.first += events.into_iter().count() as u64;
            return;
        }
        state.events.extend(events.into_iter().map(Into::into));
        state.wake_readers();
    }

    /// A subscription that reads from the oldest event that is still kept. It keeps every event until it has read, or
    /// as a source of a reporter, released it.
    pub fn subscribe(&self) -> Subscription {
        let shared = self.writer.shared.clone();
        let wake = Arc::new(Notify::new());
        let mut state = shared.lock();
        let id = state.next_reader;
        state.next_reader += 1;
        let position = state.first;
        state.readers.insert(id, Reader { held_from: position, wake: wake.clone() });
        drop(state);
        Subscription { shared, id, wake, position }
    }

    /// Closes the log: subscriptions end after what is left.
    pub fn close(&self) {
        self.writer.close();
    }

    /// How many events are kept at the moment.
    pub fn len(&self) -> usize {
        self.writer.shared.lock().events.len()
    }

    /// Whether no event is kept at the moment.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Writer {
    fn close(&self) {
        let mut state = self.shared.lock();
        state.closed = true;
        state.wake_readers();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    /// No code that can panic runs while the lock is held, so a poisoned state is a valid one.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    fn wake_readers(&self) {
        for reader in self.readers.values() {
            reader.wake.notify_one();
        }
    }

    fn slice(&self, position: u64, limit: usize) -> Vec<Arc<Event>> {
        let skip = usize::try_from(position.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.events.iter().skip(skip).take(limit).cloned().collect()
    }

    /// Takes out what no reader needs. The caller drops it after unlocking, as freeing many events takes time.
    fn take_unneeded(&mut self) -> Vec<Arc<Event>> {
        let end = self.end();
        let needed = self.readers.values().map(|reader| reader.held_from).min().unwrap_or(end).min(end);
        let count = needed.saturating_sub(self.first) as usize;
        self.first += count as u64;
        self.events.drain(..count).collect()
    }
}

/// A reader of an [`EventLog`]. Read it with [`next`](Subscription::next), or give it to a reporter.
#[derive(Debug)]
pub struct Subscription {
    shared: Arc<Shared>,
    id: u64,
    wake: Arc<Notify>,
    /// Where `next` goes on.
    position: u64,
}

impl Subscription {
    /// The events since the last time, at least one; waits for it. `None` when the log is closed and read to its end.
    /// The log forgets the events that every subscription has read. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Vec<Arc<Event>>> {
        if !self.ready(self.position).await {
            return None;
        }
        Some(self.try_next())
    }

    /// The events since the last time, none if there are none, without waiting.
    pub fn try_next(&mut self) -> Vec<Arc<Event>> {
        let events = self.shared.lock().slice(self.position, usize::MAX);
        self.position += events.len() as u64;
        self.release(self.position);
        events
    }
}

impl EventSource for Subscription {
    fn start(&self) -> u64 {
        let state = self.shared.lock();
        state.readers.get(&self.id).map_or(state.first, |reader| reader.held_from)
    }

    fn end(&self) -> u64 {
        self.shared.lock().end()
    }

    async fn ready(&mut self, position: u64) -> bool {
        loop {
            {
                let state = self.shared.lock();
                if state.end() > position {
                    return true;
                }
                if state.closed {
                    return false;
                }
            }
            // An event that is appended before this waits leaves a permit, so it is not missed.
            self.wake.notified().await;
        }
    }

    async fn read(&mut self, position: u64, limit: usize) -> Vec<Arc<Event>> {
        self.shared.lock().slice(position, limit)
    }

    fn release(&mut self, position: u64) {
        let mut state = self.shared.lock();
        if let Some(reader) = state.readers.get_mut(&self.id) {
            reader.held_from = reader.held_from.max(position);
        }
        let unneeded = state.take_unneeded();
        drop(state);
        drop(unneeded);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.readers.remove(&self.id);
        let unneeded = state.take_unneeded();
        drop(state);
        drop(unneeded);
    }
}

#[cfg(test)]
mod tests {
    use hotcell_machine::{EventKind, ExecutionId};

    use super::*;

    fn event(sequence: u64) -> Event {
        Event {
            sequence,
            kind: EventKind::WorkflowParsing,
            time: "2025-01-01T00:00:00Z".parse().expect("a valid timestamp"),
            execution: ExecutionId::new("e"),
            task: None,
        }
    }

    fn numbers(events: &[Arc<Event>]) -> Vec<u64> {
        events.iter().map(|event| event.sequence).collect()
    }

    #[tokio::test]
    async fn each_subscription_reads_everything_at_its_own_pace() {
        let log = EventLog::new();
        let mut quick = log.subscribe();
        let mut slow = log.subscribe();

        log.append([event(1), event(2)]);
        let first = quick.next().await.expect("open");
        log.append([event(3)]);
        let second = quick.next().await.expect("open");

        assert_eq!((numbers(&first), numbers(&second)), (vec![1, 2], vec![3]));
        assert_eq!(numbers(&slow.try_next()), [1, 2, 3]);
    }

    #[tokio::test]
    async fn events_are_forgotten_when_every_subscription_has_read_them() {
        let log = EventLog::new();
        let mut quick = log.subscribe();
        let slow = log.subscribe();

        log.append([event(1), event(2)]);
        quick.next().await;
        assert_eq!(log.len(), 2);
        drop(slow);

        assert!(log.is_empty());
    }

    #[tokio::test]
    async fn a_subscription_ends_after_what_is_left_in_a_closed_log() {
        let log = EventLog::new();
        let mut subscription = log.subscribe();
        log.append([event(1)]);
        log.clone().append([event(2)]);

        drop(log);

        assert_eq!(subscription.next().await.map(|events| numbers(&events)), Some(vec![1, 2]));
        assert!(subscription.next().await.is_none());
    }

    #[tokio::test]
    async fn a_source_reads_again_what_it_has_not_released() {
        let log = EventLog::new();
        let mut source = log.subscribe();
        log.append((1..=5).map(event));

        assert_eq!(numbers(&source.read(0, 3).await), [1, 2, 3]);
        source.release(2);

        assert_eq!((source.start(), source.end()), (2, 5));
        assert_eq!(numbers(&source.read(2, 10).await), [3, 4, 5]);
        assert_eq!(log.len(), 3);
    }

    #[test]
    fn what_nobody_subscribed_to_is_not_kept() {
        let log = EventLog::new();

        log.append([event(1)]);

        assert!(log.is_empty());
        assert!(log.subscribe().try_next().is_empty());
    }
}
