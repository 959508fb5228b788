//! How tasks begin and end, what data passes between them, and where the flow goes next.

use std::collections::BTreeSet;
use std::sync::Arc;

use hotcell_definition::{Problem, TaskReference};
use hotcell_expression::{Data, Expression, Scope, Template};
use jiff::Timestamp;

use crate::bindings::{Arguments, Place};
use crate::machine::Run;
use crate::mask;
use crate::problem::{expression_problem, schema_problem, validation_problem};
use crate::program::{Block, DurationPlan, Flow, Kind, Node, OutputPlan};
use crate::state::{Alarm, Doing, Frame, Purpose, ROOT, Stage, Step};
use crate::{CallId, Command, EventKind, Outcome, TimerId, calendar};

impl<'a> Run<'a> {
    /// The workflow's own input, then its first task.
    pub(crate) fn begin_workflow(&mut self) {
        self.event(EventKind::WorkflowExecuting, None);
        let program = self.program;
        let raw = self.state.input.clone();
        let result = (|| {
            self.set_timeout(ROOT, program.timeout.as_ref(), Place::WorkflowInput, &raw)?;
            let Some(plan) = &program.input else { return Ok(raw.clone()) };
            self.validate(plan.schema.as_deref(), "input.schema", &raw)?;
            match &plan.from {
                Some(from) => self.evaluate(ROOT, Place::WorkflowInput, "input.from", from, &raw),
                None => Ok(raw.clone()),
            }
        })();
        match result {
            Ok(input) => {
                let root = self.state.frames.get_mut(&ROOT).expect("the workflow has just begun");
                root.input = input.clone();
                // The specification's diagram has it: the context starts as the transformed input.
                root.context = Some(input.clone());
                self.next(ROOT, None, input);
            }
            Err(problem) => self.fail(ROOT, problem),
        }
    }

    pub(crate) fn step(&mut self, step: Step) {
        match step {
            Step::Enter { parent, position, input } => self.enter(parent, position, input),
            Step::Complete { frame, output, flow } => {
                if self.state.frames.contains_key(&frame) {
                    self.complete(frame, output, flow);
                }
            }
            Step::Fail { frame, problem } => {
                if self.state.frames.contains_key(&frame) {
                    self.close_failed(frame, problem);
                }
            }
            Step::Next { frame, position, output, flow } => {
                if self.state.frames.contains_key(&frame) {
                    self.advance(frame, position, output, flow);
                }
            }
            Step::Iterate { frame, data } => {
                if self.state.frames.contains_key(&frame) {
                    self.iterate(frame, data);
                }
            }
            Step::Extend { frame } => {
                if self.state.frames.contains_key(&frame) {
                    self.extend(frame);
                }
            }
            Step::Hear { frame, event } => self.hear(frame, &event),
        }
    }

    /// The flow reaches a task.
    fn enter(&mut self, parent_id: u64, position: u32, raw_input: Data) {
        let Some(parent) = self.state.frames.get(&parent_id) else { return };
        let Some(node_id) = self.block(parent).and_then(|block| block.get(position as usize).copied()) else { return };
        let attempt = match &parent.doing {
            Doing::Try(trying) if trying.stage == Stage::Attempting => trying.attempt,
            _ => parent.attempt,
        };
        let (iteration, context) = match &parent.doing {
            Doing::Loop { index, .. } => (Some(*index), None),
            Doing::Listen(listening) => (Some(listening.index), None),
            // A branch starts with the context at the fork, and keeps its own from there.
            Doing::Fork(_) => (parent.iteration, Some(self.state.context(parent_id))),
            _ => (parent.iteration, None),
        };
        let frame = Frame {
            parent: Some(parent_id),
            node: Some(node_id),
            position,
            raw_input: raw_input.clone(),
            input: raw_input,
            started_at: self.now,
            attempt,
            iteration,
            context,
            timeout: None,
            deadline: None,
            variables: Vec::new(),
            base: self.base_within(parent_id),
            extensions: Vec::new(),
            authorization: None,
            doing: Doing::Nothing,
        };
        let id = self.state.next_id();
        self.state.frames.insert(id, frame);
        self.task_event(id, EventKind::TaskCreated);

        let program = self.program;
        match self.begin(id, program.node(node_id)) {
            Ok(()) => {}
            Err(problem) => self.fail(id, problem),
        }
    }

    /// Whether it is performed at all, then what comes before it, then the task itself.
    fn begin(&mut self, id: u64, node: &'a Node) -> Result<(), Problem> {
        let raw = self.frame(id).raw_input.clone();
        if let Some(condition) = &node.condition
            && !self.holds(id, Place::TaskInput, "if", condition, &raw)?
        {
            self.task_event(id, EventKind::TaskSkipped);
            // Chosen: the `then` of a skipped task is not followed.
            self.leave(id, raw, Flow::Continue);
            return Ok(());
        }
        self.task_event(id, EventKind::TaskStarted);
        if self.begin_extensions(id, node) {
            return Ok(());
        }
        self.begin_task(id, node)
    }

    /// Validation and transformation of the input, then the task itself.
    pub(crate) fn begin_task(&mut self, id: u64, node: &'a Node) -> Result<(), Problem> {
        let raw = self.frame(id).raw_input.clone();
        let mut input = raw.clone();
        if let Some(plan) = &node.input {
            self.validate(plan.schema.as_deref(), "input.schema", &raw)?;
            if let Some(from) = &plan.from {
                input = self.evaluate(id, Place::TaskInput, "input.from", from, &raw)?;
                self.frame_mut(id).input = input.clone();
            }
        }
        self.set_timeout(id, node.timeout.as_ref(), Place::TaskDefinition, &input)?;
        self.perform(id, node, input)
    }

    /// A task has its raw output: it is transformed, validated, exported, and passed on.
    fn complete(&mut self, id: u64, raw_output: Data, flow: Option<Flow>) {
        let Some(node) = self.frame(id).node else { return self.complete_workflow(raw_output) };
        let node = self.program.node(node);
        match self.shape_output(
            id,
            ["output", "export"],
            node.output.as_ref(),
            node.export.as_ref(),
            raw_output.clone(),
        ) {
            Ok(output) => {
                if !self.end_extensions(id, raw_output, output.clone(), flow) {
                    self.conclude(id, node, output, flow);
                }
            }
            Err(problem) => self.fail(id, problem),
        }
    }

    /// A task has its output, and nothing comes after it any more.
    pub(crate) fn conclude(&mut self, id: u64, node: &Node, output: Data, flow: Option<Flow>) {
        self.task_event(id, EventKind::TaskCompleted);
        let data = self.payload(&output);
        self.task_event(id, EventKind::StateUpdated { data });
        self.leave(id, output, flow.unwrap_or(node.then));
    }

    /// Applies `output` and `export`, called by these names, of a task or of what it does with each item.
    pub(crate) fn shape_output(
        &mut self,
        id: u64,
        names: [&str; 2],
        output: Option<&OutputPlan>,
        export: Option<&OutputPlan>,
        raw_output: Data,
    ) -> Result<Data, Problem> {
        let output = match output {
            Some(plan) => {
                self.transform(id, Place::TaskOutput { raw_output: &raw_output }, plan, names[0], &raw_output)?
            }
            None => raw_output.clone(),
        };
        match export {
            Some(plan) if plan.transform.is_some() => {
                let place = Place::TaskExport { raw_output: &raw_output, output: &output };
                let context = self.transform(id, place, plan, names[1], &output)?;
                let holder = self.state.context_holder(id);
                self.frame_mut(holder).context = Some(context);
            }
            // `as` defaults to the context as it is.
            Some(plan) => {
                self.validate(plan.schema.as_deref(), &format!("{}.schema", names[1]), &self.state.context(id))?;
            }
            None => {}
        }
        Ok(output)
    }

    fn transform(
        &mut self,
        id: u64,
        place: Place<'_>,
        plan: &OutputPlan,
        what: &str,
        data: &Data,
    ) -> Result<Data, Problem> {
        let shaped = match &plan.transform {
            Some(transform) => self.evaluate(id, place, &format!("{what}.as"), transform, data)?,
            None => data.clone(),
        };
        self.validate(plan.schema.as_deref(), &format!("{what}.schema"), &shaped)?;
        Ok(shaped)
    }

    /// A task is over; what it stands in goes on.
    fn leave(&mut self, id: u64, output: Data, flow: Flow) {
        let context = self.state.context(id);
        let frame = self.remove(id);
        let parent_id = frame.parent.expect("the workflow does not leave anything");
        if flow == Flow::End {
            self.end_workflow(parent_id, output);
        } else if let Doing::Fork(_) = self.frame(parent_id).doing {
            self.branch_ended(parent_id, frame.position, output, context);
        } else {
            self.state.agenda.push_back(Step::Next { frame: parent_id, position: frame.position, output, flow });
        }
    }

    /// Where the flow goes in a list of tasks.
    fn advance(&mut self, id: u64, position: u32, output: Data, flow: Flow) {
        match flow {
            Flow::Continue => self.next(id, Some(position), output),
            Flow::To(target) => {
                self.state.agenda.push_back(Step::Enter { parent: id, position: target, input: output })
            }
            // `end` has ended the workflow before it got here.
            Flow::Exit if self.exit_extension(id, &output) => {}
            Flow::Exit | Flow::End => self.list_ended(id, output),
        }
    }

    /// The next task of the list that a frame performs, or the end of the list.
    pub(crate) fn next(&mut self, id: u64, after: Option<u32>, input: Data) {
        let position = after.map_or(0, |position| position + 1);
        let tasks = self.block(self.frame(id)).map_or(0, |block| block.len());
        if (position as usize) < tasks {
            self.state.agenda.push_back(Step::Enter { parent: id, position, input });
        } else {
            self.list_ended(id, input);
        }
    }

    /// A list of tasks is over: what that means depends on what performs it.
    fn list_ended(&mut self, id: u64, output: Data) {
        match &self.frame(id).doing {
            Doing::Loop { .. } => self.next_iteration(id, output),
            Doing::Try(_) => self.try_ended(id, output),
            Doing::Extending(_) => self.extension_ended(id),
            Doing::Listen(_) => self.processed(id, output),
            _ => self.state.agenda.push_back(Step::Complete { frame: id, output, flow: None }),
        }
    }

    /// The list of tasks that a frame performs.
    fn block(&self, frame: &Frame) -> Option<&'a Block> {
        let Some(node) = frame.node else { return Some(&self.program.root) };
        match (&self.program.node(node).kind, &frame.doing) {
            (_, Doing::Extending(extending)) => self.extension_block(frame, extending),
            (Kind::Do(block), _) => Some(block),
            (Kind::For(repeat), _) => Some(&repeat.body),
            (Kind::Fork { branches, .. }, _) => Some(branches),
            (Kind::Listen(plan), _) => plan.foreach.as_ref()?.tasks.as_ref(),
            (Kind::Try(attempt), Doing::Try(trying)) if trying.stage == Stage::Handling => attempt.handler.as_ref(),
            (Kind::Try(attempt), _) => Some(&attempt.body),
            (Kind::Function(plan), _) => Some(&self.program.function(plan.function).body),
            _ => None,
        }
    }

    /// A call or a child ended.
    pub(crate) fn settle(&mut self, id: u64, result: Result<Data, Problem>) {
        // Over, so that nothing cancels it and no second end is heard.
        self.frame_mut(id).doing = Doing::Nothing;
        match result {
            Ok(output) => self.state.agenda.push_back(Step::Complete { frame: id, output, flow: None }),
            Err(problem) => self.fail(id, problem),
        }
    }

    /// Something went wrong in the task of this frame. Nothing happens within it any more.
    pub(crate) fn fail(&mut self, id: u64, mut problem: Problem) {
        let reference = self.reference(id).map(|reference| reference.to_string());
        problem.instance = Some(reference.unwrap_or_default());
        mask::problem(&mut problem, self.secrets);
        self.release(id);
        self.state.agenda.push_back(Step::Fail { frame: id, problem });
    }

    /// A task has failed, and nothing happens within it any more: it is over, and what it stands in decides.
    fn close_failed(&mut self, id: u64, problem: Problem) {
        if id == ROOT {
            self.release(ROOT);
            self.event(EventKind::WorkflowFailed { error: problem.clone() }, None);
            return self.finish(Outcome::Faulted(problem));
        }
        self.task_event(id, EventKind::TaskFailed { error: problem.clone() });
        let frame = self.remove(id);
        let parent_id = frame.parent.expect("only the workflow has no parent");
        match &self.frame(parent_id).doing {
            Doing::Fork(_) => self.branch_failed(parent_id, problem),
            Doing::Try(trying) if trying.stage == Stage::Attempting => self.attempt_failed(parent_id, problem),
            _ => self.state.agenda.push_back(Step::Fail { frame: parent_id, problem }),
        }
    }

    /// `then: end`: the tasks around end with it, everything else is cancelled.
    fn end_workflow(&mut self, from: u64, output: Data) {
        let around: BTreeSet<u64> = self.state.ancestry(from).map(|(id, _)| id).collect();
        self.cancel_frames(|id| !around.contains(&id));
        let inside_out: Vec<u64> = around.into_iter().rev().filter(|id| *id != ROOT).collect();
        for id in inside_out {
            self.task_event(id, EventKind::TaskCompleted);
            self.remove(id);
        }
        self.complete_workflow(output);
    }

    /// The last task's output becomes the workflow's.
    fn complete_workflow(&mut self, raw_output: Data) {
        let program = self.program;
        let shaped = match &program.output {
            Some(plan) => self.transform(ROOT, Place::WorkflowOutput, plan, "output", &raw_output),
            None => Ok(raw_output),
        };
        match shaped {
            Ok(output) => {
                self.release(ROOT);
                let payload = self.payload(&output);
                self.event(EventKind::WorkflowCompleted { output: payload }, None);
                self.finish(Outcome::Completed(output));
            }
            Err(problem) => self.fail(ROOT, problem),
        }
    }

    pub(crate) fn cancel_workflow(&mut self, reason: Option<String>) {
        self.cancel_frames(|_| true);
        self.event(EventKind::WorkflowCancelled { reason }, None);
        self.finish(Outcome::Cancelled);
    }

    /// Interrupts everything within a frame, and stops what the frame itself waits for.
    pub(crate) fn cancel_within(&mut self, id: u64) {
        self.release(id);
        self.interrupt_below(id);
    }

    /// Interrupts everything within a frame, and forgets what was to be done next in it.
    pub(crate) fn interrupt_below(&mut self, id: u64) {
        let mut within = BTreeSet::from([id]);
        // A frame is younger than the one it is in, so one pass finds all.
        for (&inner, frame) in self.state.frames.range(id + 1..) {
            if frame.parent.is_some_and(|parent| within.contains(&parent)) {
                within.insert(inner);
            }
        }
        self.state.agenda.retain(|step| !within.contains(&step.frame()));
        within.remove(&id);
        if !within.is_empty() {
            self.cancel_frames(|inner| within.contains(&inner));
        }
    }

    /// Interrupts the tasks of these frames, the innermost first.
    pub(crate) fn cancel_frames(&mut self, chosen: impl Fn(u64) -> bool) {
        let ids: Vec<u64> = self.state.frames.keys().copied().filter(|id| chosen(*id)).rev().collect();
        for id in ids {
            self.release(id);
            if id != ROOT {
                self.task_event(id, EventKind::TaskCancelled);
                self.state.hand_over_consumed(id);
                self.state.frames.remove(&id);
            }
        }
    }

    /// Stops what a frame waits for.
    fn release(&mut self, id: u64) {
        let timers: Vec<u64> = self.frame(id).timers().collect();
        timers.into_iter().for_each(|timer| self.clear_timer(timer));
        let execution = self.state.execution.clone();
        let frame = self.frame_mut(id);
        frame.timeout = None;
        match std::mem::replace(&mut frame.doing, Doing::Nothing) {
            Doing::Call => self.turn.commands.push(Command::CancelCall { call: CallId::new(&execution, id) }),
            Doing::Child { id: child } => self.turn.commands.push(Command::CancelChild { child }),
            Doing::Listen(listening) => self.turn.commands.extend(listening.unsubscribe(id)),
            other => frame.doing = other,
        }
    }

    /// Takes a frame that is over out of the tree.
    fn remove(&mut self, id: u64) -> Frame {
        self.state.hand_over_consumed(id);
        let frame = self.state.frames.remove(&id).expect("a frame is removed once, by whoever ends it");
        frame.timers().for_each(|timer| self.clear_timer(timer));
        frame
    }

    /// Ends what bounds the time of a task.
    pub(crate) fn end_timeout(&mut self, id: u64) {
        let frame = self.frame_mut(id);
        frame.deadline = None;
        if let Some(timer) = frame.timeout.take() {
            self.clear_timer(timer);
        }
    }

    pub(crate) fn set_timer(&mut self, frame: u64, purpose: Purpose, at: Timestamp) -> u64 {
        let timer = self.state.next_id();
        self.state.timers.insert(timer, Alarm { frame, purpose });
        self.turn.commands.push(Command::SetTimer { timer: TimerId(timer), at });
        timer
    }

    /// Clears a timer, if it has not fired yet.
    pub(crate) fn clear_timer(&mut self, timer: u64) {
        if self.state.timers.remove(&timer).is_some() {
            self.turn.commands.push(Command::ClearTimer { timer: TimerId(timer) });
        }
    }

    fn set_timeout(
        &mut self,
        id: u64,
        timeout: Option<&DurationPlan>,
        place: Place<'_>,
        input: &Data,
    ) -> Result<(), Problem> {
        let Some(timeout) = timeout else { return Ok(()) };
        let span = self.duration(id, place, "timeout.after", timeout, input)?;
        let deadline = calendar::after(self.now, &span);
        let timer = self.set_timer(id, Purpose::Timeout, deadline);
        let frame = self.frame_mut(id);
        frame.timeout = Some(timer);
        frame.deadline = Some(deadline);
        Ok(())
    }

    pub(crate) fn duration(
        &mut self,
        id: u64,
        place: Place<'_>,
        what: &str,
        duration: &DurationPlan,
        input: &Data,
    ) -> Result<hotcell_definition::Span, Problem> {
        match duration {
            DurationPlan::Literal(span) => Ok(*span),
            DurationPlan::Expression(expression) => {
                let data = self.expression(id, place, what, expression, input)?;
                calendar::from_value(data.value()).map_err(|message| {
                    expression_problem(
                        what,
                        Some(expression.source()),
                        hotcell_expression::ExpressionError::Failed(message),
                    )
                })
            }
        }
    }

    /// Evaluates a free-form value. `what` is the field that it stands in.
    pub(crate) fn evaluate(
        &mut self,
        frame: u64,
        place: Place<'_>,
        what: &str,
        template: &Template,
        input: &Data,
    ) -> Result<Data, Problem> {
        let source = match template {
            Template::Expression(expression) => Some(expression.source()),
            _ => None,
        };
        let bindings = Arguments {
            program: self.program,
            state: self.state,
            frame,
            place,
            secrets: self.secrets,
            grants: self.grants,
            workflow: self.workflow,
        };
        let scope = Scope { input, bindings: &bindings, now: self.now };
        let result = template.evaluate(&scope, &mut self.evaluator);
        self.bytes += result.as_ref().map_or(0, Data::bytes);
        result.map_err(|error| expression_problem(what, source, error))
    }

    /// Evaluates an expression.
    pub(crate) fn expression(
        &mut self,
        frame: u64,
        place: Place<'_>,
        what: &str,
        expression: &Expression,
        input: &Data,
    ) -> Result<Data, Problem> {
        let bindings = Arguments {
            program: self.program,
            state: self.state,
            frame,
            place,
            secrets: self.secrets,
            grants: self.grants,
            workflow: self.workflow,
        };
        let scope = Scope { input, bindings: &bindings, now: self.now };
        let result = expression.evaluate(&scope, &mut self.evaluator);
        self.bytes += result.as_ref().map_or(0, Data::bytes);
        result.map_err(|error| expression_problem(what, Some(expression.source()), error))
    }

    /// Evaluates a condition. As in jq, false and null do not hold, anything else does.
    pub(crate) fn holds(
        &mut self,
        frame: u64,
        place: Place<'_>,
        what: &str,
        condition: &Expression,
        input: &Data,
    ) -> Result<bool, Problem> {
        let result = self.expression(frame, place, what, condition, input)?;
        Ok(!matches!(result.value(), serde_json::Value::Null | serde_json::Value::Bool(false)))
    }

    fn validate(&mut self, schema: Option<&str>, what: &str, data: &Data) -> Result<(), Problem> {
        use hotcell_expression::Evaluator;
        let Some(schema) = schema else { return Ok(()) };
        match self.evaluator.validate(schema, data.value()) {
            Ok(violations) if violations.is_empty() => Ok(()),
            Ok(violations) => Err(validation_problem(what, &violations)),
            Err(error) => Err(schema_problem(what, error)),
        }
    }

    /// Where the task of a frame stands; nothing for the workflow's own.
    pub(crate) fn reference(&self, id: u64) -> Option<Arc<TaskReference>> {
        let frame = self.state.frames.get(&id)?;
        Some(frame.reference(self.program.node(frame.node?)))
    }

    /// A frame that the caller knows to exist.
    pub(crate) fn frame(&self, id: u64) -> &Frame {
        self.state.frames.get(&id).expect("the step before this one has checked it")
    }

    pub(crate) fn frame_mut(&mut self, id: u64) -> &mut Frame {
        self.state.frames.get_mut(&id).expect("the step before this one has checked it")
    }
}
