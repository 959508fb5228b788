//! What each kind of task does.

use std::collections::HashSet;
use std::sync::Arc;

use hotcell_definition::{ErrorKind, Problem, ProcessOutput};
use hotcell_expression::{Data, ExpressionError, Template};
use serde_json::{Map, Value, json};

use crate::bindings::Place;
use crate::machine::Run;
use crate::problem::expression_problem;
use crate::program::{ErrorPlan, Kind, Loop, Node, WasmPlan, WorkflowPlan};
use crate::state::{Branches, Doing, Purpose, Step};
use crate::uri::UriPlan;
use crate::{CallId, Callee, Command, ExecutionId, Outcome, StartCall, StartChild, calendar};

impl Run<'_> {
    /// Begins what a task does. Its input has been transformed.
    pub(crate) fn perform(&mut self, id: u64, node: &Node, input: Data) -> Result<(), Problem> {
        let place = Place::TaskDefinition;
        match &node.kind {
            Kind::Do(_) => {
                self.frame_mut(id).doing = Doing::Sequence;
                self.next(id, None, input);
            }
            Kind::Set(template) => {
                let output = self.evaluate(id, place, "set", template, &input)?;
                self.done(id, output);
            }
            Kind::Switch(cases) => {
                // The default is the last resort wherever it stands.
                let mut chosen = cases.iter().find(|case| case.when.is_none());
                for case in cases {
                    if let Some(when) = &case.when
                        && self.holds(id, place, "when", when, &input)?
                    {
                        chosen = Some(case);
                        break;
                    }
                }
                let flow = chosen.map(|case| case.then);
                self.state.agenda.push_back(Step::Complete { frame: id, output: input, flow });
            }
            Kind::For(repeat) => self.begin_loop(id, repeat, input)?,
            Kind::Fork { branches, .. } => self.begin_fork(id, branches.len(), &input)?,
            Kind::Try(_) => self.begin_try(id)?,
            Kind::Raise(error) => return Err(self.raised(id, error, &input)?),
            Kind::Wait(duration) => {
                let span = self.duration(id, place, "wait", duration, &input)?;
                let timer = self.set_timer(id, Purpose::Wait, calendar::after(self.now, &span));
                self.frame_mut(id).doing = Doing::Wait { timer };
            }
            Kind::Wasm(plan) => self.begin_call(id, plan, &input)?,
            Kind::Function(plan) => self.begin_function(id, plan, input)?,
            Kind::Process(plan) => self.begin_process(id, plan, input)?,
            Kind::Http(plan) => self.begin_http(id, plan, &input)?,
            Kind::Workflow(plan) => self.begin_child(id, plan, input)?,
            Kind::Emit(event) => self.emit(id, event, &input)?,
            Kind::Listen(plan) => self.begin_listen(id, plan),
        }
        Ok(())
    }

    /// A task has its raw output.
    fn done(&mut self, id: u64, output: Data) {
        self.state.agenda.push_back(Step::Complete { frame: id, output, flow: None });
    }

    fn begin_loop(&mut self, id: u64, repeat: &Loop, input: Data) -> Result<(), Problem> {
        let items = self.evaluate(id, Place::TaskDefinition, "for.in", &repeat.collection, &input)?;
        match items.value() {
            Value::Array(_) => {}
            // Chosen: nothing to iterate over.
            Value::Null => {
                self.done(id, input);
                return Ok(());
            }
            other => {
                let message = format!("a `for` iterates over an array, not over {}", kind_of(other));
                return Err(expression_problem("for.in", None, ExpressionError::Failed(message)));
            }
        }
        self.frame_mut(id).doing = Doing::Loop { items, index: 0 };
        self.state.agenda.push_back(Step::Iterate { frame: id, data: input });
        Ok(())
    }

    /// Begins the iteration that is due, or ends the loop.
    pub(crate) fn iterate(&mut self, id: u64, data: Data) {
        let frame = self.frame(id);
        let Some(Kind::For(repeat)) = frame.node.map(|node| &self.program.node(node).kind) else { return };
        let Doing::Loop { items, index } = &frame.doing else { return };
        let index = *index;
        let item = usize::try_from(index).ok().and_then(|index| items.value().get(index)).cloned();
        let variables = item.map(Data::new).transpose().and_then(|item| {
            item.map(|item| {
                Ok(vec![(Arc::clone(&repeat.each), item), (Arc::clone(&repeat.at), Data::new(json!(index))?)])
            })
            .transpose()
        });
        match variables {
            Ok(Some(variables)) => self.frame_mut(id).variables = variables,
            // Every item has been visited.
            Ok(None) => return self.end_loop(id, data),
            Err(error) => return self.fail(id, expression_problem("for.in", None, error)),
        }
        if let Some(condition) = &repeat.condition {
            match self.holds(id, Place::TaskDefinition, "while", condition, &data) {
                Ok(true) => {}
                Ok(false) => return self.end_loop(id, data),
                Err(problem) => return self.fail(id, problem),
            }
        }
        self.next(id, None, data);
    }

    /// An iteration is over: its output is the next one's input.
    pub(crate) fn next_iteration(&mut self, id: u64, output: Data) {
        if let Doing::Loop { index, .. } = &mut self.frame_mut(id).doing {
            *index += 1;
        }
        self.state.agenda.push_back(Step::Iterate { frame: id, data: output });
    }

    fn end_loop(&mut self, id: u64, output: Data) {
        self.frame_mut(id).variables.clear();
        self.done(id, output);
    }

    fn begin_fork(&mut self, id: u64, branches: usize, input: &Data) -> Result<(), Problem> {
        if branches == 0 {
            let none = Data::array(&[]).map_err(|error| expression_problem("fork", None, error))?;
            self.done(id, none);
            return Ok(());
        }
        self.frame_mut(id).doing = Doing::Fork(Branches { open: branches, bytes: 0, ended: vec![None; branches] });
        for position in 0..branches {
            let position = u32::try_from(position).expect("the parser bounds the number of tasks");
            self.state.agenda.push_back(Step::Enter { parent: id, position, input: input.clone() });
        }
        Ok(())
    }

    /// A branch is over.
    pub(crate) fn branch_ended(&mut self, id: u64, position: u32, output: Data, context: Data) {
        let competes = self.competes(id);
        let Doing::Fork(branches) = &mut self.frame_mut(id).doing else { return };
        branches.open -= 1;
        branches.bytes += output.bytes();
        if competes {
            self.cancel_within(id);
            self.frame_mut(id).doing = Doing::Nothing;
            let holder = self.state.context_holder(id);
            let merged = merge_contexts(&self.state.context(id), &[context]);
            return self.keep_context(id, holder, merged, output);
        }
        // What does not fit together in the end need not be kept until then.
        if branches.bytes > Data::MAX_BYTES {
            let message = format!(
                "the outputs of the branches are larger than {} MiB together; return less from each",
                Data::MAX_BYTES >> 20
            );
            self.cancel_within(id);
            return self.fail(id, expression_problem("fork", None, ExpressionError::DataLimit(message)));
        }
        branches.ended[position as usize] = Some((output, context));
        if branches.open == 0 {
            self.join(id);
        }
    }

    /// Every branch is over: outputs in declared order, and the contexts merged in that order.
    fn join(&mut self, id: u64) {
        let Doing::Fork(branches) = std::mem::replace(&mut self.frame_mut(id).doing, Doing::Nothing) else { return };
        let (outputs, contexts): (Vec<Data>, Vec<Data>) = branches.ended.into_iter().flatten().unzip();
        let base = self.state.context(id);
        let holder = self.state.context_holder(id);
        let merged = merge_contexts(&base, &contexts);
        match Data::array(&outputs) {
            Ok(output) => self.keep_context(id, holder, merged, output),
            Err(error) => self.fail(id, expression_problem("fork", None, error)),
        }
    }

    fn keep_context(&mut self, id: u64, holder: u64, context: Result<Data, ExpressionError>, output: Data) {
        match context {
            Ok(context) => {
                self.frame_mut(holder).context = Some(context);
                self.done(id, output);
            }
            Err(error) => self.fail(id, expression_problem("export.as", None, error)),
        }
    }

    /// A branch has failed: a competitor is out of the race, any other takes the fork with it.
    pub(crate) fn branch_failed(&mut self, id: u64, problem: Problem) {
        let competes = self.competes(id);
        let Doing::Fork(branches) = &mut self.frame_mut(id).doing else { return };
        branches.open -= 1;
        if competes && branches.open > 0 {
            return;
        }
        self.cancel_within(id);
        self.state.agenda.push_back(Step::Fail { frame: id, problem });
    }

    fn competes(&self, id: u64) -> bool {
        let kind = self.frame(id).node.map(|node| &self.program.node(node).kind);
        matches!(kind, Some(Kind::Fork { compete: true, .. }))
    }

    /// The problem that a `raise` raises. The instance is set by whoever fails the task.
    fn raised(&mut self, id: u64, error: &ErrorPlan, input: &Data) -> Result<Problem, Problem> {
        let place = Place::TaskDefinition;
        let failed = |what: &str, message: String| expression_problem(what, None, ExpressionError::Failed(message));
        let kind = match &error.kind {
            UriPlan::Expression(expression) => {
                let kind = self.expression(id, place, "raise.error.type", expression, input)?;
                let Value::String(kind) = kind.value() else {
                    let message = format!("a type is a URI, not {}", kind_of(kind.value()));
                    return Err(failed("raise.error.type", message));
                };
                kind.clone()
            }
            template => self.uri(id, "raise.error.type", template, input)?,
        };
        let status = self.evaluate(id, place, "raise.error.status", &error.status, input)?;
        let number = calendar::whole_number(status.value()).and_then(|status| u16::try_from(status).ok());
        let status = number.ok_or_else(|| {
            let is = match status.value() {
                number @ Value::Number(_) => number.to_string(),
                other => kind_of(other).to_owned(),
            };
            failed("raise.error.status", format!("a status is a number like 400, not {is}"))
        })?;
        let title = self.optional_text(id, "raise.error.title", error.title.as_ref(), input)?;
        let detail = self.optional_text(id, "raise.error.detail", error.detail.as_ref(), input)?;
        Ok(Problem { kind, status, title, detail, instance: None, extensions: Map::new() })
    }

    /// What comes out as null is left out.
    fn optional_text(
        &mut self,
        id: u64,
        what: &str,
        template: Option<&Template>,
        input: &Data,
    ) -> Result<Option<String>, Problem> {
        let Some(template) = template else { return Ok(None) };
        let data = self.evaluate(id, Place::TaskDefinition, what, template, input)?;
        Ok(match data.value() {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        })
    }

    fn begin_call(&mut self, id: u64, plan: &WasmPlan, input: &Data) -> Result<(), Problem> {
        let component = self.evaluate(id, Place::TaskDefinition, "with.component", &plan.component, input)?;
        let Value::String(component) = component.value() else {
            let detail = format!("`with.component` is a path, not {}", kind_of(component.value()));
            return Err(Problem::new(ErrorKind::Configuration, "Invalid component", detail));
        };
        let component = component.clone();
        let input = match &plan.input {
            Some(template) => self.evaluate(id, Place::TaskDefinition, "with.input", template, input)?,
            None => input.clone(),
        };
        self.start_call(
            id,
            Callee::Component { component, export: plan.export.clone(), origin: plan.origin.clone() },
            input,
        );
        Ok(())
    }

    /// Starts the call of a task.
    pub(crate) fn start_call(&mut self, id: u64, callee: Callee, input: Data) {
        let deadline = self.state.ancestry(id).filter_map(|(_, frame)| frame.deadline).min();
        let task = self.event_task(id).expect("a call is made by a task");
        let call = StartCall { id: CallId::new(&self.state.execution, id), task, callee, input, deadline };
        self.turn.commands.push(Command::StartCall(Box::new(call)));
        self.frame_mut(id).doing = Doing::Call;
    }

    fn begin_child(&mut self, id: u64, plan: &WorkflowPlan, input: Data) -> Result<(), Problem> {
        let child_input = match &plan.input {
            Some(template) => self.evaluate(id, Place::TaskDefinition, "run.workflow.input", template, &input)?,
            None => input.clone(),
        };
        let child = ExecutionId::new(format!("{}.{id}", self.state.execution));
        let task = self.event_task(id).expect("a child is started by a task");
        self.turn.commands.push(Command::StartChild(Box::new(StartChild {
            id: child.clone(),
            task,
            namespace: plan.namespace.clone(),
            name: plan.name.clone(),
            version: plan.version.clone(),
            input: child_input,
            awaited: plan.wait,
        })));
        if plan.wait {
            self.frame_mut(id).doing = Doing::Child { id: child };
        } else {
            self.done(id, input);
        }
        Ok(())
    }

    /// A child execution is over; `return` says what of it is the output.
    pub(crate) fn child_ended(&mut self, id: u64, outcome: Outcome) {
        let Some(Kind::Workflow(plan)) = self.frame(id).node.map(|node| &self.program.node(node).kind) else { return };
        let result = match outcome {
            Outcome::Completed(output) => {
                returned(plan.output, output).map_err(|error| expression_problem("return", None, error))
            }
            Outcome::Faulted(problem) => Err(problem),
            Outcome::Cancelled => Err(Problem::new(
                ErrorKind::Runtime,
                "Workflow cancelled",
                "the workflow that the task ran was cancelled",
            )),
        };
        self.settle(id, result);
    }
}

/// A workflow writes nothing to a standard error and has no exit code; it has succeeded, so the code is 0.
fn returned(what: ProcessOutput, output: Data) -> Result<Data, ExpressionError> {
    match what {
        ProcessOutput::Stdout => Ok(output),
        ProcessOutput::Stderr => Data::new(json!("")),
        ProcessOutput::Code => Data::new(json!(0)),
        ProcessOutput::All => Data::new(json!({"code": 0, "stdout": output, "stderr": ""})),
        ProcessOutput::None => Ok(Data::null()),
    }
}

/// Chosen: what a branch changed of the context it started with is applied to what the branches before it left.
/// Of an object that is each member that was added, replaced or removed; anything else is replaced as a whole.
fn merge_contexts(base: &Data, branches: &[Data]) -> Result<Data, ExpressionError> {
    let mut merged = None;
    for branch in branches.iter().filter(|branch| *branch != base) {
        let so_far = merged.get_or_insert_with(|| base.value().clone());
        match (base.value(), so_far, branch.value()) {
            (Value::Object(before), Value::Object(so_far), Value::Object(after)) => apply(before, after, so_far),
            (_, so_far, after) => so_far.clone_from(after),
        }
    }
    merged.map_or_else(|| Ok(base.clone()), Data::new)
}

/// Applies the changes from one object to another to a third.
fn apply(before: &Map<String, Value>, after: &Map<String, Value>, target: &mut Map<String, Value>) {
    let removed: HashSet<&String> = before.keys().filter(|name| !after.contains_key(*name)).collect();
    if !removed.is_empty() {
        target.retain(|name, _| !removed.contains(name));
    }
    for (name, value) in after {
        if before.get(name) != Some(value) {
            target.insert(name.clone(), value.clone());
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(base: Value, branches: &[Value]) -> Value {
        let data = |value: &Value| Data::new(value.clone()).unwrap();
        let branches: Vec<Data> = branches.iter().map(data).collect();
        merge_contexts(&data(&base), &branches).unwrap().value().clone()
    }

    #[test]
    fn a_context_that_no_branch_changed_stays() {
        assert_eq!(merged(json!({"a": 1}), &[json!({"a": 1}), json!({"a": 1})]), json!({"a": 1}));
        assert_eq!(merged(json!(null), &[]), json!(null));
    }

    #[test]
    fn what_each_branch_added_replaced_or_removed_is_applied_in_order() {
        let base = json!({"kept": 1, "replaced": 1, "removed": 1});
        let first = json!({"kept": 1, "replaced": "first", "removed": 1, "added": "first"});
        let second = json!({"kept": 1, "replaced": 1, "added": "second"});
        assert_eq!(merged(base, &[first, second]), json!({"kept": 1, "replaced": "first", "added": "second"}));
    }

    #[test]
    fn a_member_that_one_branch_removed_comes_back_if_a_later_one_replaced_it() {
        assert_eq!(merged(json!({"a": 1}), &[json!({}), json!({"a": 2})]), json!({"a": 2}));
        assert_eq!(merged(json!({"a": 1}), &[json!({"a": 2}), json!({})]), json!({}));
    }

    #[test]
    fn what_is_no_object_is_replaced_as_a_whole() {
        assert_eq!(merged(json!({"a": 1}), &[json!([1]), json!({"b": 2})]), json!({"b": 2}));
        assert_eq!(merged(json!(null), &[json!({"a": 1}), json!(null)]), json!({"a": 1}));
    }
}
