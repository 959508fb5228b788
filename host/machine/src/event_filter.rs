//! Event filters ("Event Filter" and "Correlation" in `dsl-reference.md`): which events match.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use hotcell_definition as dsl;
use hotcell_definition::Problem;
use hotcell_expression::{Bindings, Data, Evaluator, Expression, ExpressionError, Mode, Scope, Template};
use jiff::Timestamp;
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::CloudEvent;
use crate::problem::expression_problem;

/// How large a regular expression may become when it is compiled: 256 KiB. Matching takes time in proportion to it.
const MAX_PATTERN_BYTES: usize = 256 * 1024;

/// A filter, made ready.
#[derive(Debug)]
pub(crate) struct FilterPlan {
    /// What the attributes must be. Those that cost least to look at come first.
    attributes: Vec<(String, Wanted)>,
    correlations: Vec<(Arc<str>, Link)>,
}

/// What an attribute, or the data, must be.
#[derive(Debug)]
enum Wanted {
    /// This text, or what the regular expression matches.
    Text { text: String, pattern: Option<Regex> },
    /// This value.
    Value(Value),
    /// A boolean that the expression yields decides; anything else is what the attribute must be.
    Expression(Expression),
    /// Loose mode: the text, or an expression.
    Attempt { text: String, pattern: Option<Regex>, expression: Expression },
    /// What comes out.
    Template(Template),
}

/// A correlation.
#[derive(Debug)]
struct Link {
    from: Expression,
    expect: Option<Template>,
}

/// What expressions in a filter are evaluated with.
pub(crate) struct Surroundings<'a> {
    /// What `.` is in `expect`.
    pub(crate) input: &'a Data,
    pub(crate) bindings: &'a dyn Bindings,
    pub(crate) now: Timestamp,
    pub(crate) evaluator: &'a mut dyn Evaluator,
}

/// An event that filters look at.
pub(crate) struct Offered<'a> {
    event: &'a CloudEvent,
    /// Its data, which may be large, taken out of the event once.
    data: OnceCell<Option<Data>>,
}

impl<'a> Offered<'a> {
    pub(crate) fn new(event: &'a CloudEvent) -> Self {
        Offered { event, data: OnceCell::new() }
    }

    /// Its data; nothing if it is too much when it is decoded, in which case no filter matches it.
    fn data(&self) -> Option<&Data> {
        self.data.get_or_init(|| self.event.data().ok()).as_ref()
    }
}

/// What events had so far by which they are correlated.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Expectations {
    /// What is expected of correlations that have no `expect`, by their names: what the first event had.
    first: BTreeMap<Arc<str>, Data>,
    /// What the last event had that matched, for all correlations: to be told, and for nothing else.
    #[serde(default)]
    resolved: BTreeMap<Arc<str>, Data>,
}

/// How large what is told of correlations may be, in bytes as JSON: 4 KiB.
const MAX_TOLD: u64 = 4 * 1024;

impl Expectations {
    /// The resolved correlation keys; nothing if there are none, or if they are too large to be told.
    pub(crate) fn keys(&self) -> Option<Value> {
        let bytes: u64 = self.resolved.iter().map(|(name, value)| name.len() as u64 + value.bytes()).sum();
        let told = !self.resolved.is_empty() && bytes <= MAX_TOLD;
        told.then(|| self.resolved.iter().map(|(name, value)| (name.to_string(), value.value().clone())).collect())
    }
}

impl FilterPlan {
    /// Makes a filter ready. `patterns` is how many regular expressions there may still be.
    ///
    /// # Errors
    /// What in it cannot be matched, for its author.
    pub(crate) fn new(filter: &dsl::EventFilter, mode: Mode, patterns: &mut usize) -> Result<Self, String> {
        let members = filter.with.0.as_object().into_iter().flatten();
        let mut attributes = members
            .map(|(name, value)| Ok((name.clone(), Wanted::new(name, value, mode, patterns)?)))
            .collect::<Result<Vec<_>, String>>()?;
        attributes.sort_by_key(|(_, wanted)| wanted.cost());
        let link = |(name, correlation): (&String, &dsl::Correlation)| {
            // "A constant or a runtime expression": what begins like a path is no constant that anybody correlates by.
            let expect = match correlation.expect.as_ref().map(|expect| &*expect.0) {
                Some(Value::String(text)) if text.starts_with(['.', '$']) && !text.starts_with("${") => {
                    Some(Template::Expression(Expression::parse(text)))
                }
                Some(expect) => Some(parse(expect, mode)?),
                None => None,
            };
            Ok((Arc::from(name.as_str()), Link { from: Expression::parse(&correlation.from.0), expect }))
        };
        let correlations = filter.correlate.iter().map(link).collect::<Result<Vec<_>, String>>()?;
        Ok(FilterPlan { attributes, correlations })
    }

    /// The one type that events which match have, if the filter says it literally.
    pub(crate) fn literal_type(&self) -> Option<&str> {
        self.attributes.iter().find_map(|(name, wanted)| match wanted {
            Wanted::Text { text, pattern: None } if name == "type" => Some(text.as_str()),
            _ => None,
        })
    }

    /// Whether an event matches. If so, what its correlations without `expect` were is expected from now on.
    ///
    /// # Errors
    /// If an expression is wrong in itself. One that fails on the event as it is does not match: anybody may send
    /// anything.
    pub(crate) fn matches(
        &self,
        offered: &Offered<'_>,
        expectations: &mut Expectations,
        with: &mut Surroundings<'_>,
    ) -> Result<bool, Problem> {
        let event = offered.event;
        for (name, wanted) in &self.attributes {
            let holds = if name == "data" {
                let Some(data) = offered.data() else { return Ok(false) };
                wanted.holds_for_data(data, with)?
            } else {
                let Some(value) = event.attribute(name) else { return Ok(false) };
                wanted.holds_for_attribute(name, value, event, with)?
            };
            if !holds {
                return Ok(false);
            }
        }
        let mut seen = Vec::new();
        let mut resolved = Vec::new();
        for (name, link) in &self.correlations {
            let what = format!("correlate.{name}.from");
            let found = evaluate(&what, &link.from, event.envelope(), with)?;
            // What is not there links nothing.
            let Some(found) = found.filter(|found| !found.value().is_null()) else { return Ok(false) };
            resolved.push((Arc::clone(name), found.clone()));
            match &link.expect {
                Some(template) => {
                    let what = format!("correlate.{name}.expect");
                    let scope = Scope { input: with.input, bindings: with.bindings, now: with.now };
                    let expected = template.evaluate(&scope, with.evaluator);
                    let Some(expected) = fits(&what, None, expected)? else { return Ok(false) };
                    let text = expected.value().as_str().filter(|_| template.is_literal());
                    let constant = text.is_some_and(|text| is_text_of(text, found.value()));
                    if !constant && !same(expected.value(), found.value()) {
                        return Ok(false);
                    }
                }
                None => match expectations.first.get(name) {
                    Some(expected) if !same(expected.value(), found.value()) => return Ok(false),
                    Some(_) => {}
                    None => seen.push((Arc::clone(name), found)),
                },
            }
        }
        expectations.first.extend(seen);
        expectations.resolved.extend(resolved);
        Ok(true)
    }
}

impl Wanted {
    fn new(name: &str, value: &Value, mode: Mode, patterns: &mut usize) -> Result<Self, String> {
        Ok(match parse(value, mode)? {
            Template::Literal(literal) => match literal.value() {
                // In data a text is that text: data is large, and its author need not escape it.
                Value::String(text) if name != "data" => {
                    Wanted::Text { pattern: pattern(text, patterns)?, text: text.clone() }
                }
                other => Wanted::Value(other.clone()),
            },
            Template::Expression(expression) => Wanted::Expression(expression),
            Template::Attempt(expression, text) => {
                let text = text.value().as_str().unwrap_or_default().to_owned();
                let pattern = if name == "data" { None } else { pattern(&text, patterns)? };
                Wanted::Attempt { text, pattern, expression }
            }
            template => Wanted::Template(template),
        })
    }

    fn cost(&self) -> u8 {
        match self {
            Wanted::Text { pattern: None, .. } => 0,
            Wanted::Text { .. } | Wanted::Value(_) => 1,
            Wanted::Attempt { .. } | Wanted::Expression(_) | Wanted::Template(_) => 2,
        }
    }

    fn holds_for_attribute(
        &self,
        name: &str,
        value: &Value,
        event: &CloudEvent,
        with: &mut Surroundings<'_>,
    ) -> Result<bool, Problem> {
        let what = format!("with.{name}");
        match self {
            Wanted::Text { text, pattern } => Ok(matches_text(text, pattern.as_ref(), value)),
            Wanted::Value(wanted) => Ok(same_attribute(wanted, value)),
            Wanted::Expression(expression) => {
                let result = evaluate(&what, expression, event.envelope(), with)?;
                Ok(result.is_some_and(|result| decides(result.value(), value)))
            }
            Wanted::Attempt { text, pattern, expression } => Ok(matches_text(text, pattern.as_ref(), value)
                || attempt(expression, event.envelope(), with).is_some_and(|result| decides(result.value(), value))),
            Wanted::Template(template) => {
                let result = fill(&what, template, event.envelope(), with)?;
                Ok(result.is_some_and(|result| same_attribute(result.value(), value)))
            }
        }
    }

    fn holds_for_data(&self, data: &Data, with: &mut Surroundings<'_>) -> Result<bool, Problem> {
        let what = "with.data";
        match self {
            Wanted::Text { text, .. } => Ok(data.value() == text.as_str()),
            Wanted::Value(wanted) => Ok(contains(data.value(), wanted)),
            Wanted::Expression(expression) => {
                let result = evaluate(what, expression, data, with)?;
                Ok(result.is_some_and(|result| holds(result.value())))
            }
            Wanted::Attempt { text, expression, .. } => Ok(data.value() == text.as_str()
                || attempt(expression, data, with).is_some_and(|result| holds(result.value()))),
            Wanted::Template(template) => {
                let result = fill(what, template, data, with)?;
                Ok(result.is_some_and(|result| contains(data.value(), result.value())))
            }
        }
    }
}

fn parse(value: &Value, mode: Mode) -> Result<Template, String> {
    Template::parse(value, mode).map_err(|error| error.to_string())
}

/// The regular expression that a text may be. Dots alone make none: they are in every name.
fn pattern(text: &str, left: &mut usize) -> Result<Option<Regex>, String> {
    if !text.contains(['\\', '^', '$', '*', '+', '?', '(', ')', '[', ']', '{', '}', '|']) {
        return Ok(None);
    }
    // Each counts, also one that comes to nothing: it takes time until that is known.
    let Some(fewer) = left.checked_sub(1) else {
        return Err("there are too many regular expressions in event filters; write texts instead".into());
    };
    *left = fewer;
    // Without anchors of its own it must match the whole.
    let anchored = text.starts_with('^') || text.ends_with('$');
    let source = if anchored { text.to_owned() } else { format!("^(?:{text})$") };
    let built = RegexBuilder::new(&source).size_limit(MAX_PATTERN_BYTES).dfa_size_limit(MAX_PATTERN_BYTES).build();
    match built {
        Ok(pattern) => Ok(Some(pattern)),
        Err(regex::Error::CompiledTooBig(_)) => {
            Err(format!("a regular expression is too large, shorten it: {}", crate::cloud_event::brief_text(text)))
        }
        // A text that is none.
        Err(_) => Ok(None),
    }
}

fn matches_text(text: &str, pattern: Option<&Regex>, value: &Value) -> bool {
    let matches = |found: &str| text == found || pattern.is_some_and(|pattern| pattern.is_match(found));
    match value {
        Value::String(found) => matches(found),
        other => matches(&other.to_string()),
    }
}

/// What an expression yields on an event; nothing if it fails on it.
fn evaluate(
    what: &str,
    expression: &Expression,
    input: &Data,
    with: &mut Surroundings<'_>,
) -> Result<Option<Data>, Problem> {
    let scope = Scope { input, bindings: with.bindings, now: with.now };
    fits(what, Some(expression.source()), expression.evaluate(&scope, with.evaluator))
}

fn attempt(expression: &Expression, input: &Data, with: &mut Surroundings<'_>) -> Option<Data> {
    let scope = Scope { input, bindings: with.bindings, now: with.now };
    expression.evaluate(&scope, with.evaluator).ok()
}

fn fill(what: &str, template: &Template, input: &Data, with: &mut Surroundings<'_>) -> Result<Option<Data>, Problem> {
    let scope = Scope { input, bindings: with.bindings, now: with.now };
    fits(what, None, template.evaluate(&scope, with.evaluator))
}

/// A result, nothing if the event is to blame that there is none, or the problem.
fn fits(what: &str, source: Option<&str>, result: Result<Data, ExpressionError>) -> Result<Option<Data>, Problem> {
    use ExpressionError::{DataLimit, Failed, MemoryLimit, SecretDenied, Syntax, TimeLimit, Unavailable};
    match result {
        Ok(data) => Ok(Some(data)),
        Err(Failed(_) | TimeLimit(_) | MemoryLimit(_) | DataLimit(_)) => Ok(None),
        Err(error @ (Syntax { .. } | SecretDenied(_) | Unavailable(_))) => Err(expression_problem(what, source, error)),
    }
}

/// As in jq, false and null do not hold, anything else does.
fn holds(result: &Value) -> bool {
    !matches!(result, Value::Null | Value::Bool(false))
}

/// Whether the result of an expression lets an attribute pass.
fn decides(result: &Value, attribute: &Value) -> bool {
    match result {
        Value::Bool(decision) => *decision,
        wanted => same_attribute(wanted, attribute),
    }
}

/// Attributes have a canonical text; in some protocols they travel as such.
fn same_attribute(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::String(wanted), Value::String(found)) => wanted == found,
        (Value::String(text), scalar) | (scalar, Value::String(text)) => is_text_of(text, scalar),
        (wanted, found) => same(wanted, found),
    }
}

/// Whether a text is how a number or boolean is written.
fn is_text_of(text: &str, scalar: &Value) -> bool {
    matches!(scalar, Value::Number(_) | Value::Bool(_)) && scalar.to_string().as_str() == text
}

/// Equality as in jq: numbers are equal if their values are.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// Whether data has what is wanted of it: of an object each member, anything else as it is.
fn contains(data: &Value, wanted: &Value) -> bool {
    match (data, wanted) {
        (Value::Object(data), Value::Object(wanted)) => {
            wanted.iter().all(|(name, wanted)| data.get(name).is_some_and(|data| contains(data, wanted)))
        }
        (data, wanted) => same(data, wanted),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wants(text: &str, value: Value) -> bool {
        let mut left = 10;
        matches_text(text, pattern(text, &mut left).unwrap().as_ref(), &value)
    }

    #[test]
    fn a_text_is_matched_literally_or_as_a_regular_expression_of_the_whole() {
        assert!(wants("com.example.a", json!("com.example.a")));
        assert!(!wants("com.example.a", json!("comXexample.a")), "dots alone make no pattern");
        assert!(wants("com\\.example\\..+", json!("com.example.a")));
        assert!(wants("com.example.(a|b)", json!("com.example.b")));
        assert!(!wants("com.example.(a|b)", json!("com.example.b.v2")));
        assert!(
            wants("^com.example", json!("com.example.b.v2")),
            "a pattern with an anchor says itself what it matches"
        );
        assert!(wants("v2$", json!("com.example.b.v2")));
        assert!(wants("https://example.com/?a=1", json!("https://example.com/?a=1")), "the text itself always matches");
        assert!(wants("(", json!("(")), "what is no pattern is a text");
        assert!(wants("7", json!(7)) && wants("true|false", json!(true)));
    }

    #[test]
    fn patterns_are_bounded_in_size_and_number() {
        let mut left = 2;
        assert!(pattern(r"\w{1000}", &mut left).unwrap_err().contains("too large"));
        assert!(pattern("a+", &mut left).is_ok());
        assert!(pattern("a+", &mut left).unwrap_err().contains("too many"));
    }

    #[test]
    fn numbers_are_equal_by_value_and_objects_by_what_is_wanted_of_them() {
        assert!(same(&json!([1, {"a": 2.0}]), &json!([1.0, {"a": 2}])));
        assert!(!same(&json!({"a": 1}), &json!({"a": 1, "b": 1})));
        assert!(contains(&json!({"a": {"b": 1, "c": 2}, "d": 3}), &json!({"a": {"b": 1}})));
        assert!(!contains(&json!({"a": 1}), &json!({"b": null})));
        assert!(!contains(&json!([1, 2]), &json!([1])));
    }
}
