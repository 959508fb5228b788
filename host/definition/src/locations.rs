//! Where each value of a definition stood, for problems that show later.

use serde_json::Value;

use crate::expressions::Expressions;
use crate::pointer::segments;
use crate::yaml::{Kind, Tree};
use crate::{Place, TaskReference};

/// Where each value of a definition stood. Holds no data of the document but its names and its expressions.
pub struct Locations {
    pub(crate) tree: Tree,
    pub(crate) expressions: Expressions,
}

impl std::fmt::Debug for Locations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Locations").field("values", &self.tree.nodes.len()).finish()
    }
}

impl Locations {
    pub(crate) fn new(mut tree: Tree, expressions: Expressions) -> Self {
        for node in &mut tree.nodes {
            if let Kind::Scalar(value) = &mut node.kind {
                *value = Value::Null;
            }
        }
        Locations { tree, expressions }
    }

    /// Where a task stands: its name.
    pub fn task(&self, reference: &TaskReference) -> Place {
        self.pointer(reference.as_str())
    }

    /// Where the value at a JSON Pointer stands: its name, if it has one. If there is no such value, where the last one
    /// on the way to it stands. A list of tasks that was written as an object is entered by index and name as well.
    pub fn pointer(&self, pointer: &str) -> Place {
        let mut node = self.tree.root;
        let mut place = self.tree.headline(node);
        let mut segments = segments(pointer).peekable();
        while let Some(segment) = segments.next() {
            match &self.tree.node(node).kind {
                Kind::Scalar(_) => break,
                Kind::Sequence(items) => {
                    let Some(item) = segment.parse().ok().and_then(|index: usize| items.get(index)) else { break };
                    node = *item;
                    place = self.tree.headline(node);
                }
                Kind::Mapping(entries) => {
                    let by_name = entries.iter().find(|entry| *entry.name == segment);
                    let by_index = segment.parse().ok().and_then(|index: usize| entries.get(index));
                    let entry = match (by_name, by_index) {
                        (Some(entry), _) => entry,
                        (None, Some(entry)) if segments.next_if(|name| **name == *entry.name).is_some() => entry,
                        _ => break,
                    };
                    node = entry.value;
                    place = entry.place;
                }
            }
        }
        place
    }
}
