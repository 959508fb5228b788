//! One value, and how it was reached.

use std::sync::Arc;

use serde_json::Value;

use super::{Declared, PathId, Reader, Segment};
use crate::problems::{Wording, quote, similar};
use crate::yaml::{Kind, NodeId};
use crate::{Code, EvaluationMode, Place, Severity, Template};

/// A value of the document.
#[derive(Clone, Copy)]
pub(crate) struct Node<'r> {
    pub(super) reader: &'r Reader<'r>,
    pub(super) id: NodeId,
    pub(super) path: PathId,
    /// Where the name of the entry stands whose value this is.
    key: Option<Place>,
}

impl<'r> Node<'r> {
    pub(super) fn root(reader: &'r Reader<'r>) -> Self {
        Node { reader, id: reader.tree.root, path: None, key: None }
    }

    fn kind(self) -> &'r Kind {
        &self.reader.tree.node(self.id).kind
    }

    pub(super) fn declared(self) -> &'r Declared<'r> {
        &self.reader.declared
    }

    /// The value's entry at an index.
    pub(super) fn entry_at(self, index: usize) -> Option<(&'r str, Node<'r>)> {
        let Kind::Mapping(entries) = self.kind() else { return None };
        let entry = entries.get(index)?;
        let path = self.reader.step(self.path, Segment::Entry(self.id, index as u32));
        Some((&entry.name, Node { reader: self.reader, id: entry.value, path, key: Some(entry.place) }))
    }

    /// The value of an entry by its name, whatever else there is.
    pub(crate) fn get(self, name: &str) -> Option<Node<'r>> {
        let Kind::Mapping(entries) = self.kind() else { return None };
        let index = entries.iter().position(|entry| &*entry.name == name)?;
        self.entry_at(index).map(|(_, node)| node)
    }

    /// How the expressions of the whole document are recognised, before it is known whether it is valid.
    pub(crate) fn evaluation_mode(self) -> EvaluationMode {
        let mode = Node::root(self.reader).get("evaluate").and_then(|evaluate| evaluate.get("mode"));
        match mode.and_then(Node::as_str) {
            Some("loose") => EvaluationMode::Loose,
            _ => EvaluationMode::Strict,
        }
    }

    /// Remembers that a schema stands here.
    pub(crate) fn remember_schema(self) {
        self.reader.remember_schema(self.path);
    }

    /// The entries of an object; nothing if it is none.
    pub(crate) fn members(self) -> impl Iterator<Item = (&'r str, Node<'r>)> {
        (0..).map_while(move |index| self.entry_at(index))
    }

    /// The items of a list; nothing if it is none.
    pub(crate) fn elements(self) -> impl Iterator<Item = Node<'r>> {
        let items: &[NodeId] = match self.kind() {
            Kind::Sequence(items) => items,
            _ => &[],
        };
        items.iter().enumerate().map(move |(index, id)| Node {
            reader: self.reader,
            id: *id,
            path: self.reader.step(self.path, Segment::Index(index as u32)),
            key: None,
        })
    }

    pub(crate) fn is_object(self) -> bool {
        matches!(self.kind(), Kind::Mapping(_))
    }

    pub(crate) fn is_list(self) -> bool {
        matches!(self.kind(), Kind::Sequence(_))
    }

    pub(crate) fn is_null(self) -> bool {
        matches!(self.kind(), Kind::Scalar(Value::Null))
    }

    /// The text of a string.
    pub(crate) fn as_str(self) -> Option<&'r str> {
        match self.kind() {
            Kind::Scalar(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The value as plain data.
    pub(crate) fn value(self) -> Value {
        self.reader.tree.value(self.id)
    }

    /// The value of a task as plain data, while there is room for it.
    pub(crate) fn task_value(self) -> Arc<Value> {
        if self.reader.may_keep_task(self.reader.tree.node(self.id).weight) {
            return Arc::new(self.value());
        }
        self.error::<()>(Code::TooManyValues, || {
            let message = "The tasks before this one, with the tasks inside them, hold too much data.";
            (message.into(), "Nest tasks less deep, or move inner tasks to a workflow of their own.".into())
        });
        Arc::default()
    }

    /// A string.
    pub(crate) fn string(self) -> Option<&'r str> {
        self.as_str().or_else(|| self.wrong_type("a string"))
    }

    /// A string, not empty.
    pub(crate) fn text(self) -> Option<String> {
        let text = self.string()?;
        if text.trim().is_empty() {
            return self.error(Code::InvalidValue, || {
                ("The text is empty.".into(), "Fill it in, or remove the field.".into())
            });
        }
        Some(text.into())
    }

    /// `true` or `false`.
    pub(crate) fn boolean(self) -> Option<bool> {
        match self.kind() {
            Kind::Scalar(Value::Bool(value)) => Some(*value),
            Kind::Scalar(Value::String(word)) if matches!(&**word, "yes" | "no" | "on" | "off") => {
                self.error(Code::WrongType, || {
                    let boolean = matches!(&**word, "yes" | "on");
                    (format!("`{word}` is a string in YAML 1.2."), format!("Write `{boolean}`."))
                })
            }
            _ => self.wrong_type("`true` or `false`"),
        }
    }

    /// A whole number from 0 to a bound.
    pub(crate) fn count(self, most: u64) -> Option<u64> {
        let Kind::Scalar(Value::Number(number)) = self.kind() else { return self.wrong_type("a whole number") };
        match number.as_u64() {
            Some(count) if count <= most => Some(count),
            None if number.as_f64().is_some_and(|number| number.fract() != 0.0) => self.wrong_type("a whole number"),
            _ => self.error(Code::OutOfRange, || {
                let upper = if most >= i64::MAX as u64 { String::new() } else { format!(", and at most {most}") };
                (format!("The number {number} is out of range."), format!("It must be at least 0{upper}."))
            }),
        }
    }

    /// One of several words.
    pub(crate) fn choice<T: Copy>(self, choices: &[(&'static str, T)]) -> Option<T> {
        let word = self.string()?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == word) {
            return Some(*value);
        }
        self.error(Code::InvalidValue, || {
            let names = || choices.iter().map(|(name, _)| *name);
            let help = match similar(word, names()) {
                Some(similar) => format!("Did you mean `{similar}`? "),
                None => String::new(),
            };
            let all = names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            (format!("`{}` is not a value of this field.", quote(word)), format!("{help}It may be one of {all}."))
        })
    }

    /// Items of a list, each read by the same function.
    pub(crate) fn list<T>(self, read: impl Fn(Node<'r>) -> Option<T>) -> Option<Vec<T>> {
        if !self.is_list() {
            return self.wrong_type("a list");
        }
        // Every item is read, also after one that is wrong.
        let read: Vec<Option<T>> = self.elements().map(read).collect();
        read.into_iter().collect()
    }

    /// An object with any names, as plain data.
    pub(crate) fn map(self) -> Option<serde_json::Map<String, Value>> {
        match self.is_object().then(|| self.value()) {
            Some(Value::Object(members)) => Some(members),
            _ => self.wrong_type("an object"),
        }
    }

    /// A free-form value.
    pub(crate) fn template(self) -> Option<Template> {
        let value = self.value();
        self.check_templates(&value)?;
        Some(Template(Arc::new(value)))
    }

    /// A string, with or without `${ }` in it.
    pub(crate) fn text_template(self) -> Option<Template> {
        self.string()?;
        self.template()
    }

    /// A password: text, and also a number or a boolean as it is written, with a warning. The reference itself writes
    /// `password: 1234`, and nowhere else a number for text.
    pub(crate) fn password(self) -> Option<Template> {
        match self.kind() {
            Kind::Scalar(Value::Number(_) | Value::Bool(_)) => {
                let written = self.written();
                self.warn(Code::NonstandardForm, || {
                    (
                        format!("`{}` is taken as text.", quote(written)),
                        format!("Write '{}', in quotes.", quote(written)),
                    )
                });
                Some(Template(Arc::new(written.into())))
            }
            _ => self.text_template(),
        }
    }

    /// An object as a free-form value, or one expression.
    pub(crate) fn object_or_expression(self) -> Option<Template> {
        if self.is_object() {
            return self.template();
        }
        match self.as_str() {
            Some(text) if text.contains("${") => self.template(),
            _ => self.wrong_type("an object or a `${ }` expression"),
        }
    }

    /// The value as its author wrote it.
    pub(crate) fn written(self) -> &'r str {
        self.reader.text.get(self.reader.tree.node(self.id).place.bytes()).unwrap_or_default()
    }

    /// What stands there, in words.
    pub(crate) fn describe(self) -> String {
        match self.kind() {
            Kind::Scalar(Value::Null) => "nothing".into(),
            Kind::Scalar(Value::Bool(value)) => format!("the boolean `{value}`"),
            Kind::Scalar(Value::Number(_)) => format!("the number `{}`", quote(self.written())),
            Kind::Scalar(Value::String(text)) => format!("the string `{}`", quote(text)),
            Kind::Scalar(_) => "a value".into(),
            Kind::Sequence(_) => "a list".into(),
            Kind::Mapping(_) => "an object".into(),
        }
    }

    /// Reports a value of another type than expected.
    pub(crate) fn wrong_type<T>(self, expected: &str) -> Option<T> {
        self.wrong_type_for(expected, expected)
    }

    /// The same, with help that says more than what was expected.
    pub(super) fn wrong_type_for<T>(self, expected: &str, remedy: &str) -> Option<T> {
        self.error(Code::WrongType, || {
            let help = match self.kind() {
                Kind::Scalar(Value::Number(_) | Value::Bool(_)) if expected.starts_with("a string") => {
                    format!("Put it in quotes: '{}'.", quote(self.written()))
                }
                Kind::Scalar(Value::Null) => {
                    format!("Write {remedy}, or remove the field. Check that what belongs to it is indented deeper.")
                }
                _ => format!("Write {remedy}."),
            };
            (format!("This must be {expected}, but here stands {}.", self.describe()), help)
        })
    }

    /// Where to point at: a scalar itself, the name of anything else.
    pub(crate) fn place(self) -> Place {
        let node = self.reader.tree.node(self.id);
        match (&node.kind, self.key) {
            (Kind::Scalar(_), _) if node.place.length > 0 => node.place,
            (_, Some(key)) => key,
            _ => self.reader.tree.headline(self.id),
        }
    }

    /// Where the value's name stands, if it has one.
    pub(crate) fn key_place(self) -> Place {
        self.key.unwrap_or_else(|| self.place())
    }

    /// Reports an error. The wording is made only if it will be listed.
    pub(crate) fn error<T>(self, code: Code, say: impl FnOnce() -> (String, String)) -> Option<T> {
        self.report(Severity::Error, code, self.place(), say);
        None
    }

    /// Reports a warning.
    pub(crate) fn warn(self, code: Code, say: impl FnOnce() -> (String, String)) {
        self.report(Severity::Warning, code, self.place(), say);
    }

    /// Reports a form that the schema refuses, and that is read all the same.
    pub(crate) fn nonstandard(self, what: &str, standard: &str) {
        self.report(Severity::Warning, Code::NonstandardForm, self.key_place(), || {
            (format!("{what}; the schema of the specification does not have this form."), format!("Write {standard}."))
        });
    }

    pub(crate) fn report(self, severity: Severity, code: Code, place: Place, say: impl FnOnce() -> (String, String)) {
        self.reader.problems.borrow_mut().add(severity, code, place, || {
            let (message, help) = say();
            Wording { pointer: self.reader.pointer(self.path), message, help, related: None }
        });
    }
}
