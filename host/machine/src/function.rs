//! Calls of functions that are tasks themselves.
//!
//! The function is performed within the call, as a task of its own. Its references start at the call: the tasks of
//! `/do/0/fetch` are `/do/0/fetch/call`, `/do/0/fetch/call/do/0/first`, as if the function were written where its
//! name is. It has no variables but its input; `$context` is the workflow's.

use std::sync::Arc;

use hotcell_definition::{ErrorKind, Problem, TaskReference};
use hotcell_expression::Data;

use crate::bindings::Place;
use crate::machine::Run;
use crate::program::{FunctionPlan, Node};
use crate::state::{Doing, Frame};

/// How deep functions may call functions. Answers functions that call themselves.
const MAX_NESTED_FUNCTIONS: usize = 32;

/// How long the reference of a task in a function may be. It is repeated with every event.
const MAX_REFERENCE_BYTES: usize = 16 << 10;

impl Run<'_> {
    pub(crate) fn begin_function(&mut self, id: u64, plan: &FunctionPlan, input: Data) -> Result<(), Problem> {
        let depth = self.state.ancestry(id).filter(|(_, frame)| matches!(frame.doing, Doing::Function)).count();
        let length = self.reference(id).map_or(0, |reference| reference.as_str().len());
        if depth >= MAX_NESTED_FUNCTIONS || length > MAX_REFERENCE_BYTES {
            let detail = format!(
                "functions call each other more than {MAX_NESTED_FUNCTIONS} levels deep; if one calls itself, let a \
                 `for` do it instead"
            );
            return Err(Problem::new(ErrorKind::Runtime, "Nesting limit", detail));
        }
        let input = match &plan.input {
            Some(template) => self.evaluate(id, Place::TaskDefinition, "with", template, &input)?,
            None => input,
        };
        self.frame_mut(id).doing = Doing::Function;
        self.next(id, None, input);
        Ok(())
    }

    /// Where the references of the tasks within a frame start.
    pub(crate) fn base_within(&self, parent: u64) -> Option<Arc<TaskReference>> {
        let frame = self.frame(parent);
        match &frame.doing {
            // Those of an extension are whole.
            Doing::Extending(_) => None,
            Doing::Function => self.reference(parent).map(|call| Arc::new(call.join("call"))),
            _ => frame.base.clone(),
        }
    }
}

impl Frame {
    /// Where the task of the frame stands.
    pub(crate) fn reference(&self, node: &Node) -> Arc<TaskReference> {
        match &self.base {
            Some(base) => Arc::new(base.append(&node.reference)),
            None => Arc::clone(&node.reference),
        }
    }
}
