//! Objects with known fields.

use super::Node;
use crate::problems::{quote, similar};
use crate::{Code, Severity};

/// An object whose unknown fields have been reported.
#[derive(Clone, Copy)]
pub(crate) struct Object<'r> {
    node: Node<'r>,
}

impl<'r> Node<'r> {
    /// An object that has no fields but these.
    pub(crate) fn object(self, fields: &[&'static str]) -> Option<Object<'r>> {
        self.with_fields(Severity::Error, &[fields])
    }

    /// An object that has fields of several tables.
    pub(crate) fn object_of(self, fields: &[&[&'static str]]) -> Option<Object<'r>> {
        self.with_fields(Severity::Error, fields)
    }

    /// An object to which the schema lets authors add fields: others than these are warned of.
    pub(crate) fn open_object(self, fields: &[&'static str]) -> Option<Object<'r>> {
        self.with_fields(Severity::Warning, &[fields])
    }

    /// An object of which it is not known what fields it has.
    pub(crate) fn any_object(self) -> Option<Object<'r>> {
        self.is_object().then_some(Object { node: self }).or_else(|| self.wrong_type("an object"))
    }

    fn with_fields(self, severity: Severity, fields: &[&[&'static str]]) -> Option<Object<'r>> {
        let known = || fields.iter().flat_map(|table| table.iter().copied());
        if !self.is_object() {
            let names = known().take(4).map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ");
            let more = if known().nth(4).is_some() { ", …" } else { "" };
            return self.wrong_type_for("an object", &format!("an object, with {names}{more}"));
        }
        for (name, value) in self.members() {
            if known().any(|field| field == name) {
                continue;
            }
            let code = if severity == Severity::Error { Code::UnknownField } else { Code::IgnoredField };
            value.report(severity, code, value.key_place(), || {
                let help = match similar(name, known()) {
                    Some(similar) => format!("Did you mean `{similar}`?"),
                    None => {
                        let all = known().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ");
                        format!("Remove it; the fields here are {all}.")
                    }
                };
                (format!("There is no field `{}` here.", quote(name)), help)
            });
        }
        Some(Object { node: self })
    }

    /// An object of any names, each of whose values is read by the same function.
    pub(crate) fn named<T, C: FromIterator<(String, T)>>(self, read: impl Fn(Node<'r>) -> Option<T>) -> Option<C> {
        if !self.is_object() {
            return self.wrong_type("an object");
        }
        let read: Vec<Option<(String, T)>> =
            self.members().map(|(name, value)| Some((name.into(), read(value)?))).collect();
        read.into_iter().collect()
    }

    /// An object with exactly one entry: the item of a list of named things.
    pub(crate) fn one_named(self, what: &str) -> Option<(&'r str, Node<'r>)> {
        if !self.is_object() {
            return self.wrong_type(&format!("an object with the name of {what}"));
        }
        if self.entry_at(1).is_none()
            && let Some(named) = self.entry_at(0)
        {
            return Some(named);
        }
        self.error(Code::NotOneName, || {
            let names: Vec<_> = self.members().take(4).map(|(name, _)| format!("`{}`", quote(name))).collect();
            let message = match names.len() {
                0 => format!("This item has no name; each holds one, the name of {what}."),
                _ => format!("This item holds {}; each holds one name, that of {what}.", names.join(", ")),
            };
            (message, "Begin each with `- name:`, and indent what belongs to it deeper than the name.".into())
        })
    }
}

impl<'r> Object<'r> {
    /// A field that may be absent.
    pub(crate) fn get(self, field: &str) -> Option<Node<'r>> {
        self.node.get(field)
    }

    pub(crate) fn has(self, field: &str) -> bool {
        self.get(field).is_some()
    }

    /// A field that may be absent; nothing also if it is wrong, which has been reported then.
    pub(crate) fn optional<T>(self, field: &str, read: impl FnOnce(Node<'r>) -> Option<T>) -> Option<T> {
        self.get(field).and_then(read)
    }

    /// A field that must be present.
    pub(crate) fn required<T>(self, field: &str, read: impl FnOnce(Node<'r>) -> Option<T>) -> Option<T> {
        match self.get(field) {
            Some(node) => read(node),
            None => self.missing(field, &format!("Add `{field}:`.")),
        }
    }

    /// Reports a field that is absent.
    pub(crate) fn missing<T>(self, field: &str, help: &str) -> Option<T> {
        self.node.report(Severity::Error, Code::MissingField, self.node.key_place(), || {
            (format!("The field `{field}` is missing here."), help.into())
        });
        None
    }

    /// The one field of several that is present. Reports none and more than one.
    pub(crate) fn exactly_one(self, fields: &[&'static str]) -> Option<(&'static str, Node<'r>)> {
        let mut present: Vec<_> = fields.iter().filter_map(|field| Some((*field, self.get(field)?))).collect();
        present.sort_by_key(|(_, node)| node.key_place().offset);
        let mut present = present.into_iter();
        let all = || fields.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ");
        match (present.next(), present.next()) {
            (Some(one), None) => Some(one),
            (Some((first, _)), Some((second, node))) => {
                node.report(Severity::Error, Code::ConflictingFields, node.key_place(), || {
                    let message = format!("`{first}` and `{second}` exclude each other.");
                    (message, format!("Keep one of {}.", all()))
                });
                None
            }
            _ => {
                self.node.report(Severity::Error, Code::MissingField, self.node.key_place(), || {
                    (format!("One of {} is missing here.", all()), "Add the one that you need.".into())
                });
                None
            }
        }
    }
}
