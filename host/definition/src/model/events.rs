//! Events: emitted, listened for, correlated.

use indexmap::IndexMap;
use serde_json::Map;
use serde_json::Value;

use super::{Expression, SubscriptionIterator, Template};

/// `emit`: publishes an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Emit {
    /// The attributes and data of the event. `type` is present.
    pub event: Map<String, Value>,
}

/// `listen`: waits for events.
#[derive(Debug, Clone, PartialEq)]
pub struct Listen {
    /// Which events.
    pub to: EventStrategy,
    /// How they are read. Default: their data.
    pub read: ReadAs,
    /// What is done with each.
    pub foreach: Option<SubscriptionIterator>,
}

/// How events are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReadAs {
    /// Their data.
    #[default]
    Data,
    /// All of them, attributes included.
    Envelope,
    /// Their data as it came.
    Raw,
}

/// Which events are waited for.
#[derive(Debug, Clone, PartialEq)]
pub enum EventStrategy {
    /// One of each.
    All(Vec<EventFilter>),
    /// Any of them; all that come, if the list is empty.
    Any(Vec<EventFilter>, Option<Box<Until>>),
    /// One.
    One(EventFilter),
}

/// When listening to any of several events ends.
#[derive(Debug, Clone, PartialEq)]
pub enum Until {
    /// When this holds.
    Condition(Expression),
    /// When these have come. They are not part of the output.
    Events(EventStrategy),
}

/// Which events match.
#[derive(Debug, Clone, PartialEq)]
pub struct EventFilter {
    /// The attributes that an event must have: literals, regular expressions or runtime expressions.
    pub with: Template,
    /// Links between events and data, by name.
    pub correlate: IndexMap<String, Correlation>,
}

/// A link between an event and data.
#[derive(Debug, Clone, PartialEq)]
pub struct Correlation {
    /// Yields the value from the event.
    pub from: Expression,
    /// What it must be: a constant or an expression. Default: what the first event had.
    pub expect: Option<Template>,
}
