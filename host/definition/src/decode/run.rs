//! "Run"

use super::duration::duration;
use super::names::workflow_name;
use super::resource::external_resource;
use crate::reader::{Node, Object, is_expression};
use crate::{
    Code, ContainerLifetime, ContainerProcess, Process, ProcessIo, ProcessOutput, PullPolicy, Run, ScriptCode,
    ScriptProcess, Severity, ShellProcess, Template, WorkflowProcess,
};

const PROCESSES: [&str; 4] = ["container", "script", "shell", "workflow"];
const IO: [&str; 3] = ["stdin", "arguments", "environment"];

/// What stands under `run`. The reference's table has `await` and `return` beside `run`, its examples and the schema
/// beneath it.
pub(super) fn run(task: Object<'_>, node: Node<'_>) -> Option<Run> {
    let run = node.object_of(&[&PROCESSES, &["await", "return"]])?;
    for field in ["await", "return"] {
        if let Some(beside) = task.get(field) {
            beside.nonstandard(&format!("`{field}` stands beside `run`"), "it beneath `run`");
        }
    }
    let option = |field: &str| run.get(field).or(task.get(field));
    let wait = option("await").and_then(Node::boolean);
    let output = option("return").and_then(output);
    let process = match run.exactly_one(&PROCESSES)? {
        ("container", node) => container(node).map(Process::Container),
        ("script", node) => script(node).map(Process::Script),
        ("shell", node) => shell(node).map(Process::Shell),
        (_, node) => workflow(node).map(Process::Workflow),
    };
    Some(Run { wait: wait.unwrap_or(true), output: output.unwrap_or_default(), process: process? })
}

fn output(node: Node<'_>) -> Option<ProcessOutput> {
    node.choice(&[
        ("stdout", ProcessOutput::Stdout),
        ("stderr", ProcessOutput::Stderr),
        ("code", ProcessOutput::Code),
        ("all", ProcessOutput::All),
        ("none", ProcessOutput::None),
    ])
}

/// "Container Process"
fn container(node: Node<'_>) -> Option<ContainerProcess> {
    let fields = ["image", "name", "command", "ports", "volumes", "lifetime", "pullPolicy"];
    let container = node.object_of(&[&fields, &IO])?;
    let image = container.required("image", Node::text_template);
    let policies =
        [("ifNotPresent", PullPolicy::IfNotPresent), ("always", PullPolicy::Always), ("never", PullPolicy::Never)];
    Some(ContainerProcess {
        name: container.optional("name", Node::text_template),
        command: container.optional("command", Node::text_template),
        ports: container.optional("ports", Node::map).unwrap_or_default(),
        volumes: container.optional("volumes", Node::map).unwrap_or_default(),
        io: io(container),
        lifetime: container.optional("lifetime", lifetime).unwrap_or_default(),
        pull_policy: container.optional("pullPolicy", |node| node.choice(&policies)).unwrap_or_default(),
        image: image?,
    })
}

/// "Container Lifetime"
fn lifetime(node: Node<'_>) -> Option<ContainerLifetime> {
    let lifetime = node.object(&["cleanup", "after"])?;
    let cleanup = lifetime.required("cleanup", |node| {
        node.choice(&[("always", "always"), ("never", "never"), ("eventually", "eventually")])
    })?;
    if cleanup == "eventually" {
        return lifetime.required("after", duration).map(ContainerLifetime::Eventually);
    }
    if let Some(after) = lifetime.get("after") {
        after.report(Severity::Warning, Code::IgnoredField, after.key_place(), || {
            (format!("`after` has no effect with `cleanup: {cleanup}`."), "Remove it, or use `eventually`.".into())
        });
    }
    Some(if cleanup == "always" { ContainerLifetime::Always } else { ContainerLifetime::Never })
}

/// "Script Process"
fn script(node: Node<'_>) -> Option<ScriptProcess> {
    let script = node.object_of(&[&["language", "code", "source"], &IO])?;
    let language = script.required("language", |node| node.choice(&[("js", "js"), ("python", "python")]));
    let code = match script.exactly_one(&["code", "source"]) {
        // No script begins with `${` and ends with its `}`.
        Some(("code", node)) if node.as_str().is_some_and(is_expression) => {
            node.text_template().map(ScriptCode::Computed)
        }
        Some(("code", node)) => node.string().map(|code| ScriptCode::Inline(code.into())),
        Some((_, node)) => external_resource(node).map(ScriptCode::External),
        None => None,
    };
    Some(ScriptProcess { io: io(script), language: language?.into(), code: code? })
}

/// "Shell Process"
fn shell(node: Node<'_>) -> Option<ShellProcess> {
    let shell = node.object_of(&[&["command"], &IO])?;
    let command = shell.required("command", Node::text_template);
    Some(ShellProcess { io: io(shell), command: command? })
}

fn io(process: Object<'_>) -> ProcessIo {
    ProcessIo {
        stdin: process.optional("stdin", Node::text_template),
        arguments: process.optional("arguments", arguments),
        environment: process.optional("environment", Node::object_or_expression),
    }
}

fn arguments(node: Node<'_>) -> Option<Template> {
    if node.is_object() {
        node.nonstandard("The arguments have names", "a list of strings");
        return node.template();
    }
    if node.as_str().is_some_and(|text| text.contains("${")) {
        node.nonstandard("The arguments are one expression", "a list of strings, each of which may be an expression");
        return node.template();
    }
    // Each is text, as a program has them.
    let texts = node.list(Node::text_template)?;
    let texts = texts.into_iter().map(|text| serde_json::Value::clone(&text.0)).collect();
    Some(Template(std::sync::Arc::new(texts)))
}

/// "Workflow Process"
fn workflow(node: Node<'_>) -> Option<WorkflowProcess> {
    let workflow = node.object(&["namespace", "name", "version", "input"])?;
    let namespace = workflow.required("namespace", workflow_name);
    let name = workflow.required("name", workflow_name);
    let version = match workflow.get("version") {
        Some(node) => super::names::version_range(node),
        None => {
            node.nonstandard("`version` is missing, so that it is the latest", "`version: latest`");
            Some("latest".into())
        }
    };
    let input = workflow.optional("input", Node::template);
    Some(WorkflowProcess { namespace: namespace?, name: name?, version: version?, input })
}
