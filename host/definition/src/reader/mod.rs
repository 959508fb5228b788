//! Reads values of the tree as what the DSL says they are, and reports whatever is not.
//!
//! Decoding a value never stops at a problem: what could not be read is `None`, the problem is in the list, and the
//! next field is read. The definition exists only if there is no problem in the end.

mod declared;
mod expression;
mod node;
mod object;
mod scope;

use std::cell::{Cell, RefCell};

pub(crate) use declared::{Component, Declared};
pub(crate) use expression::is_expression;
pub(crate) use node::Node;
pub(crate) use object::Object;
pub(crate) use scope::{Binding, Row, Scope};

use crate::expressions::{Expressions, MAX_CHECKED_EXPRESSIONS, Site};
use crate::pointer::Pointer;
use crate::problems::Problems;
use crate::schemas::MAX_CHECKED_SCHEMAS;
use crate::yaml::{Kind, MAX_TASK_DATA, MAX_TEXT_BYTES, MAX_VALUES, NodeId, Tree, Weight};

/// What all readers of one document share.
pub(crate) struct Reader<'d> {
    text: &'d str,
    tree: &'d Tree,
    declared: Declared<'d>,
    problems: RefCell<Problems>,
    /// How each value that was visited was reached; aliases can be reached in several ways.
    steps: RefCell<Vec<Step>>,
    task_data: RefCell<Weight>,
    /// Where what is read now stands, as far as expressions see it.
    scope: Cell<Scope>,
    bound: RefCell<Vec<Binding>>,
    sites: RefCell<Vec<Site>>,
    omitted_sites: Cell<usize>,
    schemas: RefCell<Vec<PathId>>,
}

/// A step from one value into another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    from: PathId,
    segment: Segment,
}

#[derive(Debug, Clone, Copy)]
enum Segment {
    Entry(NodeId, u32),
    Index(u32),
}

/// How a value was reached: the index of the last step, or nothing for the root.
pub(crate) type PathId = Option<u32>;

impl<'d> Reader<'d> {
    pub(crate) fn new(text: &'d str, tree: &'d Tree, problems: Problems) -> Self {
        Reader {
            text,
            tree,
            declared: Declared::of(tree),
            problems: RefCell::new(problems),
            steps: RefCell::default(),
            task_data: RefCell::default(),
            scope: Cell::default(),
            bound: RefCell::default(),
            sites: RefCell::default(),
            omitted_sites: Cell::default(),
            schemas: RefCell::default(),
        }
    }

    pub(crate) fn root(&self) -> Node<'_> {
        Node::root(self)
    }

    /// What was found wrong, and the expressions that were read.
    pub(crate) fn finish(self) -> (Problems, Expressions) {
        let expressions = Expressions {
            sites: self.sites.into_inner(),
            steps: self.steps.into_inner(),
            bound: self.bound.into_inner(),
            omitted: self.omitted_sites.get(),
            schemas: self.schemas.into_inner(),
        };
        (self.problems.into_inner(), expressions)
    }

    /// Remembers an expression, so that it can be checked later.
    fn remember(&self, site: Site) {
        let mut sites = self.sites.borrow_mut();
        if sites.len() < MAX_CHECKED_EXPRESSIONS {
            sites.push(site);
        } else {
            self.omitted_sites.set(self.omitted_sites.get() + 1);
        }
    }

    /// Remembers where a schema stands, so that it can be checked later.
    fn remember_schema(&self, path: PathId) {
        let mut schemas = self.schemas.borrow_mut();
        if schemas.len() < MAX_CHECKED_SCHEMAS {
            schemas.push(path);
        }
    }

    /// Whether the data of a task may be kept, together with that of all tasks before.
    pub(crate) fn may_keep_task(&self, weight: Weight) -> bool {
        let mut kept = self.task_data.borrow_mut();
        kept.values = kept.values.saturating_add(weight.values);
        kept.text = kept.text.saturating_add(weight.text);
        kept.values <= MAX_VALUES * MAX_TASK_DATA && kept.text <= MAX_TEXT_BYTES * MAX_TASK_DATA
    }

    fn step(&self, from: PathId, segment: Segment) -> PathId {
        let mut steps = self.steps.borrow_mut();
        steps.push(Step { from, segment });
        Some(steps.len() as u32 - 1)
    }

    fn pointer(&self, path: PathId) -> String {
        pointer(self.tree, &self.steps.borrow(), path)
    }
}

/// The JSON Pointer of a value that was reached by these steps.
pub(crate) fn pointer(tree: &Tree, steps: &[Step], mut path: PathId) -> String {
    let mut segments = Vec::new();
    while let Some(step) = path.map(|at| steps[at as usize]) {
        segments.push(step.segment);
        path = step.from;
    }
    let mut pointer = Pointer::default();
    for segment in segments.into_iter().rev() {
        match segment {
            Segment::Index(index) => pointer.index(index as usize),
            Segment::Entry(mapping, index) => match &tree.node(mapping).kind {
                Kind::Mapping(entries) => pointer.name(&entries[index as usize].name),
                _ => unreachable!("entries stand in mappings"),
            },
        }
    }
    pointer.0
}
