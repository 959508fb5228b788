//! Errors, `try`, retries, timeouts.

use serde_json::Value;

use super::duration::duration;
use super::names::variable_or;
use super::resource::uri;
use super::task::{directive, task_list, task_list_or_single};
use crate::problems::quote;
use crate::reader::{Component, Node, Object};
use crate::{
    Backoff, Catch, Code, Duration, ErrorDefinition, ErrorFilter, Jitter, Raise, RetryPolicy, Reusable, Severity,
    Template, Timeout, Try,
};

/// "Raise"
pub(super) fn raise(node: Node<'_>) -> Option<Raise> {
    let error = node.object(&["error"])?.required("error", |node| match node.as_str() {
        Some(_) => node.name_of(Component::Error).map(Reusable::Named),
        None if node.is_object() => error_definition(node).map(Reusable::Inline),
        None => node.wrong_type("an object, or a string that names one of `use.errors`"),
    });
    Some(Raise { error: error? })
}

/// "Error"
pub(super) fn error_definition(node: Node<'_>) -> Option<ErrorDefinition> {
    let error = node.object(&["type", "status", "instance", "title", "detail"])?;
    let kind = error.required("type", uri);
    let status = error.required("status", status);
    let instance = error.optional("instance", Node::text_template);
    let title = error.optional("title", Node::text_template);
    let detail = error.optional("detail", Node::text_template);
    Some(ErrorDefinition { kind: kind?, status: status?, instance, title, detail })
}

fn status(node: Node<'_>) -> Option<Template> {
    if node.as_str().is_some_and(|text| text.contains("${")) {
        node.nonstandard("The status is an expression", "a number");
        return node.template();
    }
    node.count(u16::MAX.into()).map(|status| Template(std::sync::Arc::new(status.into())))
}

/// "Try"
pub(super) fn try_(task: Object<'_>, node: Node<'_>) -> Option<Try> {
    let tasks = task_list_or_single(node);
    let catch = task.required("catch", catch);
    Some(Try { tasks: tasks?, catch: catch? })
}

/// "Catch"
fn catch(node: Node<'_>) -> Option<Catch> {
    let catch = node.object(&["errors", "as", "when", "exceptWhen", "retry", "do", "then"])?;
    let filter = catch.optional("errors", |node| node.open_object(&["with"])?.optional("with", error_filter));
    let variable = variable_or(catch, "as", "error");
    node.binding(&[&variable], || handler(catch, filter.unwrap_or_default(), variable.clone()))
}

/// What the variable of the error can be used in.
fn handler(catch: Object<'_>, filter: ErrorFilter, variable: String) -> Option<Catch> {
    Some(Catch {
        filter,
        variable,
        when: catch.optional("when", Node::expression),
        except_when: catch.optional("exceptWhen", Node::expression),
        retry: catch.optional("retry", |node| match node.as_str() {
            Some(_) => node.name_of(Component::Retry).map(Reusable::Named),
            None => retry_policy(node).map(Reusable::Inline),
        }),
        tasks: catch.optional("do", task_list),
        then: catch.optional("then", directive),
    })
}

/// What a filter may name; `details` is what the schema called `detail` before.
const FILTERED: [&str; 6] = ["type", "status", "instance", "title", "detail", "details"];

/// "errors.with"
fn error_filter(node: Node<'_>) -> Option<ErrorFilter> {
    let filter = node.open_object(&FILTERED)?;
    if node.members().next().is_none() {
        return node.error(Code::InvalidValue, || {
            ("The filter names no property.".into(), "Name one, `type` for example, or remove `errors`.".into())
        });
    }
    if let Some(details) = filter.get("details") {
        details.nonstandard("The filter has `details`, as earlier versions of the schema had it", "`detail`");
    }
    let text = |field: &str| filter.optional(field, Node::string).map(String::from);
    let beyond = node.members().filter(|(name, _)| !FILTERED.contains(name));
    let extensions = beyond.map(|(name, value)| (name.to_owned(), value.value())).collect();
    Some(ErrorFilter {
        kind: text("type"),
        status: filter.optional("status", |node| node.count(u16::MAX.into())).map(Value::from),
        instance: text("instance"),
        title: text("title"),
        detail: text("detail").or_else(|| text("details")),
        extensions,
    })
}

/// "Retry"
pub(super) fn retry_policy(node: Node<'_>) -> Option<RetryPolicy> {
    if !node.is_object() {
        return node.wrong_type("an object, or a string that names one of `use.retries`");
    }
    let policy = node.object(&["when", "exceptWhen", "delay", "backoff", "limit", "jitter"])?;
    let limit = policy.optional("limit", |node| node.object(&["attempt", "duration"]));
    let attempt = limit.and_then(|limit| limit.optional("attempt", |node| node.object(&["count", "duration"])));
    Some(RetryPolicy {
        when: policy.optional("when", Node::expression),
        except_when: policy.optional("exceptWhen", Node::expression),
        delay: policy.optional("delay", duration),
        backoff: policy.optional("backoff", backoff).unwrap_or_default(),
        attempts: attempt.and_then(|attempt| attempt.optional("count", |node| node.count(u64::MAX))),
        attempt_duration: attempt.and_then(|attempt| attempt.optional("duration", duration)),
        duration: limit.and_then(|limit| limit.optional("duration", duration)),
        jitter: policy.optional("jitter", jitter),
    })
}

/// "Backoff": which one; what stands beneath has no meaning in the specification.
fn backoff(node: Node<'_>) -> Option<Backoff> {
    let kinds = ["constant", "exponential", "linear"];
    let (kind, definition) = node.object(&kinds)?.exactly_one(&kinds)?;
    if !definition.is_object() {
        return definition.wrong_type("an object, which may be empty: `{}`");
    }
    Some(match kind {
        "constant" => Backoff::Constant,
        "exponential" => Backoff::Exponential,
        _ => Backoff::Linear,
    })
}

/// "Jitter"
fn jitter(node: Node<'_>) -> Option<Jitter> {
    let jitter = node.object(&["from", "to"])?;
    let from = jitter.required("from", duration);
    let to = jitter.required("to", duration);
    let (from, to) = (from?, to?);
    if let (Duration::Literal(least), Duration::Literal(most)) = (&from, &to) {
        let order = least.0.compare((most.0, jiff::SpanRelativeTo::days_are_24_hours()));
        if order.is_ok_and(std::cmp::Ordering::is_gt) {
            return node.error(Code::OutOfRange, || {
                ("`from` is longer than `to`.".into(), "Exchange them: `from` is the least, `to` the most.".into())
            });
        }
    }
    Some(Jitter { from, to })
}

/// "Timeout"
pub(super) fn timeout(node: Node<'_>) -> Option<Timeout> {
    let timeout = node.object(&["after"])?;
    Some(Timeout { after: timeout.required("after", duration)? })
}

/// A timeout, or the name of one.
pub(super) fn timeout_or_name(node: Node<'_>) -> Option<Reusable<Timeout>> {
    let Some(name) = node.as_str() else {
        if !node.is_object() {
            return node.wrong_type("an object with `after`, or a string that names one of `use.timeouts`");
        }
        return timeout(node).map(Reusable::Inline);
    };
    let looks_like_duration = name.starts_with('P') && name.ends_with(|c: char| c.is_ascii_uppercase());
    if looks_like_duration && !node.declares(Component::Timeout, name) {
        node.report(Severity::Error, Code::UnknownTimeout, node.place(), || {
            let message =
                format!("A string here is the name of a timeout, and `use.timeouts` has no `{}`.", quote(name));
            (message, format!("Write `timeout: {{ after: {} }}`.", quote(name)))
        });
        return None;
    }
    node.name_of(Component::Timeout).map(Reusable::Named)
}
