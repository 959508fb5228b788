//! The executions that are drawn, in the order in which they were first heard of.

use hotcell_machine::{Event, ExecutionId};
use indexmap::IndexMap;

use super::execution::{Change, Execution};

/// How many executions are followed at once. For one more, the oldest is forgotten.
const MOST: usize = 256;

/// The executions that are drawn.
#[derive(Debug, Default)]
pub(super) struct Executions {
    all: IndexMap<ExecutionId, Execution>,
}

impl Executions {
    /// The execution of an event, what the event changed in it, and the execution that had to make room for it.
    pub(super) fn apply(&mut self, event: &Event) -> (&Execution, Option<Change>, Option<Execution>) {
        let mut forgotten = None;
        if !self.all.contains_key(&event.execution) && self.all.len() >= MOST {
            let over = self.all.values().position(|execution| execution.phase.is_over());
            forgotten = self.all.shift_remove_index(over.unwrap_or(0)).map(|(_, execution)| execution);
        }
        let execution = self.all.entry(event.execution.clone()).or_insert_with(|| Execution::new(event));
        let change = execution.apply(event);
        (execution, change, forgotten)
    }

    pub(super) fn forget(&mut self, id: &ExecutionId) {
        self.all.shift_remove(id);
    }

    /// Takes out those that are over, but not the last one of all.
    pub(super) fn retire(&mut self) -> Vec<Execution> {
        let mut retired = Vec::new();
        while self.all.len() > 1
            && let Some(over) = self.all.values().position(|execution| execution.phase.is_over())
        {
            retired.extend(self.all.shift_remove_index(over).map(|(_, execution)| execution));
        }
        retired
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &Execution> {
        self.all.values()
    }
}
