//! `run`: containers, scripts, shell commands, workflows.

use serde_json::{Map, Value};

use super::{Duration, ExternalResource, Template};

/// `run`
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Whether to wait for the end. Default: true.
    pub wait: bool,
    /// What the output is. Default: stdout.
    pub output: ProcessOutput,
    /// What is run.
    pub process: Process,
}

/// `return`: what the output of a process is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProcessOutput {
    /// What it wrote to its standard output.
    #[default]
    Stdout,
    /// What it wrote to its standard error.
    Stderr,
    /// Its exit code.
    Code,
    /// All three, by name.
    All,
    /// Nothing: null.
    None,
}

/// What is run.
#[derive(Debug, Clone, PartialEq)]
pub enum Process {
    /// A container.
    Container(ContainerProcess),
    /// A script.
    Script(ScriptProcess),
    /// A shell command.
    Shell(ShellProcess),
    /// Another workflow.
    Workflow(WorkflowProcess),
}

/// `run.container`
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerProcess {
    /// The image.
    pub image: Template,
    /// A name for the container.
    pub name: Option<Template>,
    /// The command.
    pub command: Option<Template>,
    /// Port mappings.
    pub ports: Map<String, Value>,
    /// Volume mappings.
    pub volumes: Map<String, Value>,
    /// What every process can be given.
    pub io: ProcessIo,
    /// When the container is removed. Default: never.
    pub lifetime: ContainerLifetime,
    /// When the image is pulled. Default: if it is not present.
    pub pull_policy: PullPolicy,
}

/// When a container is removed.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum ContainerLifetime {
    /// At its end.
    Always,
    /// Not by the runtime.
    #[default]
    Never,
    /// Some time after its end.
    Eventually(Duration),
}

/// When an image is pulled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PullPolicy {
    /// If it is not present.
    #[default]
    IfNotPresent,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// `run.script`
#[derive(Debug, Clone, PartialEq)]
pub struct ScriptProcess {
    /// The language, `js` or `python`.
    pub language: String,
    /// The script, or where it is.
    pub code: ScriptCode,
    /// What every process can be given.
    pub io: ProcessIo,
}

/// A script, or where it is.
#[derive(Debug, Clone, PartialEq)]
pub enum ScriptCode {
    /// `code`: written in place.
    Inline(String),
    /// `code`: one `${ … }` that yields it.
    Computed(Template),
    /// `source`: to be fetched.
    External(ExternalResource),
}

/// `run.shell`
#[derive(Debug, Clone, PartialEq)]
pub struct ShellProcess {
    /// The command.
    pub command: Template,
    /// What every process can be given.
    pub io: ProcessIo,
}

/// What every process can be given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProcessIo {
    /// Standard input.
    pub stdin: Option<Template>,
    /// Arguments: an array, or an object as `dsl.md` has it for functions.
    pub arguments: Option<Template>,
    /// Environment variables, by name.
    pub environment: Option<Template>,
}

/// `run.workflow`
#[derive(Debug, Clone, PartialEq)]
pub struct WorkflowProcess {
    /// The namespace of the workflow.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its version, exact or `latest`. Default: `latest`.
    pub version: String,
    /// What it gets. Default: the task's input.
    pub input: Option<Template>,
}
