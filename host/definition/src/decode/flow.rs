//! Where the flow goes within a list of tasks: that every `then` has a target, and every task a way to it.

use std::collections::HashMap;

use super::task::kinds_of;
use crate::problems::{quote, similar};
use crate::reader::Node;
use crate::{Code, Severity};

/// A task of a list: its name, and where it stands.
type Item<'t, 'r> = (&'t str, Node<'r>);

/// "Flow directives may only redirect to tasks declared within their own scope."
pub(super) fn check(list: &[Item<'_, '_>]) {
    let mut names = HashMap::new();
    for (index, (name, _)) in list.iter().enumerate() {
        names.entry(*name).or_insert(index);
    }
    list.iter().flat_map(|(_, node)| directives(*node)).for_each(|then| check_target(then, list, &names));
    warn_unreachable(list, &names);
}

/// Every `then` of a task that names a task of the list in which the task stands.
fn directives<'r>(task: Node<'r>) -> impl Iterator<Item = Node<'r>> {
    let cases = task.get("switch").into_iter().flat_map(|switch| switch.elements());
    let of_cases = cases.filter_map(|case| case.members().next()?.1.get("then"));
    let of_catch = task.get("catch").and_then(|catch| catch.get("then"));
    task.get("then").into_iter().chain(of_catch).chain(of_cases)
}

fn check_target(then: Node<'_>, list: &[Item<'_, '_>], names: &HashMap<&str, usize>) {
    let Some(target) = then.as_str() else { return };
    if target.trim().is_empty() || matches!(target, "continue" | "exit" | "end") || names.contains_key(target) {
        return;
    }
    then.error::<()>(Code::UnknownTask, || {
        let directives = ["continue", "exit", "end"];
        let candidates = directives.into_iter().chain(list.iter().map(|(name, _)| *name));
        let help = match similar(target, candidates) {
            Some(similar) => format!("Did you mean `{similar}`?"),
            None => "`then` leads to a task of the same list, or is `continue`, `exit` or `end`.".into(),
        };
        (format!("There is no task `{}` in this list.", quote(target)), help)
    });
}

fn warn_unreachable(list: &[Item<'_, '_>], names: &HashMap<&str, usize>) {
    let mut reached = vec![false; list.len()];
    let mut open = vec![0];
    while let Some(index) = open.pop() {
        let Some((_, node)) = list.get(index) else { continue };
        if std::mem::replace(&mut reached[index], true) {
            continue;
        }
        let Some(following) = successors(*node, index, names) else { return };
        open.extend(following);
    }
    for (_, (_, node)) in reached.iter().zip(list).filter(|(reached, _)| !**reached) {
        node.report(Severity::Warning, Code::UnreachableTask, node.key_place(), || {
            let message = "No way leads to this task: the one before goes elsewhere, and no `then` names it.";
            (message.into(), "Name it in a `then`, or remove it.".into())
        });
    }
}

/// The tasks of the list that may follow; indices beyond the list leave it. Nothing if the task is wrong in a way that lets it
/// lead anywhere. What else is wrong in it does not matter here, so that it is not what was decoded that is looked at.
fn successors(task: Node<'_>, index: usize, names: &HashMap<&str, usize>) -> Option<Vec<usize>> {
    let mut kinds = kinds_of(task);
    let (Some((kind, content)), None) = (kinds.next(), kinds.next()) else { return None };
    let after = match task.get("then") {
        Some(then) => target(then, index, names)?,
        None => Some(index + 1),
    };
    // A skipped task does not follow its `then`.
    let mut following: Vec<usize> = task.get("if").map(|_| index + 1).into_iter().collect();
    match kind {
        "raise" => {}
        "switch" => {
            let mut may_pass = true;
            for case in content.elements() {
                let (_, case) = case.members().next()?;
                following.extend(target(case.get("then")?, index, names)?);
                may_pass &= case.get("when").is_some();
            }
            if may_pass {
                following.extend(after);
            }
        }
        "try" => {
            following.extend(after);
            if let Some(then) = task.get("catch").and_then(|catch| catch.get("then")) {
                following.extend(target(then, index, names)?);
            }
        }
        _ => following.extend(after),
    }
    Some(following)
}

/// Which task a `then` leads to, if it stays in the list. Nothing if it is wrong.
fn target(then: Node<'_>, index: usize, names: &HashMap<&str, usize>) -> Option<Option<usize>> {
    match then.as_str()? {
        "continue" => Some(Some(index + 1)),
        "exit" | "end" => Some(None),
        name => names.get(name).copied().map(Some),
    }
}
