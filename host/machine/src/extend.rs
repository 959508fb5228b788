//! Extensions: tasks that are performed before and after the tasks that they extend.
//!
//! They happen within the extended task, which is completed when they are. An extension whose `when` holds applies:
//! its `before` gets the raw input, its `after` the transformed output. What they put out is dropped, and the
//! extended task gets and gives what it would without them; but a `before` that is left with `then: exit` stands for
//! the task, whose raw output its own is. Of the extensions then only those before that one still come after.

use hotcell_definition::Problem;
use hotcell_expression::Data;

use crate::bindings::Place;
use crate::machine::Run;
use crate::program::{Block, Flow, Node};
use crate::state::{Doing, Extending, Frame, Side, Step};

impl<'a> Run<'a> {
    /// Lets the extensions of a task come before it. Whether there are any.
    pub(crate) fn begin_extensions(&mut self, id: u64, node: &Node) -> bool {
        if node.extensions.is_empty() || self.state.extended(id).is_some() {
            return false;
        }
        self.frame_mut(id).doing = Doing::Extending(Box::new(Extending { position: 0, side: Side::Before }));
        self.state.agenda.push_back(Step::Extend { frame: id });
        true
    }

    /// Lets extensions come after a task that has its output. Whether there are any.
    pub(crate) fn end_extensions(&mut self, id: u64, raw_output: Data, output: Data, flow: Option<Flow>) -> bool {
        let applied = &self.frame(id).extensions;
        if applied.iter().all(|extension| self.program.extension(*extension).after.is_none()) {
            return false;
        }
        // The time of the task itself is not theirs.
        self.end_timeout(id);
        let side = Side::After { raw_output, output, flow };
        self.frame_mut(id).doing = Doing::Extending(Box::new(Extending { position: 0, side }));
        self.state.agenda.push_back(Step::Extend { frame: id });
        true
    }

    /// The next extension of a task, or the task itself.
    pub(crate) fn extend(&mut self, id: u64) {
        let frame = self.frame(id);
        let (Some(node), Doing::Extending(extending)) = (frame.node, &frame.doing) else { return };
        let node = self.program.node(node);
        let position = extending.position as usize;
        match &extending.side {
            Side::Before => match node.extensions.get(position) {
                Some(extension) => match self.extend_before(id, *extension) {
                    Ok(true) => {}
                    Ok(false) => self.extension_ended(id),
                    Err(problem) => self.fail(id, problem),
                },
                None => {
                    self.frame_mut(id).doing = Doing::Nothing;
                    if let Err(problem) = self.begin_task(id, node) {
                        self.fail(id, problem);
                    }
                }
            },
            Side::After { output, flow, .. } => {
                let (output, flow) = (output.clone(), *flow);
                match frame.extensions.get(position) {
                    Some(extension) if self.program.extension(*extension).after.is_some() => {
                        self.next(id, None, output)
                    }
                    Some(_) => self.extension_ended(id),
                    None => {
                        self.frame_mut(id).doing = Doing::Nothing;
                        self.conclude(id, node, output, flow);
                    }
                }
            }
        }
    }

    /// Whether an extension applies and does something before the task.
    fn extend_before(&mut self, id: u64, extension: u32) -> Result<bool, Problem> {
        let program = self.program;
        let plan = program.extension(extension);
        let input = self.frame(id).raw_input.clone();
        if let Some(when) = &plan.when
            && !self.holds(id, Place::TaskInput, "when", when, &input)?
        {
            return Ok(false);
        }
        self.frame_mut(id).extensions.push(extension);
        if plan.before.is_some() {
            self.next(id, None, input);
        }
        Ok(plan.before.is_some())
    }

    /// An extension has done what it does on this side of the task.
    pub(crate) fn extension_ended(&mut self, id: u64) {
        if let Doing::Extending(extending) = &mut self.frame_mut(id).doing {
            extending.position += 1;
        }
        self.state.agenda.push_back(Step::Extend { frame: id });
    }

    /// `then: exit` in an extension. Whether it skips the task that is extended.
    pub(crate) fn exit_extension(&mut self, id: u64, output: &Data) -> bool {
        let frame = self.frame_mut(id);
        let Doing::Extending(extending) = &frame.doing else { return false };
        if !matches!(extending.side, Side::Before) {
            return false;
        }
        frame.extensions.pop();
        frame.doing = Doing::Nothing;
        self.state.agenda.push_back(Step::Complete { frame: id, output: output.clone(), flow: None });
        true
    }

    /// The tasks of the extension that is performed.
    pub(crate) fn extension_block(&self, frame: &Frame, extending: &Extending) -> Option<&'a Block> {
        let position = extending.position as usize;
        let node = self.program.node(frame.node?);
        match extending.side {
            Side::Before => self.program.extension(*node.extensions.get(position)?).before.as_ref(),
            Side::After { .. } => self.program.extension(*frame.extensions.get(position)?).after.as_ref(),
        }
    }
}
