//! The list of events in memory that executions append to, and that subscribers read at their own pace.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hotcell_machine::Event;
use tokio::sync::Notify;

use crate::source::EventSource;
use crate::spill::{CHUNK_BYTES, CHUNK_EVENTS, Chunk, weight};

/// How much memory events may take that a subscription has not read yet: 16 MiB. Older ones wait on disk.
const MAX_MEMORY: usize = 16 << 20;

/// Events of any number of executions, in the order in which they were appended.
///
/// Appending never waits for a reader, nor for a disk: it takes a lock that is held for the time of a push. An event is kept
/// until every subscription that existed when it was appended has released it. When events take more than 16 MiB of memory,
/// because a subscription lags behind, a thread moves the oldest to a file without a name in the folder for temporary files, from
/// which they are read back; so what bounds how far a reader may lag is the disk. If the file cannot be written, the events stay
/// in memory, and none is lost. An event whose data is larger than [`Payload::INLINE_BYTES`] carries a reference instead, so
/// an event takes a few hundred bytes and at most 64 KiB of data; log lines, problems and `task_progress` data are bounded by
/// the limits of the call that made them.
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
    /// What was moved to the file, in order; it ends where `events` begins.
    chunks: VecDeque<Chunk>,
    /// The position of the first event in `events`.
    first: u64,
    events: VecDeque<Arc<Event>>,
    /// What `events` takes, about.
    bytes: usize,
    file: Option<Arc<File>>,
    spilling: Spilling,
    closed: bool,
    next_reader: u64,
    readers: BTreeMap<u64, Reader>,
}

/// Whether a thread moves events to the file.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Spilling {
    #[default]
    No,
    Yes,
    /// It cannot be written.
    Failed,
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
        for event in events {
            let event = event.into();
            state.bytes += weight(&event);
            state.events.push_back(event);
        }
        state.wake_readers();
        if state.bytes > MAX_MEMORY && state.spilling == Spilling::No {
            state.spilling = Spilling::Yes;
            drop(state);
            let shared = Arc::clone(&self.writer.shared);
            let thread = std::thread::Builder::new().name("hotcell-events".into());
            if let Err(error) = thread.spawn(move || shared.spill()) {
                tracing::warn!(%error, "no thread to move events to disk; they stay in memory");
                self.writer.shared.lock().spilling = Spilling::No;
            }
        }
    }

    /// A subscription that reads from the oldest event that is still kept. It keeps every event until it has read, or
    /// as a source of a reporter, released it.
    pub fn subscribe(&self) -> Subscription {
        let shared = self.writer.shared.clone();
        let wake = Arc::new(Notify::new());
        let mut state = shared.lock();
        let id = state.next_reader;
        state.next_reader += 1;
        let position = state.start();
        state.readers.insert(id, Reader { held_from: position, wake: wake.clone() });
        drop(state);
        Subscription { shared, id, wake, position, chunk: None, failed: false }
    }

    /// Closes the log: subscriptions end after what is left.
    pub fn close(&self) {
        self.writer.close();
    }

    /// How many events are kept at the moment, in memory and on disk.
    pub fn len(&self) -> usize {
        let state = self.writer.shared.lock();
        usize::try_from(state.end() - state.start()).unwrap_or(usize::MAX)
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

    /// Moves the oldest events to the file until half of the memory is free. They are written without the lock.
    fn spill(&self) {
        while let Some((first, events, file)) = self.oldest() {
            let written = file.and_then(|(file, offset)| Chunk::write(file, offset, first, &events));
            let mut state = self.lock();
            match written {
                Ok(chunk) => drop(state.moved(chunk)),
                Err(error) => {
                    tracing::warn!(%error, "events cannot be moved to disk; they stay in memory");
                    state.spilling = Spilling::Failed;
                    return;
                }
            }
        }
    }

    /// The next events to move, and where to.
    #[expect(clippy::type_complexity, reason = "it is taken apart at once")]
    fn oldest(&self) -> Option<(u64, Vec<Arc<Event>>, std::io::Result<(Arc<File>, u64)>)> {
        let mut state = self.lock();
        if state.bytes <= MAX_MEMORY / 2 {
            state.spilling = Spilling::No;
            return None;
        }
        let mut bytes = 0;
        let events = state.events.iter().take(CHUNK_EVENTS).take_while(|event| {
            let fits = bytes < CHUNK_BYTES;
            bytes += weight(event);
            fits
        });
        let events: Vec<_> = events.cloned().collect();
        let offset = state.chunks.back().map_or(0, Chunk::end_in_file);
        let file = match &state.file {
            Some(file) => Ok(Arc::clone(file)),
            None => tempfile::tempfile().map(Arc::new),
        };
        if let Ok(file) = &file {
            state.file = Some(Arc::clone(file));
        }
        Some((state.first, events, file.map(|file| (file, offset))))
    }
}

impl State {
    /// The position of the oldest event that is kept.
    fn start(&self) -> u64 {
        self.chunks.front().map_or(self.first, |chunk| chunk.first)
    }

    /// Events were moved to a chunk. Returns them, to be dropped; some may have been released meanwhile.
    fn moved(&mut self, chunk: Chunk) -> Vec<Arc<Event>> {
        let end = chunk.end();
        if self.first >= end {
            return Vec::new();
        }
        let moved = self.take_front((end - self.first) as usize);
        self.chunks.push_back(chunk);
        moved
    }

    fn take_front(&mut self, count: usize) -> Vec<Arc<Event>> {
        let taken: Vec<_> = self.events.drain(..count).collect();
        self.first += count as u64;
        self.bytes -= taken.iter().map(|event| weight(event)).sum::<usize>();
        taken
    }

    fn end(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    fn wake_readers(&self) {
        for reader in self.readers.values() {
            reader.wake.notify_one();
        }
    }

    /// The chunk that holds a position, if it is on disk.
    fn chunk(&self, position: u64) -> Option<Chunk> {
        let at = self.chunks.partition_point(|chunk| chunk.end() <= position);
        self.chunks.get(at).cloned()
    }

    fn slice(&self, position: u64, limit: usize) -> Vec<Arc<Event>> {
        let skip = usize::try_from(position.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.events.iter().skip(skip).take(limit).cloned().collect()
    }

    /// Takes out what no reader needs. The caller drops it after unlocking, as freeing many events takes time.
    fn take_unneeded(&mut self) -> (Vec<Arc<Event>>, Option<Arc<File>>) {
        let end = self.end();
        let needed = self.readers.values().map(|reader| reader.held_from).min().unwrap_or(end).min(end);
        while self.chunks.front().is_some_and(|chunk| chunk.end() <= needed) {
            self.chunks.pop_front();
        }
        let count = needed.saturating_sub(self.first) as usize;
        // What is on disk is given back when nothing there is needed any more.
        let file = if self.chunks.is_empty() && self.spilling == Spilling::No { self.file.take() } else { None };
        (self.take_front(count), file)
    }
}

/// How many events a reader gets at once.
const MAX_BATCH: usize = 4_096;

/// A reader of an [`EventLog`]. Read it with [`next`](Subscription::next), or give it to a reporter.
#[derive(Debug)]
pub struct Subscription {
    shared: Arc<Shared>,
    id: u64,
    wake: Arc<Notify>,
    /// Where `next` goes on.
    position: u64,
    /// The chunk that was read last: readers take a part of one at a time.
    chunk: Option<(u64, Vec<Arc<Event>>)>,
    /// What is on disk could not be read back.
    failed: bool,
}

impl Subscription {
    /// Events since the last time, in order, at least one; waits for it. Of many, only some: the others come next.
    /// `None` when the log is closed and read to its end. The log forgets the events that every subscription has read. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Vec<Arc<Event>>> {
        if !self.ready(self.position).await {
            return None;
        }
        Some(self.some(MAX_BATCH)).filter(|events| !events.is_empty())
    }

    /// All events since the last time, none if there are none, without waiting.
    pub fn try_next(&mut self) -> Vec<Arc<Event>> {
        let mut all = Vec::new();
        loop {
            let events = self.some(usize::MAX);
            if events.is_empty() {
                return all;
            }
            all.extend(events);
        }
    }

    fn some(&mut self, limit: usize) -> Vec<Arc<Event>> {
        let events = self.at(self.position, limit);
        self.position += events.len() as u64;
        self.release(self.position);
        events
    }

    /// Events from a position on, from memory or from disk.
    fn at(&mut self, position: u64, limit: usize) -> Vec<Arc<Event>> {
        let chunk = {
            let state = self.shared.lock();
            match state.chunk(position) {
                None => return state.slice(position, limit),
                Some(chunk) => chunk,
            }
        };
        let events = match &self.chunk {
            Some((first, events)) if *first == chunk.first => events,
            _ => match chunk.read() {
                Ok(events) => &self.chunk.insert((chunk.first, events)).1,
                Err(error) => {
                    tracing::error!(%error, "events cannot be read back from disk; whoever reads them gets no more");
                    self.failed = true;
                    return Vec::new();
                }
            },
        };
        let skip = usize::try_from(position - chunk.first).unwrap_or(usize::MAX);
        events.iter().skip(skip).take(limit).cloned().collect()
    }
}

impl EventSource for Subscription {
    fn start(&self) -> u64 {
        let state = self.shared.lock();
        state.readers.get(&self.id).map_or(state.start(), |reader| reader.held_from)
    }

    fn end(&self) -> u64 {
        self.shared.lock().end()
    }

    async fn ready(&mut self, position: u64) -> bool {
        loop {
            if self.failed {
                return false;
            }
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
        self.at(position, limit)
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
    use hotcell_machine::{EventKind, ExecutionId, LogLevel, LogStream};

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

    /// An event with some data, so that many take memory.
    fn large(sequence: u64) -> Event {
        let message = format!("{sequence} {}", "x".repeat(10_000));
        let kind = EventKind::TaskLog { level: LogLevel::Info, stream: LogStream::Stdout, message };
        Event { kind, ..event(sequence) }
    }

    /// Waits until the thread that moves events has nothing to do.
    fn settled(log: &EventLog) {
        while log.writer.shared.lock().spilling == Spilling::Yes {
            std::thread::yield_now();
        }
    }

    #[tokio::test]
    async fn a_reader_that_lags_behind_takes_no_memory_and_misses_nothing() {
        let log = EventLog::new();
        let (mut slow, mut quick) = (log.subscribe(), log.subscribe());
        let mut seen = Vec::new();
        for sequence in 1..=10_000 {
            log.append([large(sequence)]);
            seen.extend(numbers(&quick.try_next()));
            settled(&log);
            assert!(log.writer.shared.lock().bytes <= MAX_MEMORY, "at {sequence}");
        }
        assert_eq!(seen, (1..=10_000).collect::<Vec<u64>>());
        assert_eq!(log.len(), 10_000);
        log.close();

        let mut read = Vec::new();
        while let Some(events) = slow.next().await {
            assert!(events.iter().all(|event| **event == large(event.sequence)));
            read.extend(numbers(&events));
        }

        assert_eq!(read, (1..=10_000).collect::<Vec<u64>>());
        drop(quick);
        assert!(log.is_empty() && log.writer.shared.lock().file.is_none());
    }

    #[tokio::test]
    async fn a_reporter_reads_any_part_of_what_is_on_disk_until_it_is_released() {
        let log = EventLog::new();
        let mut reader = log.subscribe();
        log.append((1..=4_000).map(large));
        settled(&log);

        assert_eq!(numbers(&reader.read(1_500, 3).await), [1_501, 1_502, 1_503]);
        assert_eq!(numbers(&reader.read(0, 2).await), [1, 2]);
        reader.release(2_000);
        assert_eq!((reader.start(), reader.end()), (2_000, 4_000));
        assert_eq!(numbers(&reader.read(2_000, 1).await), [2_001]);
        assert_eq!(numbers(&reader.read(3_999, 5).await), [4_000]);
    }

    #[test]
    fn readers_and_writers_at_the_same_time_lose_nothing() {
        let log = EventLog::new();
        let mut reader = log.subscribe();
        let writer = std::thread::spawn(move || (1..=20_000).for_each(|sequence| log.append([large(sequence)])));
        let mut next = 1;
        while next <= 20_000 {
            for event in reader.some(100) {
                assert_eq!(event.sequence, next);
                next += 1;
            }
        }
        writer.join().expect("it does not panic");
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
