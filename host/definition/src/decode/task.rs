//! "Task": what all have in common, which kind one is, and lists of them.

use std::collections::HashMap;

use super::call::call;
use super::data::{export, input, output};
use super::duration::duration;
use super::events::{emit, listen};
use super::fault::{raise, timeout_or_name, try_};
use super::run::run;
use super::{control, flow};
use crate::problems::{quote, similar};
use crate::reader::{Node, Object, Row};
use crate::{Code, FlowDirective, NamedTask, Severity, Task, TaskKind, TaskList};

const COMMON: [&str; 7] = ["if", "input", "output", "export", "timeout", "then", "metadata"];

/// Each kind by its keyword, with the fields that only it has. `for` has a `do` too, and comes first for that.
const KINDS: [(&str, &[&str]); 12] = [
    ("for", &["for", "while", "do"]),
    ("call", &["call", "with"]),
    ("do", &["do"]),
    ("emit", &["emit"]),
    ("fork", &["fork"]),
    ("listen", &["listen", "foreach"]),
    ("raise", &["raise"]),
    ("run", &["run", "await", "return"]),
    ("set", &["set"]),
    ("switch", &["switch"]),
    ("try", &["try", "catch"]),
    ("wait", &["wait"]),
];

/// A list of named tasks. The reference's tables also speak of a map, which is read with a warning.
pub(super) fn task_list(node: Node<'_>) -> Option<TaskList> {
    if node.is_object() {
        node.nonstandard("The tasks stand in an object", "a list, `- ` before the name of each task");
        return named_tasks(node.members().map(Some));
    }
    if !node.is_list() {
        return node.wrong_type("a list of named tasks");
    }
    named_tasks(node.elements().map(|item| item.one_named("a task")))
}

/// A list of named tasks or, as earlier versions of the DSL had it under `try`, one task without a name.
pub(super) fn task_list_or_single(node: Node<'_>) -> Option<TaskList> {
    if !kinds_of(node).any(|_| true) {
        return task_list(node);
    }
    node.nonstandard("A task stands here alone", "a list with the task in it, `- name:` before it");
    let task = task(node)?;
    flow::check(&[("try", node)]);
    Some(TaskList(vec![NamedTask { name: "try".into(), task }]))
}

fn named_tasks<'r>(items: impl Iterator<Item = Option<(&'r str, Node<'r>)>>) -> Option<TaskList> {
    let mut first: HashMap<&str, Node<'_>> = HashMap::new();
    let mut tasks: Vec<Option<(&str, Node<'_>, Option<Task>)>> = Vec::new();
    for item in items {
        let Some((name, node)) = item else {
            tasks.push(None);
            continue;
        };
        match first.get(name) {
            Some(first) => duplicate(name, *first, node),
            None => drop(first.insert(name, node)),
        }
        if matches!(name, "continue" | "exit" | "end") {
            node.report(Severity::Warning, Code::ReservedTaskName, node.key_place(), || {
                let message = format!("`then: {name}` is a flow directive, and never leads to this task.");
                (message, "Give the task another name.".into())
            });
        }
        tasks.push(Some((name, node, task(node))));
    }
    let known: Vec<_> = tasks.iter().flatten().map(|(name, node, _)| (*name, *node)).collect();
    flow::check(&known);
    tasks
        .into_iter()
        .map(|item| item.and_then(|(name, _, task)| Some(NamedTask { name: name.into(), task: task? })))
        .collect::<Option<_>>()
        .map(TaskList)
}

fn duplicate(name: &str, first: Node<'_>, second: Node<'_>) {
    let first = first.key_place();
    second.report(Severity::Error, Code::DuplicateTaskName, second.key_place(), || {
        let message = format!("A task of this list is called `{}` already, in line {}.", quote(name), first.line);
        (message, "Give one of them another name, so that `then` can tell them apart.".into())
    });
}

/// A function, of `use.functions` or in a document of its own: a task that stands in no list, so that its `then` cannot name another.
pub(crate) fn function(node: Node<'_>) -> Option<Task> {
    let task = task(node);
    flow::check(&[("", node)]);
    task
}

/// What a task says that it does: one thing, unless it is wrong.
pub(super) fn kinds_of<'r>(node: Node<'r>) -> impl Iterator<Item = (&'static str, Node<'r>)> {
    let kinds = KINDS.iter().filter_map(move |(kind, _)| Some((*kind, node.get(kind)?)));
    kinds.filter(move |(kind, _)| *kind != "do" || node.get("for").is_none())
}

/// "Task"
pub(super) fn task(node: Node<'_>) -> Option<Task> {
    if !node.is_object() {
        return node.wrong_type("an object that says what the task does");
    }
    let kinds: Vec<_> = kinds_of(node).collect();
    let (task, kind) = match kinds[..] {
        [] => (node.any_object()?, missing_kind(node)),
        [(kind, content)] => {
            let own = KINDS.iter().find(|(name, _)| *name == kind).map_or(&[][..], |(_, own)| own);
            let task = node.object_of(&[&COMMON, own])?;
            (task, node.in_row(Row::Task, || task_kind(kind, task, content)))
        }
        [(first, _), (second, also), ..] => {
            several_kinds(first, second, also);
            let task = node.any_object()?;
            // What is wrong in any of them is told as well.
            for (kind, content) in kinds {
                node.in_row(Row::Task, || task_kind(kind, task, content));
            }
            (task, None)
        }
    };
    Some(Task {
        condition: node.in_row(Row::TaskInput, || task.optional("if", Node::expression)),
        input: node.in_row(Row::TaskInput, || task.optional("input", input)),
        output: node.in_row(Row::Task, || task.optional("output", output)),
        export: node.in_row(Row::TaskExport, || task.optional("export", export)),
        timeout: node.in_row(Row::Task, || task.optional("timeout", timeout_or_name)),
        then: task.optional("then", directive),
        metadata: task.optional("metadata", Node::map).unwrap_or_default(),
        kind: kind?,
        source: node.task_value(),
    })
}

fn task_kind<'r>(kind: &str, task: Object<'r>, node: Node<'r>) -> Option<TaskKind> {
    match kind {
        "call" => call(task, node).map(|call| TaskKind::Call(Box::new(call))),
        "do" => task_list(node).map(TaskKind::Do),
        "emit" => emit(node).map(TaskKind::Emit),
        "for" => control::for_(task, node).map(TaskKind::For),
        "fork" => control::fork(node).map(TaskKind::Fork),
        "listen" => listen(task, node).map(|listen| TaskKind::Listen(Box::new(listen))),
        "raise" => raise(node).map(TaskKind::Raise),
        "run" => run(task, node).map(|run| TaskKind::Run(Box::new(run))),
        "set" => control::set(node).map(TaskKind::Set),
        "switch" => control::switch(node).map(TaskKind::Switch),
        "try" => try_(task, node).map(|attempt| TaskKind::Try(Box::new(attempt))),
        _ => duration(node).map(TaskKind::Wait),
    }
}

fn several_kinds(first: &str, second: &str, node: Node<'_>) {
    node.report(Severity::Error, Code::SeveralTaskKinds, node.key_place(), || {
        let message = format!("The task has both `{first}` and `{second}`; a task does one thing.");
        (message, "Make two tasks of it, or nest one in the other.".into())
    });
}

fn missing_kind<T>(node: Node<'_>) -> Option<T> {
    node.report(Severity::Error, Code::MissingTaskKind, node.key_place(), || {
        let kinds = || KINDS.iter().map(|(kind, _)| *kind);
        let suggestion = node
            .members()
            .take(20)
            .filter(|(name, _)| !COMMON.contains(name))
            .find_map(|(name, _)| Some((name, similar(name, kinds())?)));
        let help = match suggestion {
            Some((name, kind)) => format!("Did you mean `{kind}` where it says `{}`?", quote(name)),
            None => {
                let all = kinds().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(", ");
                format!("Add one of {all}.")
            }
        };
        ("The task does not say what it does.".into(), help)
    });
    None
}

/// "Flow Directive". Whether there is a task of that name is checked for a list as a whole.
pub(super) fn directive(node: Node<'_>) -> Option<FlowDirective> {
    Some(match node.text()?.as_str() {
        "continue" => FlowDirective::Continue,
        "exit" => FlowDirective::Exit,
        "end" => FlowDirective::End,
        name => FlowDirective::To(name.into()),
    })
}
