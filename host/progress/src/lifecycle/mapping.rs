//! From progress events to lifecycle events.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hotcell_definition::TaskReference;
use hotcell_machine::{Event, EventKind, EventTask, ExecutionId, WorkflowIdentity};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::event::{LifecycleEvent, error};

/// The documents of the definitions whose executions are told of, to know which tasks listen and which wait.
pub type Definitions = HashMap<WorkflowIdentity, Arc<Value>>;

/// Maps the progress events of any number of executions, each in its order. It remembers of an execution which of its tasks
/// have not ended, until the execution has.
#[derive(Debug)]
pub struct Lifecycle {
    definitions: Definitions,
    status_changes: bool,
    executions: HashMap<ExecutionId, Execution>,
}

/// An execution that has not ended.
#[derive(Debug)]
struct Execution {
    /// The qualified name, `<workflow>-<execution>.<namespace>`.
    name: String,
    source: String,
    definition: Option<Arc<Value>>,
    /// The tasks that have not ended, by the number of their performance.
    open: BTreeMap<u64, Task>,
}

#[derive(Debug, Clone)]
struct Task {
    reference: Arc<TaskReference>,
    kind: Kind,
    started: bool,
    suspended: bool,
    /// The correlation keys that a `listen` has resolved so far.
    keys: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Listen,
    Wait,
    Other,
}

impl Lifecycle {
    /// Maps events of executions of these definitions. Of any other, what only its document tells is left out.
    pub fn new(definitions: Definitions) -> Self {
        Lifecycle { definitions, status_changes: false, executions: HashMap::new() }
    }

    /// Whether each change of a status phase is an event of its own too, which the specification leaves open. Default:
    /// no, as it doubles their number.
    pub fn with_status_changes(mut self, status_changes: bool) -> Self {
        self.status_changes = status_changes;
        self
    }

    /// What a progress event tells, in order: often nothing, most often one event.
    pub fn apply(&mut self, event: &Event) -> Vec<LifecycleEvent> {
        let Lifecycle { definitions, status_changes, executions } = self;
        let execution = executions.entry(event.execution.clone()).or_insert_with(|| Execution::new(event, definitions));
        let mut told = Told { event, source: &execution.source, status_changes: *status_changes, events: Vec::new() };
        match &event.task {
            None => of_workflow(&mut told, &execution.name, &mut execution.open),
            Some(task) => {
                let kind = kind(execution.definition.as_deref(), &task.reference);
                of_task(&mut told, &execution.name, &mut execution.open, task, kind);
            }
        }
        let events = told.events;
        if event.kind.is_last() {
            executions.remove(&event.execution);
        }
        events
    }
}

impl Execution {
    fn new(event: &Event, definitions: &Definitions) -> Self {
        let id = &event.execution;
        let open = BTreeMap::new();
        match &event.kind {
            EventKind::WorkflowStarted { workflow } => Execution {
                name: format!("{}-{id}.{}", workflow.name, workflow.namespace),
                source: format!("/{}/{}/{}", workflow.namespace, workflow.name, workflow.version),
                definition: definitions.get(workflow).cloned(),
                open,
            },
            // Its beginning has not been heard.
            _ => Execution { name: id.to_string(), source: "/".into(), definition: None, open },
        }
    }
}

/// What kind of task stands at a reference, which is a JSON Pointer into the document.
fn kind(definition: Option<&Value>, reference: &TaskReference) -> Kind {
    match definition.and_then(|document| document.pointer(reference.as_str())) {
        Some(task) if task.get("listen").is_some() => Kind::Listen,
        Some(task) if task.get("wait").is_some() => Kind::Wait,
        _ => Kind::Other,
    }
}

/// The events that one progress event tells.
struct Told<'a> {
    event: &'a Event,
    source: &'a str,
    status_changes: bool,
    events: Vec<LifecycleEvent>,
}

impl Told<'_> {
    fn push(&mut self, kind: &str, subject: String, data: Value) {
        let Event { execution, sequence, time, .. } = self.event;
        let id = match self.events.len() {
            0 => format!("{execution}/{sequence}"),
            further => format!("{execution}/{sequence}.{further}"),
        };
        let (source, kind) = (self.source.to_owned(), format!("io.serverlessworkflow.{kind}.v1"));
        self.events.push(LifecycleEvent { id, source, kind, subject, time: *time, data });
    }

    /// `workflow.<word>`, its time under the name that the specification gives it.
    fn workflow(&mut self, name: &str, word: &str, at: &str, more: Value) {
        let mut data = Map::from_iter([("name".to_owned(), json!(name))]);
        extend(&mut data, at, self.event.time, more);
        self.push(&format!("workflow.{word}"), self.event.execution.to_string(), data.into());
    }

    fn workflow_status(&mut self, name: &str, status: &str) {
        if self.status_changes {
            self.workflow(name, "status-changed", "updatedAt", json!({ "status": status }));
        }
    }

    /// `task.<word>`
    fn task(&mut self, name: &str, id: u64, reference: &TaskReference, word: &str, at: &str, more: Value) {
        let mut data =
            Map::from_iter([("workflow".to_owned(), json!(name)), ("task".to_owned(), json!(reference.as_str()))]);
        extend(&mut data, at, self.event.time, more);
        self.push(&format!("task.{word}"), format!("{}/{id}", self.event.execution), data.into());
    }

    fn task_status(&mut self, name: &str, id: u64, reference: &TaskReference, status: &str) {
        if self.status_changes {
            self.task(name, id, reference, "status-changed", "updatedAt", json!({ "status": status }));
        }
    }
}

fn extend(data: &mut Map<String, Value>, at: &str, time: Timestamp, more: Value) {
    if let Value::Object(more) = more {
        data.extend(more);
    }
    data.insert(at.to_owned(), json!(time.to_string()));
}

fn of_workflow(told: &mut Told<'_>, name: &str, open: &mut BTreeMap<u64, Task>) {
    let event = told.event;
    match &event.kind {
        EventKind::WorkflowStarted { workflow: WorkflowIdentity { namespace, name: workflow, version } } => {
            let definition = json!({ "name": workflow, "namespace": namespace, "version": version });
            told.workflow(name, "started", "startedAt", json!({ "definition": definition }));
            told.workflow_status(name, "pending");
        }
        EventKind::WorkflowExecuting => told.workflow_status(name, "running"),
        EventKind::WorkflowSuspended => {
            told.workflow(name, "suspended", "suspendedAt", Value::Null);
            told.workflow_status(name, "suspended");
            for (id, task) in open.iter_mut() {
                task.suspended = true;
                told.task(name, *id, &task.reference, "suspended", "suspendedAt", Value::Null);
                told.task_status(name, *id, &task.reference, "suspended");
            }
        }
        EventKind::WorkflowResumed => {
            told.workflow(name, "resumed", "resumedAt", Value::Null);
            told.workflow_status(name, "running");
            for (id, task) in open.iter_mut().filter(|(_, task)| task.suspended) {
                task.suspended = false;
                told.task(name, *id, &task.reference, "resumed", "resumedAt", Value::Null);
                told.task_status(name, *id, &task.reference, task.status());
            }
        }
        EventKind::WorkflowCompleted { .. } => {
            told.workflow(name, "completed", "completedAt", Value::Null);
            told.workflow_status(name, "completed");
        }
        EventKind::WorkflowFailed { error: problem } => {
            told.workflow(name, "faulted", "faultedAt", json!({ "error": error(problem) }));
            told.workflow_status(name, "faulted");
        }
        EventKind::WorkflowCancelled { .. } => {
            told.workflow(name, "cancelled", "cancelledAt", Value::Null);
            told.workflow_status(name, "cancelled");
        }
        _ => {}
    }
}

fn of_task(told: &mut Told<'_>, name: &str, open: &mut BTreeMap<u64, Task>, task: &EventTask, kind: Kind) {
    let event = told.event;
    let (id, reference) = (task.id, &task.reference);
    match &event.kind {
        EventKind::TaskCreated => {
            let reference = Arc::clone(reference);
            open.insert(id, Task { reference, kind, started: false, suspended: false, keys: None });
            told.task(name, id, &task.reference, "created", "createdAt", Value::Null);
            told.task_status(name, id, &task.reference, "pending");
        }
        EventKind::TaskStarted => {
            told.task(name, id, reference, "started", "startedAt", Value::Null);
            if kind == Kind::Listen {
                told.workflow(name, "correlation-started", "startedAt", Value::Null);
            }
            if let Some(task) = open.get_mut(&id) {
                task.started = true;
                told.task_status(name, id, &task.reference, task.status());
            }
        }
        EventKind::TaskRetried { .. } => told.task(name, id, reference, "retried", "retriedAt", Value::Null),
        EventKind::TaskProgress { data: Some(data), .. } if kind == Kind::Listen => {
            if let (Some(task), Some(keys)) = (open.get_mut(&id), data.get("correlationKeys")) {
                task.keys = Some(keys.clone());
            }
        }
        EventKind::TaskCompleted | EventKind::TaskSkipped => {
            let keys = open.remove(&id).and_then(|task| task.keys);
            if kind == Kind::Listen && event.kind == EventKind::TaskCompleted {
                let more = keys.map_or(Value::Null, |keys| json!({ "correlationKeys": keys }));
                told.workflow(name, "correlation-completed", "completedAt", more);
            }
            told.task(name, id, reference, "completed", "completedAt", Value::Null);
            told.task_status(name, id, reference, "completed");
        }
        EventKind::TaskFailed { error: problem } => {
            open.remove(&id);
            told.task(name, id, reference, "faulted", "faultedAt", json!({ "error": error(problem) }));
            told.task_status(name, id, reference, "faulted");
        }
        EventKind::TaskCancelled => {
            open.remove(&id);
            told.task(name, id, reference, "cancelled", "cancelledAt", Value::Null);
            told.task_status(name, id, reference, "cancelled");
        }
        _ => {}
    }
}

impl Task {
    /// The status phase of a task that is not suspended.
    fn status(&self) -> &'static str {
        match (self.started, self.kind) {
            (false, _) => "pending",
            (true, Kind::Listen | Kind::Wait) => "waiting",
            (true, Kind::Other) => "running",
        }
    }
}
