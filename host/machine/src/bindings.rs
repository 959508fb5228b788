//! The arguments of runtime expressions ("Runtime expression arguments" in `dsl.md`).

use std::cell::OnceCell;
use std::sync::{Arc, LazyLock};

use hotcell_definition::TaskReference;
use hotcell_expression::{Bindings, Data};
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde_json::{Map, Value, json};

use crate::grants::SecretGrants;
use crate::program::{Kind, Node, Program};
use crate::state::{Doing, Frame, Side, State};

/// Which expression is evaluated, and thus which arguments it has: the rows of the specification's table.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    WorkflowInput,
    /// `if` and `input.from`
    TaskInput,
    TaskDefinition,
    TaskOutput {
        raw_output: &'a Data,
    },
    TaskExport {
        raw_output: &'a Data,
        output: &'a Data,
    },
    WorkflowOutput,
}

/// The variables that an expression at a place of a frame can use.
pub(crate) struct Arguments<'a> {
    pub(crate) program: &'a Program,
    pub(crate) state: &'a State,
    pub(crate) frame: u64,
    pub(crate) place: Place<'a>,
    pub(crate) secrets: &'a Map<String, Value>,
    pub(crate) grants: Option<&'a dyn SecretGrants>,
    /// `$workflow`, which does not change during an execution.
    pub(crate) workflow: &'a OnceCell<Arc<Value>>,
}

impl Bindings for Arguments<'_> {
    fn variable(&self, name: &str) -> Option<Arc<Value>> {
        use Place::{TaskDefinition, TaskExport, TaskOutput, WorkflowInput, WorkflowOutput};
        // A variable hides the argument of the same name; authors are warned of it when the document is read.
        if let Some(data) = self.variable_of_tasks(name) {
            return Some(data.share());
        }
        match (name, self.place) {
            ("workflow", _) => Some(Arc::clone(self.workflow.get_or_init(|| Arc::new(self.describe_workflow())))),
            ("runtime", _) => Some(Arc::clone(&RUNTIME)),
            ("secrets", _) => Some(Arc::new(Value::Object(
                self.secrets
                    .iter()
                    .filter(|(name, _)| self.declares_secret(name))
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
            ))),
            ("context", WorkflowInput) => None,
            ("context", _) => Some(self.state.context(self.frame).share()),
            ("task", WorkflowInput | WorkflowOutput) => None,
            ("task", _) => Some(Arc::new(self.describe_task())),
            ("input", TaskDefinition | TaskOutput { .. } | TaskExport { .. }) => {
                self.state.frames.get(&self.frame).map(|frame| frame.input.share())
            }
            ("output", TaskExport { output, .. }) => Some(output.share()),
            ("authorization", TaskDefinition | TaskOutput { .. } | TaskExport { .. }) => {
                let frame = self.state.frames.get(&self.frame);
                let authorization = frame.and_then(|frame| frame.authorization.as_ref());
                Some(authorization.map_or_else(|| Arc::new(Value::Null), Data::share))
            }
            _ => None,
        }
    }

    fn grants_secret(&self, name: &str) -> bool {
        self.secrets.contains_key(name) && self.declares_secret(name)
    }
}

impl Arguments<'_> {
    /// The variable of the innermost loop or handler that has one of this name. The workflow's own frame has none.
    /// Those around the call of a function are not the function's.
    fn variable_of_tasks(&self, name: &str) -> Option<&Data> {
        self.state
            .ancestry(self.frame)
            .take_while(|(id, frame)| *id == self.frame || !matches!(frame.doing, Doing::Function))
            .find_map(|(_, frame)| frame.variables.iter().find(|(variable, _)| &**variable == name))
            .map(|(_, data)| data)
    }

    /// A workflow has only the secrets that its document names under `use.secrets`, and what stands in the documents of
    /// others has none. Of these, a task has those that it was granted.
    fn declares_secret(&self, name: &str) -> bool {
        !self.is_foreign()
            && self.program.definition.components.secrets.iter().any(|declared| declared == name)
            && self.grants.is_none_or(|grants| grants.grants(name, self.task().as_deref()))
    }

    /// The task that the expression belongs to.
    fn task(&self) -> Option<Arc<TaskReference>> {
        let frame = self.state.frames.get(&self.frame)?;
        Some(frame.reference(self.program.node(frame.node?)))
    }

    /// Whether the expression stands in a function of another document.
    fn is_foreign(&self) -> bool {
        let mut around = self.state.ancestry(self.frame).skip(1);
        around
            .find_map(|(_, frame)| match (&frame.doing, frame.node.map(|node| &self.program.node(node).kind)) {
                // The extensions of a definition stand in it, whatever they extend.
                (Doing::Extending(_), _) => Some(false),
                (Doing::Function, Some(Kind::Function(plan))) => Some(self.program.function(plan.function).foreign),
                _ => None,
            })
            .unwrap_or(false)
    }

    fn describe_workflow(&self) -> Value {
        json!({
            "id": self.state.execution,
            "definition": *self.program.definition.source,
            "input": self.state.input,
            "startedAt": describe_time(self.state.started_at),
        })
    }

    fn describe_task(&self) -> Value {
        // Chosen: for an extension it is the task that is extended, with the fields of its definition beside the
        // descriptor's, as the examples of the reference have it: `$task.reference`, `$task.with.endpoint`.
        if let Some((_, frame, extending)) = self.state.extended(self.frame) {
            let Some(node) = frame.node.map(|node| self.program.node(node)) else { return Value::Null };
            let raw_output = match &extending.side {
                Side::Before => None,
                Side::After { raw_output, .. } => Some(raw_output),
            };
            let mut task = node.source.as_object().cloned().unwrap_or_default();
            task.extend(describe(frame, node, raw_output));
            return Value::Object(task);
        }
        let Some((frame, node)) =
            self.state.frames.get(&self.frame).and_then(|frame| Some((frame, self.program.node(frame.node?))))
        else {
            return Value::Null;
        };
        let raw_output = match self.place {
            Place::TaskOutput { raw_output } | Place::TaskExport { raw_output, .. } => Some(raw_output),
            _ => None,
        };
        Value::Object(describe(frame, node, raw_output))
    }
}

/// The specification's descriptor of a task.
fn describe(frame: &Frame, node: &Node, raw_output: Option<&Data>) -> Map<String, Value> {
    let task = json!({
        "name": node.name,
        "reference": frame.reference(node),
        "definition": *node.source,
        "input": frame.raw_input,
        "startedAt": describe_time(frame.started_at),
    });
    let Value::Object(mut task) = task else { unreachable!("it is written as an object") };
    if let Some(raw_output) = raw_output {
        task.insert("output".into(), raw_output.value().clone());
    }
    task
}

static RUNTIME: LazyLock<Arc<Value>> =
    LazyLock::new(|| Arc::new(json!({"name": "hotcell", "version": env!("CARGO_PKG_VERSION"), "metadata": {}})));

/// The specification's descriptor of a time.
fn describe_time(time: Timestamp) -> Value {
    /// Milliseconds: as precise as the descriptor's own `epoch.milliseconds`.
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
    json!({
        "iso8601": PRINTER.timestamp_to_string(&time),
        "epoch": { "seconds": time.as_second(), "milliseconds": time.as_millisecond() },
    })
}
