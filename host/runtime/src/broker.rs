//! The event broker of a process: what is published in it, and who waits for what.
//!
//! Everything that is published gets a [`Position`]. The broker holds the last [`Broker::MAX_EVENTS`] events, as far as
//! they fit into [`Broker::MAX_BYTES`]; who listens asks for the next one beyond a position, and gets it at once or when
//! it is published. So every listener goes at its own pace, a slow one slows nobody, and one that begins late hears what
//! is still held. One that is so slow that what it has not heard had to go is told so.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hotcell_machine::{CloudEvent, Interest, Position, Positions};
use tokio::sync::oneshot;

/// An event broker. Cheap to clone; all clones are the same broker.
///
/// ```
/// # use hotcell_machine::{CloudEvent, Interest, Position};
/// # use hotcell_runtime::Broker;
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let broker = Broker::default();
/// let event = r#"{"specversion": "1.0", "id": "1", "source": "/example", "type": "com.example.a"}"#;
/// broker.publish(CloudEvent::from_json(event).unwrap());
///
/// let heard = broker.next(Position(0), &Interest::Types(vec!["com.example.a".into()])).await.unwrap();
/// assert_eq!((heard.position, heard.event.id()), (Position(1), "1"));
/// // From here, `broker.next(heard.position, …)` waits for the one after it.
/// # });
/// ```
#[derive(Clone, Default)]
pub struct Broker {
    held: Arc<Mutex<Held>>,
}

/// An event, and where it stands among all that were published.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// Its position.
    pub position: Position,
    /// The position of the oldest event that is still held.
    pub oldest: Position,
    /// The event.
    pub event: CloudEvent,
}

/// Events of interest beyond the position that was named are not held any more: whoever asks was too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("events that have not been heard are not held any more")]
pub struct EventsLost;

/// Which event is next.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Next {
    /// The first one that is held beyond a position.
    From(Position),
    /// The one after that position, up to which all have been heard; if some beyond it are gone, they are missed.
    After(Position),
}

/// What is delivered to whoever has asked.
pub(crate) type Delivery = Box<dyn FnOnce(Result<Published, EventsLost>) + Send>;

/// A request that has not been answered. Dropping it withdraws it.
pub(crate) struct Ticket {
    broker: Broker,
    number: u64,
}

#[derive(Default)]
struct Held {
    /// The position of the last event that was published.
    last: u64,
    events: BTreeMap<u64, CloudEvent>,
    by_type: HashMap<Arc<str>, BTreeSet<u64>>,
    weight: u64,
    /// The position of the last event of each type that had to go, and of those whose type is not known any more.
    gone_by_type: HashMap<Arc<str>, u64>,
    gone_otherwise: u64,
    gone: u64,
    waiting: BTreeMap<u64, Waiting>,
    requests: u64,
}

struct Waiting {
    after: Position,
    interest: Interest,
    deliver: Delivery,
}

impl Broker {
    /// How many events are held: the last 65,536.
    pub const MAX_EVENTS: usize = 65_536;

    /// How much memory the events that are held may take, roughly: 128 MiB. The last one is held whatever it takes.
    pub const MAX_BYTES: u64 = 128 << 20;

    /// Publishes an event: everyone who waits for it gets it, and everyone who will ask for it while it is held.
    pub fn publish(&self, event: CloudEvent) -> Position {
        let (published, deliveries) = self.held().publish(event);
        for deliver in deliveries {
            deliver(Ok(published.clone()));
        }
        published.position
    }

    /// The position of the last event that was published, 0 if there is none. Who listens only for what comes from now
    /// on begins here.
    pub fn position(&self) -> Position {
        Position(self.held().last)
    }

    /// The next event of interest beyond a position. [`Position`] 0 stands for everything that is held.
    ///
    /// # Errors
    /// [`EventsLost`] if some that were of interest are not held any more. To go on, ask again from
    /// [`Broker::position`], or from 0.
    pub async fn next(&self, after: Position, interest: &Interest) -> Result<Published, EventsLost> {
        let (sender, receiver) = oneshot::channel();
        let deliver = Box::new(move |delivery| {
            // Who has gone away does not want it any more.
            let _ = sender.send(delivery);
        });
        let next = if after == Position(0) { Next::From(after) } else { Next::After(after) };
        let _ticket = self.request(next, interest.clone(), &Positions::default(), deliver);
        receiver.await.expect("the ticket is held until the answer comes")
    }

    /// The position before the oldest event that is held: from there on nothing has been lost.
    pub fn before_oldest(&self) -> Position {
        Position(self.held().oldest().0 - 1)
    }

    /// Asks for the next event of interest, but for some. It is delivered once, here or on the thread
    /// that publishes it.
    pub(crate) fn request(
        &self,
        next: Next,
        interest: Interest,
        except: &Positions,
        deliver: Delivery,
    ) -> Option<Ticket> {
        let mut held = self.held();
        let (Next::From(after) | Next::After(after)) = next;
        let answer = if matches!(next, Next::After(_)) && held.has_lost(after, &interest) {
            Err(EventsLost)
        } else if let Some(found) = held.find(after, &interest, except) {
            Ok(found)
        } else {
            held.requests += 1;
            let number = held.requests;
            held.waiting.insert(number, Waiting { after, interest, deliver });
            return Some(Ticket { broker: self.clone(), number });
        };
        drop(held);
        deliver(answer);
        None
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let held = self.held();
        f.debug_struct("Broker")
            .field("position", &held.last)
            .field("events", &held.events.len())
            .field("waiting", &held.waiting.len())
            .finish_non_exhaustive()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let withdrawn = self.broker.held().waiting.remove(&self.number);
        // Not while the broker is locked: what it holds may do whatever it likes when it goes.
        drop(withdrawn);
    }
}

impl Held {
    fn publish(&mut self, event: CloudEvent) -> (Published, Vec<Delivery>) {
        self.last += 1;
        let position = self.last;
        let kind: Arc<str> = match self.by_type.get_key_value(event.kind()) {
            Some((known, _)) => Arc::clone(known),
            None => event.kind().into(),
        };
        self.weight += weight(&event);
        self.events.insert(position, event.clone());
        self.by_type.entry(kind).or_default().insert(position);
        while self.events.len() > Broker::MAX_EVENTS || (self.weight > Broker::MAX_BYTES && self.events.len() > 1) {
            self.let_go();
        }
        let position = Position(position);
        let published = Published { position, oldest: self.oldest(), event };
        let wants = |waiting: &Waiting| waiting.after < position && waiting.interest.includes(published.event.kind());
        let chosen: Vec<u64> =
            self.waiting.iter().filter(|(_, waiting)| wants(waiting)).map(|(number, _)| *number).collect();
        let deliveries = chosen.iter().filter_map(|number| self.waiting.remove(number)).map(|waiting| waiting.deliver);
        let deliveries = deliveries.collect();
        (published, deliveries)
    }

    /// The oldest event has to go.
    fn let_go(&mut self) {
        let Some((position, event)) = self.events.pop_first() else { return };
        self.weight -= weight(&event);
        self.gone = position;
        let Some((kind, _)) = self.by_type.get_key_value(event.kind()) else { return };
        let kind = Arc::clone(kind);
        if let Some(positions) = self.by_type.get_mut(&kind) {
            positions.remove(&position);
            if positions.is_empty() {
                self.by_type.remove(&kind);
            }
        }
        // Whoever invents a new type for each event makes nothing grow.
        if self.gone_by_type.len() < MAX_KNOWN_TYPES || self.gone_by_type.contains_key(&kind) {
            self.gone_by_type.insert(kind, position);
        } else {
            self.gone_otherwise = position;
        }
    }

    fn oldest(&self) -> Position {
        Position(self.events.keys().next().copied().unwrap_or(self.last + 1))
    }

    /// Whether something of interest beyond a position is not held any more.
    fn has_lost(&self, after: Position, interest: &Interest) -> bool {
        match interest {
            Interest::Everything => self.gone > after.0,
            Interest::Types(types) => {
                let gone = |kind: &Arc<str>| self.gone_by_type.get(kind).copied().unwrap_or(self.gone_otherwise);
                types.iter().any(|kind| gone(kind) > after.0)
            }
        }
    }

    fn find(&self, after: Position, interest: &Interest, except: &Positions) -> Option<Published> {
        let wanted = |position: &u64| !except.contains(Position(*position));
        let beyond = after.0 + 1..;
        let position = match interest {
            Interest::Everything => self.events.range(beyond).map(|(position, _)| *position).find(wanted),
            Interest::Types(types) => {
                let each = types.iter().filter_map(|kind| self.by_type.get(kind));
                each.filter_map(|positions| positions.range(beyond.clone()).copied().find(wanted)).min()
            }
        }?;
        let event = self.events.get(&position)?.clone();
        Some(Published { position: Position(position), oldest: self.oldest(), event })
    }
}

/// How many types of events that had to go are remembered.
const MAX_KNOWN_TYPES: usize = 1_000;

/// What an event takes in memory, roughly: its text, and what each value takes besides.
fn weight(event: &CloudEvent) -> u64 {
    const PER_VALUE: u64 = 64;
    event.envelope().bytes() + PER_VALUE * u64::from(event.envelope().values())
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn event(id: u64, kind: &str) -> CloudEvent {
        let text = format!(r#"{{"specversion": "1.0", "id": "{id}", "source": "/test", "type": "{kind}"}}"#);
        CloudEvent::from_json(&text).unwrap()
    }

    fn types(kinds: &[&str]) -> Interest {
        Interest::Types(kinds.iter().map(|kind| Arc::from(*kind)).collect())
    }

    #[test]
    fn events_are_heard_in_order_by_everyone_at_their_own_pace() {
        let broker = Broker::default();
        for (id, kind) in [(1, "a"), (2, "b"), (3, "a")] {
            assert_eq!(broker.publish(event(id, kind)), Position(id));
        }
        let next = |after, interest: &Interest| {
            broker.next(Position(after), interest).now_or_never().map(|heard| heard.unwrap().position.0)
        };
        assert_eq!([0, 1, 2].map(|after| next(after, &Interest::Everything)), [Some(1), Some(2), Some(3)]);
        assert_eq!([0, 1].map(|after| next(after, &types(&["a"]))), [Some(1), Some(3)]);
        assert_eq!(next(0, &types(&["c", "b"])), Some(2));
        assert_eq!(next(3, &Interest::Everything), None);
        assert_eq!(next(0, &types(&["c"])), None);
        assert_eq!(broker.position(), Position(3));
    }

    #[test]
    fn who_waits_gets_what_is_published_and_who_has_gone_away_is_forgotten() {
        let broker = Broker::default();
        let kind = types(&["a"]);
        let mut waiting = Box::pin(broker.next(Position(0), &kind));
        assert!(waiting.as_mut().now_or_never().is_none());
        broker.publish(event(1, "b"));
        assert!(waiting.as_mut().now_or_never().is_none());
        broker.publish(event(2, "a"));
        assert_eq!(waiting.as_mut().now_or_never().unwrap().unwrap().position, Position(2));
        let mut gone = Box::pin(broker.next(Position(2), &kind));
        assert!(gone.as_mut().now_or_never().is_none());
        drop(gone);
        assert_eq!(broker.held().waiting.len(), 0);
    }

    #[test]
    fn what_was_consumed_before_is_passed_over() {
        let broker = Broker::default();
        for id in 1..=4 {
            broker.publish(event(id, "a"));
        }
        let mut consumed = Positions::default();
        [1, 3].into_iter().for_each(|position| consumed.insert(Position(position)));
        for (after, expected) in [(0, 2), (2, 4)] {
            let (sender, receiver) = std::sync::mpsc::channel();
            let deliver = Box::new(move |heard: Result<Published, EventsLost>| sender.send(heard.unwrap()).unwrap());
            assert!(broker.request(Next::From(Position(after)), types(&["a"]), &consumed, deliver).is_none());
            assert_eq!(receiver.recv().unwrap().position, Position(expected));
        }
    }

    #[test]
    fn the_last_events_are_held_and_whoever_is_too_slow_for_them_is_told() {
        let broker = Broker::default();
        broker.publish(event(1, "rare"));
        let count = Broker::MAX_EVENTS as u64 + 10;
        for id in 2..=count {
            broker.publish(event(id, "a"));
        }
        let next = |after, interest: &Interest| broker.next(Position(after), interest).now_or_never();
        assert_eq!(next(0, &Interest::Everything).unwrap().unwrap().position, Position(11), "the oldest that is held");
        assert_eq!(next(5, &Interest::Everything).unwrap(), Err(EventsLost));
        assert_eq!(next(5, &types(&["a"])).unwrap(), Err(EventsLost));
        assert_eq!(next(5, &types(&["rare"])), None, "none of these has been lost since");
        assert_eq!(next(10, &types(&["a"])).unwrap().unwrap().position, Position(11));
    }

    #[test]
    fn large_events_make_way_for_each_other() {
        let broker = Broker::default();
        let text = "x".repeat(1 << 20);
        let event = format!(r#"{{"specversion": "1.0", "id": "1", "source": "/test", "type": "a", "data": "{text}"}}"#);
        let event = CloudEvent::from_json(&event).unwrap();
        for _ in 1..=200 {
            broker.publish(event.clone());
        }
        assert!(broker.held().weight <= Broker::MAX_BYTES);
        assert!(broker.held().events.len() > 100);
    }
}
