//! The workflow as a whole: `document`, `use`, `schedule`, `evaluate`.

use std::sync::Arc;

use indexmap::IndexMap;

use super::authentication::policy;
use super::call::BUILT_IN;
use super::cron::cron;
use super::data::{input, output};
use super::duration::duration;
use super::events::{read_as, strategy};
use super::fault::{error_definition, retry_policy, timeout, timeout_or_name};
use super::names;
use super::resource::endpoint;
use super::task::{function, task_list};
use crate::reader::{Node, Row};
use crate::{
    Catalog, Code, Components, Definition, Document, Evaluate, EvaluationMode, Extension, ReadAs, Schedule, Severity,
    Task, Trigger,
};

/// "Workflow"
pub(crate) fn definition(node: Node<'_>) -> Option<Definition> {
    let fields = ["document", "input", "use", "do", "timeout", "output", "schedule", "evaluate"];
    // The schema leaves the top of a document open, for `$schema` and the like.
    let workflow = node.open_object(&fields)?;
    let document = workflow.required("document", document);
    let input = node.in_row(Row::WorkflowInput, || workflow.optional("input", input));
    let components = node.shared(|| workflow.optional("use", components));
    let tasks = workflow.required("do", task_list);
    let timeout = node.in_row(Row::WorkflowInput, || workflow.optional("timeout", timeout_or_name));
    let output = node.in_row(Row::WorkflowOutput, || workflow.optional("output", output));
    let schedule = node.in_row(Row::WorkflowInput, || workflow.optional("schedule", schedule));
    let evaluate = workflow.optional("evaluate", evaluate);
    Some(Definition {
        document: document?,
        input,
        components: components.unwrap_or_default(),
        tasks: tasks?,
        timeout,
        output,
        schedule,
        evaluate: evaluate.unwrap_or_default(),
        source: Arc::new(node.value()),
    })
}

/// "Document"
fn document(node: Node<'_>) -> Option<Document> {
    let fields = ["dsl", "namespace", "name", "version", "title", "summary", "tags", "metadata"];
    let document = node.object(&fields)?;
    let dsl = document.required("dsl", names::dsl_version);
    let namespace = document.required("namespace", names::workflow_name);
    let name = document.required("name", names::workflow_name);
    let version = document.required("version", names::semantic_version);
    let title = document.optional("title", Node::string).map(Into::into);
    let summary = document.optional("summary", Node::string).map(Into::into);
    let tags = document.optional("tags", Node::map);
    let metadata = document.optional("metadata", Node::map);
    Some(Document {
        dsl: dsl?,
        namespace: namespace?,
        name: name?,
        version: version?,
        title,
        summary,
        tags: tags.unwrap_or_default(),
        metadata: metadata.unwrap_or_default(),
    })
}

/// "Use"
fn components(node: Node<'_>) -> Option<Components> {
    let fields = ["authentications", "catalogs", "errors", "extensions", "functions", "retries", "secrets", "timeouts"];
    let components = node.object(&fields)?;
    Some(Components {
        authentications: components.optional("authentications", |node| node.named(policy)).unwrap_or_default(),
        catalogs: components.optional("catalogs", |node| node.named(catalog)).unwrap_or_default(),
        errors: components.optional("errors", |node| node.named(error_definition)).unwrap_or_default(),
        extensions: components.optional("extensions", |node| node.list(named_extension)).unwrap_or_default(),
        functions: components.optional("functions", functions).unwrap_or_default(),
        retries: components.optional("retries", |node| node.named(retry_policy)).unwrap_or_default(),
        secrets: components.optional("secrets", |node| node.list(Node::text)).unwrap_or_default(),
        timeouts: components.optional("timeouts", |node| node.named(timeout)).unwrap_or_default(),
    })
}

fn functions(node: Node<'_>) -> Option<IndexMap<String, Task>> {
    for (name, function) in node.members().filter(|(name, _)| BUILT_IN.contains(name)) {
        function.report(Severity::Warning, Code::HiddenFunction, function.key_place(), || {
            (format!("`call: {name}` always means the built-in function."), "Give this one another name.".into())
        });
    }
    node.named(function)
}

/// "Catalog"
fn catalog(node: Node<'_>) -> Option<Catalog> {
    let catalog = node.object(&["endpoint"])?;
    Some(Catalog { endpoint: catalog.required("endpoint", endpoint)? })
}

fn named_extension(node: Node<'_>) -> Option<(String, Extension)> {
    let (name, node) = node.one_named("an extension")?;
    Some((name.into(), extension(node)?))
}

/// "Extension"
fn extension(node: Node<'_>) -> Option<Extension> {
    let kinds = ["call", "composite", "emit", "for", "listen", "raise", "run", "set", "switch", "try", "wait", "all"];
    let extension = node.object(&["extend", "when", "before", "after"])?;
    let extend = extension.required("extend", |node| node.choice(&kinds.map(|kind| (kind, kind))));
    let when = extension.optional("when", Node::expression);
    let before = extension.optional("before", task_list);
    let after = extension.optional("after", task_list);
    Some(Extension { extend: extend?.into(), when, before, after })
}

/// "Schedule"
fn schedule(node: Node<'_>) -> Option<Schedule> {
    let schedule = node.object(&["every", "cron", "after", "on", "read"])?;
    let triggers = ["every", "cron", "after", "on"];
    let mut present: Vec<_> = triggers.iter().filter_map(|name| Some((*name, schedule.get(name)?))).collect();
    present.sort_by_key(|(_, node)| node.key_place().offset);
    let mut present = present.into_iter();
    let read = schedule.optional("read", read_as);
    if let (Some(read), false) = (schedule.get("read"), schedule.has("on")) {
        // "If set without `on`, the workflow MUST be considered invalid by the runtime."
        read.report(Severity::Error, Code::ConflictingFields, read.key_place(), || {
            ("`read` says how events are read, but no `on` is here.".into(), "Remove `read`, or add `on`.".into())
        });
    }
    let Some((name, trigger)) = present.next() else {
        return schedule.missing("every", "Add one of `every`, `cron`, `after` and `on`.");
    };
    for (second, other) in present {
        other.report(Severity::Error, Code::SeveralTriggers, other.key_place(), || {
            let message = format!("The schedule has `{name}` already; `{second}` would be a second trigger.");
            (message, "Keep one, and put the other into a workflow of its own.".into())
        });
    }
    let trigger = match name {
        "every" => Trigger::Every(duration(trigger)?),
        "cron" => Trigger::Cron(cron(trigger)?),
        "after" => Trigger::After(duration(trigger)?),
        _ => Trigger::On(strategy(trigger)?),
    };
    Some(Schedule { trigger, read: read.unwrap_or(ReadAs::Data) })
}

/// "Evaluate"
fn evaluate(node: Node<'_>) -> Option<Evaluate> {
    let evaluate = node.object(&["language", "mode"])?;
    let language = evaluate.optional("language", |node| node.choice(&[("jq", "jq")]));
    let modes = [("strict", EvaluationMode::Strict), ("loose", EvaluationMode::Loose)];
    let mode = evaluate.optional("mode", |node| node.choice(&modes));
    Some(Evaluate { language: language.unwrap_or("jq").into(), mode: mode.unwrap_or_default() })
}
