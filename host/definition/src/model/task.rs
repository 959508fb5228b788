//! Tasks: what they have in common, and the control flow among them.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    Call, Duration, Emit, Export, Expression, Input, Listen, Output, Raise, Reusable, Run, Template, Timeout, Try,
};

/// Named tasks in the order in which they stand.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TaskList(pub Vec<NamedTask>);

/// One entry of a task list.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTask {
    /// The name, which `then` of a sibling may give. Unique in its list.
    pub name: String,
    /// The task.
    pub task: Task,
}

/// A task: what it shares with every other, and what it does.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// `if`: decides on the raw input whether the task is performed at all.
    pub condition: Option<Expression>,
    /// Validates and transforms the input.
    pub input: Option<Input>,
    /// Transforms and validates the output.
    pub output: Option<Output>,
    /// What becomes the context.
    pub export: Option<Export>,
    /// How long the task may take. Default: without bound.
    pub timeout: Option<Reusable<Timeout>>,
    /// Where the flow goes after the task. Default: continue.
    pub then: Option<FlowDirective>,
    /// Anything else.
    pub metadata: Map<String, Value>,
    /// What the task does.
    pub kind: TaskKind,
    /// The task as plain data, as `$task.definition` shows it.
    pub source: Arc<Value>,
}

/// What a task does.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskKind {
    /// Calls a service or a function.
    Call(Box<Call>),
    /// Performs tasks in sequence.
    Do(TaskList),
    /// Publishes an event.
    Emit(Emit),
    /// Performs tasks for each item of a collection.
    For(For),
    /// Performs tasks concurrently.
    Fork(Fork),
    /// Waits for events.
    Listen(Box<Listen>),
    /// Raises an error.
    Raise(Raise),
    /// Runs a container, script, shell command or workflow.
    Run(Box<Run>),
    /// Sets the data: an object, or one `${ … }`.
    Set(Template),
    /// Chooses where the flow goes.
    Switch(Vec<SwitchCase>),
    /// Attempts tasks, and handles their errors.
    Try(Box<Try>),
    /// Pauses.
    Wait(Duration),
}

/// A flow directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlowDirective {
    /// The next task in line.
    Continue,
    /// Completes the current list.
    Exit,
    /// Completes the workflow.
    End,
    /// The task of that name in the same list.
    To(String),
}

/// `for`: performs tasks for each item of a collection.
#[derive(Debug, Clone, PartialEq)]
pub struct For {
    /// The variable that holds the item. Default: `item`.
    pub each: String,
    /// The collection.
    pub collection: Collection,
    /// The variable that holds the index, from 0. Default: `index`.
    pub at: String,
    /// Tested before each iteration, on the current data; the loop goes on while it holds.
    pub condition: Option<Expression>,
    /// What is performed for each item.
    pub tasks: TaskList,
}

/// What a `for` iterates over.
#[derive(Debug, Clone, PartialEq)]
pub enum Collection {
    /// An expression that yields an array.
    Expression(Expression),
    /// An array that is written in place; `${ … }` in it is evaluated.
    Inline(Template),
}

/// `fork`: performs tasks concurrently.
#[derive(Debug, Clone, PartialEq)]
pub struct Fork {
    /// The tasks.
    pub branches: TaskList,
    /// Whether the first that completes wins and the others are cancelled. Default: false.
    pub compete: bool,
}

/// One case of a `switch`.
#[derive(Debug, Clone, PartialEq)]
pub struct SwitchCase {
    /// The name of the case.
    pub name: String,
    /// Whether the case matches. Without it, the case is the default.
    pub when: Option<Expression>,
    /// Where the flow goes when it does.
    pub then: FlowDirective,
}
