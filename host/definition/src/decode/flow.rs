//! Where the flow goes within a list of tasks: that every `then` has a target, and every task a way to it.

use std::collections::HashMap;

use crate::problems::{quote, similar};
use crate::reader::Node;
use crate::{Code, FlowDirective, Severity, Task, TaskKind};

/// A task of a list: its name, where it stands, and what it is, unless it is wrong.
type Item<'t, 'r> = (&'t str, Node<'r>, Option<&'t Task>);

/// "Flow directives may only redirect to tasks declared within their own scope."
pub(super) fn check(list: &[Item<'_, '_>]) {
    let mut names = HashMap::new();
    for (index, (name, ..)) in list.iter().enumerate() {
        names.entry(*name).or_insert(index);
    }
    let mut all_known = true;
    for (_, node, _) in list {
        for then in directives(*node) {
            all_known &= check_target(then, list, &names);
        }
    }
    // A task that is wrong may lead anywhere.
    if all_known && list.iter().all(|(.., task)| task.is_some()) {
        warn_unreachable(list, &names);
    }
}

/// Every `then` of a task that names a task of the list in which the task stands.
fn directives<'r>(task: Node<'r>) -> impl Iterator<Item = Node<'r>> {
    let cases = task.get("switch").into_iter().flat_map(|switch| switch.elements());
    let of_cases = cases.filter_map(|case| case.members().next()?.1.get("then"));
    let of_catch = task.get("catch").and_then(|catch| catch.get("then"));
    task.get("then").into_iter().chain(of_catch).chain(of_cases)
}

fn check_target(then: Node<'_>, list: &[Item<'_, '_>], names: &HashMap<&str, usize>) -> bool {
    let Some(target) = then.as_str() else { return false };
    if target.trim().is_empty() || matches!(target, "continue" | "exit" | "end") || names.contains_key(target) {
        return true;
    }
    then.error::<()>(Code::UnknownTask, || {
        let directives = ["continue", "exit", "end"];
        let candidates = directives.into_iter().chain(list.iter().map(|(name, ..)| *name));
        let help = match similar(target, candidates) {
            Some(similar) => format!("Did you mean `{similar}`?"),
            None => "`then` leads to a task of the same list, or is `continue`, `exit` or `end`.".into(),
        };
        (format!("There is no task `{}` in this list.", quote(target)), help)
    });
    false
}

fn warn_unreachable(list: &[Item<'_, '_>], names: &HashMap<&str, usize>) {
    let mut reached = vec![false; list.len()];
    let mut open = vec![0];
    while let Some(index) = open.pop() {
        let Some((.., Some(task))) = list.get(index) else { continue };
        if !std::mem::replace(&mut reached[index], true) {
            open.extend(successors(task, index, names));
        }
    }
    for (_, (_, node, _)) in reached.iter().zip(list).filter(|(reached, _)| !**reached) {
        node.report(Severity::Warning, Code::UnreachableTask, node.key_place(), || {
            let message = "No way leads to this task: the one before goes elsewhere, and no `then` names it.";
            (message.into(), "Name it in a `then`, or remove it.".into())
        });
    }
}

/// The tasks of the list that may follow. Indices beyond the list leave it.
fn successors(task: &Task, index: usize, names: &HashMap<&str, usize>) -> Vec<usize> {
    let target = |directive: &FlowDirective| match directive {
        FlowDirective::Continue => Some(index + 1),
        FlowDirective::Exit | FlowDirective::End => None,
        FlowDirective::To(name) => names.get(name.as_str()).copied(),
    };
    let after = task.then.as_ref().map_or(Some(index + 1), target);
    // A skipped task does not follow its `then`.
    let mut following: Vec<usize> = task.condition.iter().map(|_| index + 1).collect();
    match &task.kind {
        TaskKind::Raise(_) => {}
        TaskKind::Switch(cases) => {
            following.extend(cases.iter().filter_map(|case| target(&case.then)));
            if cases.iter().all(|case| case.when.is_some()) {
                following.extend(after);
            }
        }
        TaskKind::Try(attempt) => {
            following.extend(after);
            following.extend(attempt.catch.then.as_ref().and_then(target));
        }
        _ => following.extend(after),
    }
    following
}
