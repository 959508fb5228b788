//! The names under `use`, known before anything refers to them.

use std::collections::HashSet;

use super::Node;
use crate::Code;
use crate::problems::{quote, similar};
use crate::yaml::{Kind, NodeId, Tree};

/// What can be referred to by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Component {
    Authentication,
    Catalog,
    Error,
    Function,
    Retry,
    Secret,
    Timeout,
}

impl Component {
    const ALL: [Component; 7] = [
        Component::Authentication,
        Component::Catalog,
        Component::Error,
        Component::Function,
        Component::Retry,
        Component::Secret,
        Component::Timeout,
    ];

    /// Its section of `use`.
    pub(crate) fn section(self) -> &'static str {
        match self {
            Component::Authentication => "authentications",
            Component::Catalog => "catalogs",
            Component::Error => "errors",
            Component::Function => "functions",
            Component::Retry => "retries",
            Component::Secret => "secrets",
            Component::Timeout => "timeouts",
        }
    }

    fn unknown(self) -> Code {
        match self {
            Component::Authentication => Code::UnknownAuthentication,
            Component::Catalog => Code::UnknownCatalog,
            Component::Error => Code::UnknownError,
            Component::Function => Code::UnknownFunction,
            Component::Retry => Code::UnknownRetry,
            Component::Secret => Code::UnknownSecret,
            Component::Timeout => Code::UnknownTimeout,
        }
    }
}

/// The names that stand under `use`.
pub(crate) struct Declared<'d> {
    sections: Vec<(Vec<&'d str>, HashSet<&'d str>)>,
}

impl<'d> Declared<'d> {
    pub(super) fn of(tree: &'d Tree) -> Self {
        let components = tree.entry(tree.root, "use").map(|entry| entry.value);
        let sections = Component::ALL.map(|component| {
            let section = components.and_then(|components| tree.entry(components, component.section()));
            let names = section.map(|section| names(tree, section.value)).unwrap_or_default();
            let known = names.iter().copied().collect();
            (names, known)
        });
        Declared { sections: sections.into() }
    }

    /// The names of one section, in order.
    pub(crate) fn names(&self, component: Component) -> &[&'d str] {
        &self.sections[component as usize].0
    }

    /// Whether a section has a name.
    pub(crate) fn has(&self, component: Component, name: &str) -> bool {
        self.sections[component as usize].1.contains(name)
    }
}

fn names(tree: &Tree, section: NodeId) -> Vec<&str> {
    match &tree.node(section).kind {
        Kind::Mapping(entries) => entries.iter().map(|entry| &*entry.name).collect(),
        Kind::Sequence(items) => items
            .iter()
            .filter_map(|item| match &tree.node(*item).kind {
                Kind::Scalar(serde_json::Value::String(name)) => Some(name.as_str()),
                _ => None,
            })
            .collect(),
        Kind::Scalar(_) => Vec::new(),
    }
}

impl<'r> Node<'r> {
    /// The name of something under `use`, which must be there.
    pub(crate) fn name_of(self, component: Component) -> Option<String> {
        let name = self.string()?;
        self.check_name_of(component, name);
        Some(name.into())
    }

    /// Whether a name stands under `use`.
    pub(crate) fn declares(self, component: Component, name: &str) -> bool {
        self.declared().has(component, name)
    }

    /// The names of one section of `use`.
    pub(crate) fn names(self, component: Component) -> &'r [&'r str] {
        self.declared().names(component)
    }

    /// Reports a name that does not stand under `use`.
    pub(crate) fn check_name_of(self, component: Component, name: &str) {
        let declared = self.declared();
        if declared.has(component, name) {
            return;
        }
        self.error::<()>(component.unknown(), || {
            let section = component.section();
            let help = match similar(name, declared.names(component).iter().copied()) {
                Some(similar) => format!("Did you mean `{similar}`?"),
                None if component == Component::Secret => {
                    format!("Add `{}` to the list `use.secrets`.", quote(name))
                }
                None => format!("Define it as `use.{section}.{}`, or write it in place.", quote(name)),
            };
            (format!("`use.{section}` has no `{}`.", quote(name)), help)
        });
    }
}
