//! A document as a tree that knows where each key and each value stood.

use serde_json::{Map, Value};

use crate::Place;

/// A value's index in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeId(pub(crate) u32);

/// A document. Values live in one list, so that aliases share what they name and nothing is dropped by recursion.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    pub(crate) root: NodeId,
}

/// A value.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
    /// What the value holds with everything beneath it, repetitions by aliases included.
    pub(crate) weight: Weight,
}

/// The three kinds of values.
#[derive(Debug)]
pub(crate) enum Kind {
    Scalar(Value),
    Sequence(Vec<NodeId>),
    Mapping(Vec<Entry>),
}

/// An entry of an object, in the order in which they stand. No two have the same name.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: Box<str>,
    pub(crate) place: Place,
    pub(crate) value: NodeId,
}

/// How much there is in a value.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weight {
    pub(crate) values: u64,
    pub(crate) text: u64,
    pub(crate) height: usize,
}

impl Weight {
    /// Adds what stands beneath.
    pub(crate) fn hold(&mut self, beneath: Weight) {
        self.values = self.values.saturating_add(beneath.values);
        self.text = self.text.saturating_add(beneath.text);
        self.height = self.height.max(beneath.height + 1);
    }
}

impl Tree {
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The entry of an object by its name.
    pub(crate) fn entry(&self, id: NodeId, name: &str) -> Option<&Entry> {
        match &self.node(id).kind {
            Kind::Mapping(entries) => entries.iter().find(|entry| &*entry.name == name),
            _ => None,
        }
    }

    /// A value as plain data. Recursive, as deep as the tree is: at most [`super::MAX_DEPTH`].
    pub(crate) fn value(&self, id: NodeId) -> Value {
        match &self.node(id).kind {
            Kind::Scalar(value) => value.clone(),
            Kind::Sequence(items) => items.iter().map(|item| self.value(*item)).collect(),
            Kind::Mapping(entries) => {
                let mut members = Map::with_capacity(entries.len());
                for entry in entries {
                    members.insert(String::from(&*entry.name), self.value(entry.value));
                }
                Value::Object(members)
            }
        }
    }

    /// Where to point at when something is wrong with a value as a whole: the value itself if it is a scalar, the
    /// first key or the opening of a collection otherwise.
    pub(crate) fn headline(&self, id: NodeId) -> Place {
        let node = self.node(id);
        match &node.kind {
            Kind::Mapping(entries) => entries.first().map_or(node.place, |entry| entry.place),
            _ => node.place,
        }
    }
}
