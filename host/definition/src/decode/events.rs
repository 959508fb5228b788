//! Events: `emit`, `listen`, strategies, filters, correlations, iterators.

use jiff::Timestamp;
use regex_syntax::ast::parse::Parser;

use super::data::{export, output};
use super::names::variable_or;
use super::resource::uri;
use super::task::task_list;
use crate::problems::quote;
use crate::reader::{Node, Object, Row, is_expression};
use crate::{
    Code, Correlation, Emit, EvaluationMode, EventFilter, EventStrategy, Listen, ReadAs, Severity,
    SubscriptionIterator, Until,
};

/// "Emit"
pub(super) fn emit(node: Node<'_>) -> Option<Emit> {
    let event = node.object(&["event"])?.required("event", Some)?;
    if !event.is_object() {
        return event.wrong_type("an object with `with`");
    }
    let properties = match event.get("with") {
        Some(properties) => {
            event.open_object(&["with"])?;
            properties
        }
        None => {
            event.nonstandard("The event's properties stand directly beneath `event`", "them beneath `event.with`");
            event
        }
    };
    if !properties.is_object() {
        return properties.wrong_type("an object");
    }
    if properties.get("type").is_none() {
        properties.report(Severity::Error, Code::MissingField, properties.key_place(), || {
            ("The event has no `type`.".into(), "Add `type:`, a name such as `com.example.order.placed.v1`.".into())
        });
    }
    let formed = event_properties(properties);
    properties.template()?;
    formed?;
    Some(Emit { event: properties.map()? })
}

/// "Event Properties": the attributes of CloudEvents that have a form. Any other may be added.
fn event_properties(node: Node<'_>) -> Option<()> {
    let texts = ["id", "type", "subject", "datacontenttype"].map(|name| (name, text as fn(Node<'_>) -> Option<()>));
    let uris = ["source", "dataschema"].map(|name| (name, (|node| uri(node).map(drop)) as fn(Node<'_>) -> Option<()>));
    let mut fine = Some(());
    for (name, check) in texts.into_iter().chain(uris).chain([("time", time as fn(Node<'_>) -> Option<()>)]) {
        if let Some(property) = node.get(name) {
            fine = fine.and(check(property));
        }
    }
    fine
}

fn text(node: Node<'_>) -> Option<()> {
    node.string().map(drop)
}

fn time(node: Node<'_>) -> Option<()> {
    let text = node.string()?;
    if text.contains("${") || text.parse::<Timestamp>().is_ok() {
        return Some(());
    }
    node.error(Code::InvalidValue, || {
        (format!("`{}` is not a time.", quote(text)), "Write it as 2026-07-26T16:59:57Z, or as an expression.".into())
    })
}

/// "Listen": what stands under `listen`, and the `foreach` beside it.
pub(super) fn listen(task: Object<'_>, node: Node<'_>) -> Option<Listen> {
    let listen = node.object(&["to", "read"])?;
    let to = listen.required("to", strategy);
    let read = listen.optional("read", read_as);
    let foreach = task.optional("foreach", iterator);
    Some(Listen { to: to?, read: read.unwrap_or_default(), foreach })
}

pub(super) fn read_as(node: Node<'_>) -> Option<ReadAs> {
    node.choice(&[("data", ReadAs::Data), ("envelope", ReadAs::Envelope), ("raw", ReadAs::Raw)])
}

/// "Event Consumption Strategy"
pub(super) fn strategy(node: Node<'_>) -> Option<EventStrategy> {
    let strategy = node.object(&["all", "any", "one", "until"])?;
    let (name, filters) = strategy.exactly_one(&["all", "any", "one"])?;
    let until = strategy.get("until");
    if let (Some(until), true) = (until, name != "any") {
        until.report(Severity::Warning, Code::IgnoredField, until.key_place(), || {
            (format!("`until` has no effect beside `{name}`."), "Remove it, or use `any`.".into())
        });
    }
    match name {
        "all" => filters.list(filter).map(EventStrategy::All),
        "one" => filter(filters).map(EventStrategy::One),
        _ => {
            let filters = filters.list(filter);
            let until = match until {
                Some(until) => Some(Box::new(self::until(until)?)),
                None => None,
            };
            Some(EventStrategy::Any(filters?, until))
        }
    }
}

fn until(node: Node<'_>) -> Option<Until> {
    if !node.is_object() {
        return node.expression().map(Until::Condition);
    }
    if let Some(inner) = node.get("until") {
        inner.report(Severity::Error, Code::ConflictingFields, inner.key_place(), || {
            ("An `until` cannot have an `until` of its own.".into(), "Remove it.".into())
        });
    }
    strategy(node).map(Until::Events)
}

/// "Event Filter"
fn filter(node: Node<'_>) -> Option<EventFilter> {
    let filter = node.object(&["with", "correlate"])?;
    let correlate = filter.optional("correlate", |node| node.named(correlation));
    let with = filter.required("with", |node| {
        if !node.is_object() {
            return node.wrong_type("an object");
        }
        if node.members().next().is_none() {
            return node.error(Code::InvalidValue, || {
                ("The filter names no property.".into(), "Name at least one, `type` for example.".into())
            });
        }
        // Each may be a regular expression, so that it is only its type that can be wrong.
        let texts = ["id", "source", "type", "time", "subject", "datacontenttype", "dataschema"];
        let mistyped =
            texts.into_iter().filter_map(|name| node.get(name)).filter(|value| value.string().is_none()).count();
        // A text as `data` is no regular expression.
        node.members().filter(|(name, _)| *name != "data").for_each(|(_, value)| warn_of_no_pattern(value));
        node.template().filter(|_| mistyped == 0)
    });
    Some(EventFilter { with: with?, correlate: correlate.unwrap_or_default() })
}

/// The longest text that is looked at as a regular expression, in bytes. Bounds the memory that goes into it.
const MAX_PATTERN_BYTES: usize = 1_024;

/// Warns of a text that has the characters of a regular expression and is none: it matches only itself.
fn warn_of_no_pattern(node: Node<'_>) {
    let Some(text) = node.as_str().filter(|text| text.len() <= MAX_PATTERN_BYTES) else { return };
    let may_be = text.contains(['\\', '^', '$', '*', '+', '?', '(', ')', '[', ']', '{', '}', '|']);
    if !may_be || text.contains("${") || node.evaluation_mode() == EvaluationMode::Loose {
        return;
    }
    // As the machine reads it: without anchors of its own it must match the whole.
    let anchored = text.starts_with('^') || text.ends_with('$');
    let pattern = if anchored { text.to_owned() } else { format!("^(?:{text})$") };
    let Err(error) = Parser::new().parse(&pattern) else { return };
    node.warn(Code::InvalidRegularExpression, || {
        let message =
            format!("`{}` is not a regular expression: {}. It matches only itself.", quote(text), error.kind());
        (message, "Correct it, or put a `\\` before each character that is meant as it stands.".into())
    });
}

/// "Correlation"
fn correlation(node: Node<'_>) -> Option<Correlation> {
    let correlation = node.open_object(&["from", "expect"])?;
    let from = correlation.required("from", Node::expression);
    let expect = correlation.optional("expect", Node::text_template);
    Some(Correlation { from: from?, expect })
}

/// "Subscription Iterator"
pub(super) fn iterator(node: Node<'_>) -> Option<SubscriptionIterator> {
    let iterator = node.object(&["item", "at", "do", "output", "export"])?;
    let item = variable_or(iterator, "item", "item");
    let at = variable_or(iterator, "at", "index");
    different_variables(node, &item, &at);
    let (tasks, output, export) = node.binding(&[&item, &at], || {
        let tasks = iterator.optional("do", task_list);
        let output = iterator.optional("output", output);
        (tasks, output, node.in_row(Row::TaskExport, || iterator.optional("export", export)))
    });
    Some(SubscriptionIterator { item, at, tasks, output, export })
}

/// Reports one variable for both the item and its index.
pub(super) fn different_variables(node: Node<'_>, item: &str, index: &str) {
    if item == index {
        node.error::<()>(Code::InvalidVariableName, || {
            (format!("The item and its index are both called `${item}`."), "Give one of them another name.".into())
        });
    }
}

/// A field that the schema types as one `${ }`.
pub(super) fn enclosed_expression(node: Node<'_>) -> Option<crate::Expression> {
    let expression = node.expression()?;
    if !node.as_str().is_some_and(is_expression) {
        node.nonstandard("The expression stands here bare", "it in `${ }`");
    }
    Some(expression)
}
