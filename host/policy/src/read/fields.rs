//! Values of the types that they should have.

use super::{Code, Diagnostic, MAX_LISTED, Map, Place, Reader, Related, Severity, Value, escaped, quote, similar};
use crate::level::Said;

impl Reader<'_> {
    pub(super) fn place(&self, pointer: &str) -> Place {
        self.locations.pointer(pointer)
    }

    pub(super) fn error(&mut self, code: Code, pointer: &str, message: &str, help: &str) {
        self.related(code, pointer, message, help, None);
    }

    pub(super) fn related(
        &mut self,
        code: Code,
        pointer: &str,
        message: &str,
        help: &str,
        related: Option<(&str, &str)>,
    ) {
        self.found += 1;
        if self.diagnostics.len() >= MAX_LISTED {
            return;
        }
        let related = related.map(|(message, pointer)| Related { message: message.into(), place: self.place(pointer) });
        let (pointer, place) = (pointer.to_owned(), self.place(pointer));
        let (message, help) = (message.into(), help.into());
        self.diagnostics.push(Diagnostic { severity: Severity::Error, code, pointer, place, message, help, related });
    }

    /// An object with no other fields than these.
    pub(super) fn object<'v>(
        &mut self,
        pointer: &str,
        value: &'v Value,
        fields: &[&str],
    ) -> Option<&'v Map<String, Value>> {
        let Value::Object(members) = value else {
            let message = format!("Expected an object, found {}.", describe(value));
            let help = format!("It may have the fields {}.", listed(fields));
            self.error(Code::WrongType, pointer, &message, &help);
            return None;
        };
        for name in members.keys().filter(|name| !fields.contains(&name.as_str())) {
            let help = match similar(name, fields.iter().copied()) {
                Some(similar) => format!("Did you mean `{similar}`?"),
                None => format!("Fields that may stand here: {}.", listed(fields)),
            };
            let message = format!("`{}` is not a field here.", quote(name));
            self.error(Code::UnknownField, &format!("{pointer}/{}", escaped(name)), &message, &help);
        }
        Some(members)
    }

    /// The entries of an object with any names.
    pub(super) fn entries<'v>(&mut self, pointer: &str, value: Option<&'v Value>) -> Vec<(&'v String, &'v Value)> {
        match value {
            None => Vec::new(),
            Some(Value::Object(members)) => members.iter().collect(),
            Some(other) => {
                let message = format!("Expected an object, found {}.", describe(other));
                self.error(Code::WrongType, pointer, &message, "Write an entry for each, by name.");
                Vec::new()
            }
        }
    }

    /// The items of a list that is not longer than this.
    pub(super) fn list<'v>(&mut self, pointer: &str, value: Option<&'v Value>, most: usize) -> &'v [Value] {
        match value {
            None => &[],
            Some(Value::Array(items)) if items.len() <= most => items,
            Some(Value::Array(items)) => {
                let message = format!("The list has {} items, and at most {most} are read.", items.len());
                self.error(Code::TooManyValues, pointer, &message, "Write patterns that stand for several of them.");
                &[]
            }
            Some(other) => {
                let message = format!("Expected a list, found {}.", describe(other));
                self.error(Code::WrongType, pointer, &message, "Write a list; `[]` for nothing.");
                &[]
            }
        }
    }

    pub(super) fn text<'v>(&mut self, pointer: &str, value: &'v Value) -> Option<&'v str> {
        let text = value.as_str();
        if text.is_none() {
            let message = format!("Expected a string, found {}.", describe(value));
            self.error(Code::WrongType, pointer, &message, "Write it in quotes.");
        }
        text
    }

    /// What an operator that says nothing grants.
    pub(super) fn silence<T>(&self) -> Said<Vec<T>> {
        Said { value: Vec::new(), line: self.place("").line }
    }
}

pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(value) => format!("the boolean `{value}`"),
        Value::Number(number) => format!("the number `{number}`"),
        Value::String(text) => format!("the string `{}`", quote(text)),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
    }
}

pub(super) fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
