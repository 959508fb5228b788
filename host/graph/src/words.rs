//! What is said of a task, in a few words.

use hotcell_definition::{
    Backoff, Call, Catch, Collection, Duration, EventFilter, EventStrategy, Process, RetryPolicy, Reusable, Schedule,
    SwitchCase, Task, TaskKind, Template, Trigger, Until,
};
use serde_json::Value;

use crate::picture::Shape;
use crate::text::short;

/// How many names a line lists.
const MAX_NAMES: usize = 4;

pub(crate) fn shape(kind: &TaskKind) -> Shape {
    match kind {
        TaskKind::Call(_) => Shape::Call,
        TaskKind::Do(_) => Shape::Do,
        TaskKind::Emit(_) => Shape::Emit,
        TaskKind::For(_) => Shape::For,
        TaskKind::Fork(_) => Shape::Fork,
        TaskKind::Listen(_) => Shape::Listen,
        TaskKind::Raise(_) => Shape::Raise,
        TaskKind::Run(run) => match run.process {
            Process::Workflow(_) => Shape::Workflow,
            _ => Shape::Process,
        },
        TaskKind::Set(_) => Shape::Set,
        TaskKind::Switch(_) => Shape::Switch,
        TaskKind::Try(_) => Shape::Try,
        TaskKind::Wait(_) => Shape::Wait,
    }
}

pub(crate) fn kind(kind: &TaskKind) -> String {
    match kind {
        TaskKind::Call(call) => match &**call {
            Call::AsyncApi(_) => "call asyncapi",
            Call::Grpc(_) => "call grpc",
            Call::Http(_) => "call http",
            Call::OpenApi(_) => "call openapi",
            Call::A2a(_) => "call a2a",
            Call::Mcp(_) => "call mcp",
            Call::Wasm(_) => "call wasm",
            Call::Function(_) => "call",
        },
        TaskKind::Do(_) => "do",
        TaskKind::Emit(_) => "emit",
        TaskKind::For(_) => "for",
        TaskKind::Fork(fork) if fork.compete => "fork, compete",
        TaskKind::Fork(_) => "fork",
        TaskKind::Listen(_) => "listen",
        TaskKind::Raise(_) => "raise",
        TaskKind::Run(run) => match &run.process {
            Process::Container(_) => "run container",
            Process::Script(_) => "run script",
            Process::Shell(_) => "run shell",
            Process::Workflow(_) => "run workflow",
        },
        TaskKind::Set(_) => "set",
        TaskKind::Switch(_) => "switch",
        TaskKind::Try(_) => "try",
        TaskKind::Wait(_) => "wait",
    }
    .into()
}

/// A kind of task as `extend` names it.
pub(crate) fn extends(kind: &TaskKind) -> &'static str {
    match kind {
        TaskKind::Do(_) | TaskKind::Fork(_) => "composite",
        TaskKind::Call(_) => "call",
        TaskKind::Emit(_) => "emit",
        TaskKind::For(_) => "for",
        TaskKind::Listen(_) => "listen",
        TaskKind::Raise(_) => "raise",
        TaskKind::Run(_) => "run",
        TaskKind::Set(_) => "set",
        TaskKind::Switch(_) => "switch",
        TaskKind::Try(_) => "try",
        TaskKind::Wait(_) => "wait",
    }
}

/// Details of a task: what it calls, waits for, and under which condition.
pub(crate) fn notes(task: &Task) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(condition) = &task.condition {
        notes.push(short(&format!("if {}", condition.0)));
    }
    match &task.kind {
        TaskKind::Call(call) => notes.extend(called(call)),
        TaskKind::Emit(emit) => notes.extend(emit.event.get("type").map(scalar)),
        TaskKind::For(repeat) => {
            let collection = match &repeat.collection {
                Collection::Expression(expression) => expression.0.clone(),
                Collection::Inline(items) => format!("{} items", items.0.as_array().map_or(0, Vec::len)),
            };
            notes.push(short(&format!("each ${} in {collection}", repeat.each)));
            notes.extend(repeat.condition.as_ref().map(|condition| short(&format!("while {}", condition.0))));
        }
        TaskKind::Listen(listen) => notes.extend(strategy(&listen.to)),
        TaskKind::Raise(raise) => match &raise.error {
            Reusable::Named(name) => notes.push(short(name)),
            Reusable::Inline(error) => {
                let kind = error.kind.0.as_str().map(last_segment).unwrap_or_default();
                notes.push(short(&format!("{kind} {}", template(&error.status))));
                notes.extend(error.title.as_ref().map(|title| short(&template(title))));
            }
        },
        TaskKind::Run(run) => {
            notes.push(match &run.process {
                Process::Container(container) => short(&template(&container.image)),
                Process::Script(script) => short(&script.language),
                Process::Shell(shell) => short(&template(&shell.command)),
                Process::Workflow(flow) => short(&format!("{}/{}:{}", flow.namespace, flow.name, flow.version)),
            });
            if !run.wait {
                notes.push("not awaited".into());
            }
        }
        TaskKind::Set(data) => notes.push(match &*data.0 {
            Value::Object(members) => names(members.keys().map(String::as_str)),
            other => scalar(other),
        }),
        TaskKind::Wait(time) => notes.push(duration(time)),
        TaskKind::Do(_) | TaskKind::Fork(_) | TaskKind::Switch(_) | TaskKind::Try(_) => {}
    }
    if let Some(timeout) = &task.timeout {
        notes.push(match timeout {
            Reusable::Named(name) => short(&format!("timeout {name}")),
            Reusable::Inline(timeout) => format!("timeout {}", duration(&timeout.after)),
        });
    }
    notes
}

fn called(call: &Call) -> Option<String> {
    Some(match call {
        Call::Http(http) => {
            short(&format!("{} {}", template(&http.method).to_uppercase(), template(&http.endpoint.uri)))
        }
        Call::OpenApi(openapi) => short(&template(&openapi.operation_id)),
        Call::Grpc(grpc) => short(&format!("{}/{}", template(&grpc.service.name), template(&grpc.method))),
        Call::AsyncApi(asyncapi) => {
            short(&asyncapi.operation.as_ref().or(asyncapi.channel.as_ref()).map(template).unwrap_or_default())
        }
        Call::A2a(a2a) => short(&a2a.method),
        Call::Mcp(mcp) => short(&mcp.method),
        Call::Wasm(wasm) => short(&template(&wasm.component)),
        Call::Function(function) => short(&function.name),
    })
}

/// A case of a `switch`.
pub(crate) fn case(case: &SwitchCase) -> String {
    match &case.when {
        Some(when) => short(&format!("{}: {}", case.name, when.0)),
        None => short(&format!("{}: default", case.name)),
    }
}

/// Which errors are caught.
pub(crate) fn catch(catch: &Catch) -> Vec<String> {
    let filter = &catch.filter;
    let parts = [
        filter.kind.as_deref().map(|kind| last_segment(kind).to_owned()),
        filter.status.as_ref().map(scalar),
        filter.title.clone(),
        filter.instance.clone(),
    ];
    let which: Vec<String> = parts.into_iter().flatten().collect();
    let which = if which.is_empty() { "any error".into() } else { which.join(" ") };
    let mut notes = vec![short(&format!("catch {which} as ${}", catch.variable))];
    notes.extend(catch.when.as_ref().map(|when| short(&format!("when {}", when.0))));
    notes.extend(catch.except_when.as_ref().map(|when| short(&format!("except when {}", when.0))));
    notes
}

/// How often and how fast something is tried again.
pub(crate) fn retry(retry: &Reusable<RetryPolicy>) -> String {
    let policy = match retry {
        Reusable::Named(name) => return short(&format!("retry: {name}")),
        Reusable::Inline(policy) => policy,
    };
    let mut text = "retry".to_owned();
    if let Some(count) = policy.attempts {
        text.push_str(&format!(" ≤ {count}"));
    }
    if let Some(delay) = &policy.delay {
        text.push_str(&format!(", {}", duration(delay)));
    }
    match policy.backoff {
        Backoff::Constant => {}
        Backoff::Linear => text.push_str(", linear"),
        Backoff::Exponential => text.push_str(", exponential"),
    }
    short(&text)
}

/// What starts a workflow.
pub(crate) fn schedule(schedule: &Schedule) -> Vec<String> {
    match &schedule.trigger {
        Trigger::Every(time) => vec![format!("every {}", duration(time))],
        Trigger::Cron(_) => vec!["cron".into()],
        Trigger::After(time) => vec![format!("{} after it has ended", duration(time))],
        Trigger::On(events) => strategy(events),
    }
}

fn strategy(strategy: &EventStrategy) -> Vec<String> {
    let listed = |word: &str, filters: &[EventFilter]| {
        let types: Vec<String> = filters.iter().take(MAX_NAMES + 1).map(event).collect();
        short(&format!("{word} {}", names(types.iter().map(String::as_str))))
    };
    match strategy {
        EventStrategy::All(filters) => vec![listed("all of", filters)],
        EventStrategy::Any(filters, until) => {
            let mut notes = vec![if filters.is_empty() { "any event".into() } else { listed("any of", filters) }];
            notes.extend(until.as_ref().map(|until| match &**until {
                Until::Condition(condition) => short(&format!("until {}", condition.0)),
                Until::Events(events) => short(&format!("until {}", self::strategy(events).join(", "))),
            }));
            notes
        }
        EventStrategy::One(filter) => vec![short(&event(filter))],
    }
}

/// The type of an event, or the first attribute that is asked for.
fn event(filter: &EventFilter) -> String {
    match &*filter.with.0 {
        Value::Object(with) => match with.get("type") {
            Some(kind) => scalar(kind),
            None => with.iter().next().map_or_else(String::new, |(name, value)| format!("{name} = {}", scalar(value))),
        },
        other => scalar(other),
    }
}

fn duration(duration: &Duration) -> String {
    match duration {
        Duration::Literal(span) => short(&format!("{:#}", span.0)),
        Duration::Expression(expression) => short(&expression.0),
    }
}

fn names<'n>(all: impl Iterator<Item = &'n str>) -> String {
    let mut all = all.peekable();
    let mut text: Vec<&str> = all.by_ref().take(MAX_NAMES).collect();
    if all.peek().is_some() {
        text.push("…");
    }
    short(&text.join(", "))
}

fn template(template: &Template) -> String {
    scalar(&template.0)
}

/// A value as it is said in a picture. What is large is not written out.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => short(text),
        Value::Array(items) => format!("[{} items]", items.len()),
        Value::Object(members) => names(members.keys().map(String::as_str)),
        other => short(&other.to_string()),
    }
}

fn last_segment(uri: &str) -> &str {
    uri.trim_end_matches('/').rsplit('/').next().unwrap_or(uri)
}
