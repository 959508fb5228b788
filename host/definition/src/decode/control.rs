//! Control flow among tasks: `for`, `fork`, `set`, `switch`.

use std::collections::HashSet;

use super::events::different_variables;
use super::names::variable_or;
use super::task::{directive, task_list};
use crate::problems::quote;
use crate::reader::{Node, Object, is_expression};
use crate::{Code, Collection, For, Fork, Severity, SwitchCase, Template};

/// "For": what stands under `for`, and `while` and `do` beside it.
pub(super) fn for_(task: Object<'_>, node: Node<'_>) -> Option<For> {
    let loop_ = node.object(&["each", "in", "at"])?;
    let each = variable_or(loop_, "each", "item");
    let at = variable_or(loop_, "at", "index");
    different_variables(node, &each, &at);
    let collection = loop_.required("in", collection);
    let (condition, tasks) =
        node.binding(&[&each, &at], || (task.optional("while", Node::expression), task.required("do", task_list)));
    Some(For { each, collection: collection?, at, condition, tasks: tasks? })
}

fn collection(node: Node<'_>) -> Option<Collection> {
    if node.is_list() {
        if node.elements().any(|item| !item.is_object()) {
            node.nonstandard("An item of the list is not an object", "a list of objects, or an expression");
        }
        return node.template().map(Collection::Inline);
    }
    if node.as_str().is_none() {
        return node.wrong_type("a string that holds an expression, or a list");
    }
    node.expression().map(Collection::Expression)
}

/// "Fork"
pub(super) fn fork(node: Node<'_>) -> Option<Fork> {
    let fork = node.object(&["branches", "compete"])?;
    let branches = fork.required("branches", task_list);
    let compete = fork.optional("compete", Node::boolean);
    Some(Fork { branches: branches?, compete: compete.unwrap_or(false) })
}

/// "Set"
pub(super) fn set(node: Node<'_>) -> Option<Template> {
    match node.as_str() {
        Some(text) if !is_expression(text) => {
            node.warn(Code::NonstandardForm, || {
                let how = if text.contains("${") { "with the results put in" } else { "as it stands" };
                let message = format!("The data becomes the string `{}` {how}.", quote(text));
                (message, "Enclose it in `${ }` if it is meant as an expression.".into())
            });
        }
        None if !node.is_object() => return node.wrong_type("an object or a `${ }` expression"),
        None if node.members().next().is_none() => {
            node.nonstandard("The object is empty", "at least one property");
        }
        _ => {}
    }
    node.template()
}

/// "Switch"
pub(super) fn switch(node: Node<'_>) -> Option<Vec<SwitchCase>> {
    if !node.is_list() {
        return node.wrong_type("a list of named cases");
    }
    if node.elements().next().is_none() {
        return node.error(Code::EmptySwitch, || {
            ("The switch has no case.".into(), "Add `- name: { when: …, then: … }`, or remove the task.".into())
        });
    }
    check_cases(node);
    node.list(case)
}

/// Reports cases of the same name, and all without `when` but the first.
fn check_cases(node: Node<'_>) {
    let mut names = HashSet::new();
    let mut default = None;
    for (name, case) in node.elements().filter_map(|item| item.members().next()) {
        if !names.insert(name) {
            case.report(Severity::Error, Code::DuplicateTaskName, case.key_place(), || {
                (format!("Two cases are called `{}`.", quote(name)), "Give one of them another name.".into())
            });
        }
        if !case.is_object() || case.get("when").is_some() {
            continue;
        }
        if let Some(first) = default {
            case.report(Severity::Error, Code::SeveralDefaults, case.key_place(), || {
                let message =
                    format!("`{}` has no `when`; the default case is `{}` already.", quote(name), quote(first));
                (message, "There is one default: add a `when` to the others.".into())
            });
        }
        default = default.or(Some(name));
    }
}

/// "Switch Case"
fn case(node: Node<'_>) -> Option<SwitchCase> {
    let (name, node) = node.one_named("a case")?;
    let case = node.object(&["when", "then"])?;
    let when = case.optional("when", Node::expression);
    let then = case.required("then", directive);
    Some(SwitchCase { name: name.into(), when, then: then? })
}
