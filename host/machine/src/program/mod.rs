//! A definition, made ready to be walked: numbered tasks, compiled expressions, resolved names.

mod callee;
mod compiler;
mod data;
mod error;
mod plan;

use std::sync::Arc;

use hotcell_definition as dsl;
use hotcell_definition::{Definition, TaskReference};
use hotcell_expression::{Mode, Template};

use self::compiler::Compiler;
pub(crate) use self::plan::*;
use crate::WorkflowIdentity;

/// A definition that a machine can walk. Made once, shared by all executions of the definition.
#[derive(Debug)]
pub struct Program {
    pub(crate) definition: Arc<Definition>,
    pub(crate) identity: WorkflowIdentity,
    pub(crate) nodes: Vec<Node>,
    pub(crate) root: Block,
    pub(crate) input: Option<InputPlan>,
    pub(crate) output: Option<OutputPlan>,
    pub(crate) timeout: Option<DurationPlan>,
}

/// Something that is valid, and that this version of hotcell does not run yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// Where it stands: a JSON Pointer into the document.
    pub pointer: String,
    /// What it is, and what to do instead.
    pub message: String,
}

impl Program {
    /// Makes a definition ready.
    ///
    /// # Errors
    /// Everything in it that this version does not run, all at once.
    pub fn new(definition: Arc<Definition>) -> Result<Self, Vec<Unsupported>> {
        let mode = match definition.evaluate.mode {
            dsl::EvaluationMode::Strict => Mode::Strict,
            dsl::EvaluationMode::Loose => Mode::Loose,
        };
        let mut compiler = Compiler::new(&definition.components, mode);
        let root_reference = TaskReference::root();
        let root = compiler.block(&definition.tasks, &root_reference.join("do"));
        let input = compiler.input(definition.input.as_ref(), &root_reference);
        let output = compiler.output(definition.output.as_ref(), &root_reference);
        let timeout = compiler.timeout(definition.timeout.as_ref());
        if definition.evaluate.language != "jq" {
            compiler.refuse(
                &root_reference.join("evaluate").join("language"),
                "hotcell evaluates jq only; write the expressions in jq",
            );
        }
        if definition.schedule.is_some() {
            compiler.refuse(
                &root_reference.join("schedule"),
                "schedules are not run yet; remove `schedule` and start the workflow by hand",
            );
        }
        if !definition.components.extensions.is_empty() {
            compiler.refuse(
                &root_reference.join("use").join("extensions"),
                "extensions are not applied yet; call their tasks where they are needed",
            );
        }
        if !compiler.unsupported.is_empty() {
            return Err(compiler.unsupported);
        }
        let identity = WorkflowIdentity {
            namespace: definition.document.namespace.clone(),
            name: definition.document.name.clone(),
            version: definition.document.version.to_string(),
        };
        Ok(Program { identity, nodes: compiler.nodes, root, input, output, timeout, definition })
    }

    /// The definition.
    pub fn definition(&self) -> &Arc<Definition> {
        &self.definition
    }

    /// Which definition this is.
    pub fn identity(&self) -> &WorkflowIdentity {
        &self.identity
    }

    /// The components that the definition names without an expression, each with the reference of its task.
    /// They can be made ready before the first task starts.
    pub fn components(&self) -> impl Iterator<Item = (&TaskReference, &str)> {
        self.nodes.iter().filter_map(|node| match &node.kind {
            Kind::Wasm(plan) => match &plan.component {
                Template::Literal(data) => data.value().as_str().map(|name| (&*node.reference, name)),
                _ => None,
            },
            _ => None,
        })
    }

    /// How many tasks the definition has, those in lists of tasks included.
    pub fn tasks(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }
}
