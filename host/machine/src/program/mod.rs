//! A definition, made ready to be walked: numbered tasks, compiled expressions, resolved names.

mod callee;
mod compiler;
mod data;
mod error;
mod extension;
mod function;
mod link;
mod plan;
mod schema;

use std::sync::Arc;

use hotcell_definition as dsl;
use hotcell_definition::{Definition, TaskReference};
use hotcell_expression::{Mode, Needs, Template};

pub(crate) use self::compiler::Compiler;
pub use self::link::{LinkError, Links, Loaded, LoadedSchema, Missing, Origin, Wanted};
pub(crate) use self::plan::*;
pub use self::schema::{refers_elsewhere, schema_text};
use crate::{Builtin, ScriptLanguage, WorkflowIdentity};

/// A definition that a machine can walk. Made once, shared by all executions of the definition.
#[derive(Debug)]
pub struct Program {
    pub(crate) definition: Arc<Definition>,
    pub(crate) identity: WorkflowIdentity,
    pub(crate) nodes: Vec<Node>,
    pub(crate) functions: Vec<Function>,
    pub(crate) extensions: Vec<Extension>,
    pub(crate) root: Block,
    pub(crate) input: Option<InputPlan>,
    pub(crate) output: Option<OutputPlan>,
    pub(crate) timeout: Option<DurationPlan>,
    loaded_schemas: Vec<(String, Arc<str>)>,
}

/// Something that is valid, but that this version of hotcell does not run yet, or that refers to what cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// Where it stands: a JSON Pointer into the document.
    pub pointer: String,
    /// What it is, and what to do instead.
    pub message: String,
}

/// A component that a definition or a function of it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedComponent<'p> {
    /// Its name, as it is written.
    pub name: &'p str,
    /// Where: a JSON Pointer into the definition.
    pub pointer: &'p str,
    /// The document that names it, if it is that of a function that is elsewhere.
    pub origin: Option<&'p Origin>,
    /// The export to call. Default: what the component itself says.
    pub export: Option<&'p str>,
}

/// A workflow that a task runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedWorkflow<'p> {
    /// Its namespace.
    pub namespace: &'p str,
    /// Its name.
    pub name: &'p str,
    /// A version, a range of versions, or `latest`.
    pub version: &'p str,
    /// The task.
    pub reference: &'p TaskReference,
}

/// Whether `run: shell` runs. A command of the host's shell stands in no cell: it can read, change and reach whatever the
/// user who runs hotcell can. That is for machines of a single user, who wrote the definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HostShell {
    /// A definition with `run: shell` is refused. The default.
    #[default]
    Refused,
    /// Commands are run by the host's shell.
    Allowed,
}

impl Program {
    /// Makes a definition ready that refers to nothing outside itself.
    ///
    /// # Errors
    /// Everything in it that this version does not run, all at once, and what it refers to.
    pub fn new(definition: Arc<Definition>) -> Result<Self, Vec<Unsupported>> {
        Self::with_shell(definition, HostShell::Refused)
    }

    /// Makes a definition ready whose shell commands may run outside of cells, if the operator allows it.
    ///
    /// # Errors
    /// As for [`Program::new`].
    pub fn with_shell(definition: Arc<Definition>, shell: HostShell) -> Result<Self, Vec<Unsupported>> {
        Program::link(definition, &Links::new(), shell).map_err(|error| match error {
            LinkError::Missing(missing) => missing.into_iter().map(Missing::refused).collect(),
            LinkError::Unsupported(unsupported) => unsupported,
        })
    }

    /// Makes a definition ready, with what was loaded of that to which it refers.
    ///
    /// # Errors
    /// What is to be loaded first; if that is nothing, everything that this version does not run.
    pub fn link(definition: Arc<Definition>, links: &Links, shell: HostShell) -> Result<Self, LinkError> {
        let mode = match definition.evaluate.mode {
            dsl::EvaluationMode::Strict => Mode::Strict,
            dsl::EvaluationMode::Loose => Mode::Loose,
        };
        let mut compiler = Compiler::new(&definition.components, mode, links, shell);
        compiler.extensions();
        let root_reference = TaskReference::root();
        let root = compiler.block(&definition.tasks, &root_reference.join("do"));
        let input = compiler.input(definition.input.as_ref(), &root_reference);
        let output = compiler.output(definition.output.as_ref(), &root_reference);
        let timeout = compiler.timeout(definition.timeout.as_ref());
        compiler.called_functions();
        if definition.evaluate.language != "jq" {
            compiler.refuse(
                &root_reference.join("evaluate").join("language"),
                "hotcell evaluates jq only; write the expressions in jq",
            );
        }
        if !compiler.missing.is_empty() {
            return Err(LinkError::Missing(compiler.missing));
        }
        if !compiler.unsupported.is_empty() {
            return Err(LinkError::Unsupported(compiler.unsupported));
        }
        let (functions, extensions) = (compiler.functions.compiled, compiler.extensions.compiled);
        let identity = WorkflowIdentity {
            namespace: definition.document.namespace.clone(),
            name: definition.document.name.clone(),
            version: definition.document.version.to_string(),
        };
        let loaded_schemas = compiler.loaded_schemas;
        Ok(Program {
            loaded_schemas,
            identity,
            nodes: compiler.nodes,
            functions,
            extensions,
            root,
            input,
            output,
            timeout,
            definition,
        })
    }

    /// The definition.
    pub fn definition(&self) -> &Arc<Definition> {
        &self.definition
    }

    /// Which definition this is.
    pub fn identity(&self) -> &WorkflowIdentity {
        &self.identity
    }

    /// The components that are named without an expression. They can be made ready before the first task starts.
    pub fn components(&self) -> impl Iterator<Item = NamedComponent<'_>> {
        self.nodes.iter().filter_map(|node| {
            let Kind::Wasm(plan) = &node.kind else { return None };
            let Template::Literal(data) = &plan.component else { return None };
            let (pointer, origin, export) = (&*plan.pointer, plan.origin.as_ref(), plan.export.as_deref());
            data.value().as_str().map(|name| NamedComponent { name, pointer, origin, export })
        })
    }

    /// The components of hotcell itself that the definition calls. They can be made ready before the first task starts.
    pub fn builtins(&self) -> impl Iterator<Item = Builtin> {
        let calls_http = self.nodes.iter().any(|node| matches!(node.kind, Kind::Http(_)));
        calls_http.then_some(Builtin::Http).into_iter()
    }

    /// The scripts, each with where its task stands. Their interpreters can be made ready before the first task starts.
    pub fn scripts(&self) -> impl Iterator<Item = (&str, ScriptLanguage)> {
        self.nodes.iter().filter_map(|node| match &node.kind {
            Kind::Process(plan) => plan.language().map(|language| (node.reference.as_str(), language)),
            _ => None,
        })
    }

    /// The schemas that were loaded, as an evaluator takes them, each with a JSON Pointer to what refers to it.
    pub fn loaded_schemas(&self) -> impl Iterator<Item = (&str, &str)> {
        self.loaded_schemas.iter().map(|(pointer, schema)| (&**pointer, &**schema))
    }

    /// The workflows that tasks run.
    pub fn named_workflows(&self) -> impl Iterator<Item = NamedWorkflow<'_>> {
        self.nodes.iter().filter_map(|node| match &node.kind {
            Kind::Workflow(plan) => Some(NamedWorkflow {
                namespace: &plan.namespace,
                name: &plan.name,
                version: &plan.version,
                reference: &node.reference,
            }),
            _ => None,
        })
    }

    /// What an evaluator should be ready for before the first task starts.
    pub fn needs(&self) -> Needs {
        crate::needs::needs(&self.definition)
    }

    /// Whether a task of it runs another workflow.
    pub fn runs_workflows(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node.kind, Kind::Workflow(_)))
    }

    /// How many tasks the definition has, those in lists of tasks included.
    pub fn tasks(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn function(&self, id: FunctionId) -> &Function {
        &self.functions[id as usize]
    }

    pub(crate) fn extension(&self, id: ExtensionId) -> &Extension {
        &self.extensions[id as usize]
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }
}
