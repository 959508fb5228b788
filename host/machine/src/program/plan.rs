//! What a definition becomes: numbered tasks, each with its parts ready to be performed.

use std::sync::Arc;

use hotcell_definition as dsl;
use hotcell_definition::TaskReference;
use hotcell_expression::{Expression, Template};
use serde_json::Value;

use super::Origin;
use crate::emit::EmitPlan;
use crate::http::HttpPlan;
use crate::listen::ListenPlan;
use crate::process::ProcessPlan;
use crate::uri::UriPlan;

/// The number of a task in its program.
pub(crate) type NodeId = u32;

/// The number of a function in its program.
pub(crate) type FunctionId = u32;

/// The number of an extension in its program.
pub(crate) type ExtensionId = u32;

/// Tasks that are performed one after the other.
pub(crate) type Block = Arc<[NodeId]>;

/// One task.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: Arc<str>,
    pub(crate) reference: Arc<TaskReference>,
    pub(crate) source: Arc<Value>,
    pub(crate) condition: Option<Expression>,
    pub(crate) input: Option<InputPlan>,
    pub(crate) output: Option<OutputPlan>,
    pub(crate) export: Option<OutputPlan>,
    pub(crate) timeout: Option<DurationPlan>,
    pub(crate) then: Flow,
    /// The extensions that may apply to it, in declared order.
    pub(crate) extensions: Arc<[ExtensionId]>,
    pub(crate) kind: Kind,
}

/// What a task does.
#[derive(Debug)]
pub(crate) enum Kind {
    Do(Block),
    Set(Template),
    Switch(Vec<Case>),
    For(Box<Loop>),
    Fork { branches: Block, compete: bool },
    Try(Box<Attempt>),
    Raise(Box<ErrorPlan>),
    Wait(DurationPlan),
    Wasm(Box<WasmPlan>),
    Http(Box<HttpPlan>),
    Process(Box<ProcessPlan>),
    Workflow(Box<WorkflowPlan>),
    Function(Box<FunctionPlan>),
    Emit(Box<EmitPlan>),
    Listen(Box<ListenPlan>),
}

/// Where the flow goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Flow {
    Continue,
    Exit,
    End,
    /// The task at this place of the same list.
    To(u32),
}

#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) when: Option<Expression>,
    pub(crate) then: Flow,
}

#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) each: Arc<str>,
    pub(crate) at: Arc<str>,
    pub(crate) collection: Template,
    pub(crate) condition: Option<Expression>,
    pub(crate) body: Block,
}

#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) body: Block,
    pub(crate) filter: dsl::ErrorFilter,
    pub(crate) variable: Arc<str>,
    pub(crate) when: Option<Expression>,
    pub(crate) except_when: Option<Expression>,
    pub(crate) retry: Option<RetryPlan>,
    pub(crate) handler: Option<Block>,
    pub(crate) then: Option<Flow>,
}

#[derive(Debug, Clone)]
pub(crate) struct RetryPlan {
    pub(crate) when: Option<Expression>,
    pub(crate) except_when: Option<Expression>,
    pub(crate) delay: Option<DurationPlan>,
    pub(crate) backoff: dsl::Backoff,
    pub(crate) attempts: Option<u64>,
    pub(crate) attempt_duration: Option<DurationPlan>,
    pub(crate) duration: Option<DurationPlan>,
    pub(crate) jitter: Option<(DurationPlan, DurationPlan)>,
}

#[derive(Debug)]
pub(crate) struct ErrorPlan {
    pub(crate) kind: UriPlan,
    pub(crate) status: Template,
    pub(crate) title: Option<Template>,
    pub(crate) detail: Option<Template>,
}

#[derive(Debug)]
pub(crate) struct WasmPlan {
    /// The document that names the component, if it is not the definition: that of a function that is elsewhere.
    pub(crate) origin: Option<Origin>,
    /// Where the call stands in the definition, or the function that makes it.
    pub(crate) pointer: Arc<str>,
    pub(crate) component: Template,
    pub(crate) export: Option<String>,
    pub(crate) input: Option<Template>,
}

#[derive(Debug)]
pub(crate) struct WorkflowPlan {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) input: Option<Template>,
    pub(crate) wait: bool,
    pub(crate) output: dsl::ProcessOutput,
}

/// A call of a function that is a task itself.
#[derive(Debug)]
pub(crate) struct FunctionPlan {
    pub(crate) function: FunctionId,
    /// What the function gets. Default: the input of the call.
    pub(crate) input: Option<Template>,
}

/// A task that others call. All calls share it, so that functions that call functions take no more room than they
/// do in the document.
#[derive(Debug)]
pub(crate) struct Function {
    /// The one task, as a list. The references in it start at the function.
    pub(crate) body: Block,
    /// Whether it stands in another document, somebody else's.
    pub(crate) foreign: bool,
}

/// What is performed before and after the tasks to which it applies.
#[derive(Debug)]
pub(crate) struct Extension {
    pub(crate) when: Option<Expression>,
    pub(crate) before: Option<Block>,
    pub(crate) after: Option<Block>,
}

#[derive(Debug)]
pub(crate) struct InputPlan {
    pub(crate) schema: Option<Arc<str>>,
    pub(crate) from: Option<Template>,
}

/// `output` and `export`: a transformation, then a schema.
#[derive(Debug)]
pub(crate) struct OutputPlan {
    pub(crate) transform: Option<Template>,
    pub(crate) schema: Option<Arc<str>>,
}

#[derive(Debug, Clone)]
pub(crate) enum DurationPlan {
    Literal(dsl::Span),
    Expression(Expression),
}
