//! What of a component can be called, and under which names.

use std::sync::Arc;

use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

use super::cell::Cell;
use super::command;
use super::contract::{self, HANDLER, RunParameters, RunResult};
use super::outcome::excerpt;
use super::prepare::reason;
use super::typed;
use crate::{CallError, ComponentError};

/// What is called, and how.
#[derive(Clone)]
pub(super) enum Entry {
    /// The handler of the task contract.
    Handler(ComponentExportIndex),
    /// A WASI command.
    Command(ComponentExportIndex),
    /// A function of any type that JSON can be mapped to.
    Function(ComponentExportIndex, Arc<ComponentFunc>),
}

/// A function that a component exports.
struct Export {
    /// `namespace:package/interface@version#function`, or the function's name alone if it stands in no interface.
    name: String,
    /// How it is called, or why it cannot be.
    entry: Result<Entry, String>,
}

/// All functions that a component exports.
pub(super) struct Exports {
    all: Vec<Export>,
    /// What is called unless the call says otherwise.
    default: Result<Entry, String>,
}

impl Exports {
    /// Those of a component. Refuses one that has nothing to call.
    pub(super) fn of(instance: &InstancePre<Cell>) -> Result<Self, ComponentError> {
        let component = instance.component();
        let handler = handler(instance)?;
        let mut all = found(component);
        for export in &mut all {
            let (interface, function) = parts(&export.name);
            match &handler {
                Some(index) if interface == HANDLER && function == contract::RUN => {
                    export.entry = Ok(Entry::Handler(*index));
                }
                _ if interface.starts_with(command::RUN) && function == "run" => {
                    if let Ok(Entry::Function(index, _)) = export.entry {
                        export.entry = Ok(Entry::Command(index));
                    }
                }
                _ => {}
            }
        }
        if !all.iter().any(|export| export.entry.is_ok()) {
            return Err(nothing_to_call(component, &all));
        }
        let default = default(&all);
        Ok(Exports { all, default })
    }

    /// What is meant by a name, or what is called without one.
    pub(super) fn find(&self, name: Option<&str>) -> Result<Entry, CallError> {
        let refused = |reason: String| CallError::NotCallable { reason };
        let Some(name) = name else { return self.default.clone().map_err(refused) };
        let exact = self.all.iter().filter(|export| export.name == name);
        let mut meant: Vec<_> = exact.collect();
        if meant.is_empty() {
            meant = self.all.iter().filter(|export| is_short_for(name, &export.name)).collect();
        }
        let name = excerpt(name);
        match meant[..] {
            [export] => export
                .entry
                .clone()
                .map_err(|reason| refused(format!("`{}` cannot be called: {reason}", excerpt(&export.name)))),
            [] => Err(refused(format!("the component exports no function `{name}`; it exports {}", list(&self.all)))),
            _ => Err(refused(format!("`{name}` is ambiguous; it can be {}", list(meant)))),
        }
    }
}

/// The handler, if the component has one, which is then as the contract has it.
fn handler(instance: &InstancePre<Cell>) -> Result<Option<ComponentExportIndex>, ComponentError> {
    let component = instance.component();
    let Some(handler) = component.get_export_index(None, HANDLER) else { return Ok(None) };
    let wrong = |reason: String| ComponentError::WrongType { reason };
    let run = contract::RUN;
    match component.get_export(Some(&handler), run) {
        Some((ComponentItem::ComponentFunc(function), index)) => function
            .typecheck::<RunParameters<'_>, RunResult>(&instance.instance_type())
            .map(|()| Some(index))
            .map_err(|error| wrong(format!("in `{run}`, {}", reason(&error)))),
        Some(_) => Err(wrong(format!("`{run}` is not a function"))),
        None => Err(wrong(format!("it has no function `{run}`"))),
    }
}

/// Every function, at the component's root or in one of its interfaces.
fn found(component: &Component) -> Vec<Export> {
    let engine = component.engine();
    let mut budget = typed::TypeBudget::default();
    let mut all = Vec::new();
    let mut add = |name: String, index: Option<ComponentExportIndex>, function: ComponentFunc| {
        let entry = match index {
            Some(index) => budget.check(&function).map(|()| Entry::Function(index, Arc::new(function))),
            None => Err("it is not found again".into()),
        };
        all.push(Export { name, entry });
    };
    for (name, item) in component.component_type().exports(engine) {
        match item.ty {
            ComponentItem::ComponentFunc(function) => {
                add(name.to_owned(), component.get_export_index(None, name), function);
            }
            ComponentItem::ComponentInstance(interface) => {
                let within = component.get_export_index(None, name);
                for (function_name, item) in interface.exports(engine) {
                    if let ComponentItem::ComponentFunc(function) = item.ty {
                        let index = within.and_then(|within| component.get_export_index(Some(&within), function_name));
                        add(format!("{name}#{function_name}"), index, function);
                    }
                }
            }
            _ => {}
        }
    }
    all
}

/// The handler if there is one; otherwise the command; otherwise the only function.
fn default(all: &[Export]) -> Result<Entry, String> {
    let callable = || all.iter().filter_map(|export| export.entry.as_ref().ok());
    let handler = callable().find(|entry| matches!(entry, Entry::Handler(_)));
    let command = callable().find(|entry| matches!(entry, Entry::Command(_)));
    if let Some(entry) = handler.or(command) {
        return Ok(entry.clone());
    }
    match all {
        [only] => only.entry.clone(),
        _ => {
            Err(format!("the component exports several functions: {}; say which one is meant, as `export`", list(all)))
        }
    }
}

fn nothing_to_call(component: &Component, all: &[Export]) -> ComponentError {
    let types = component.component_type();
    let exports = types.exports(component.engine()).map(|(name, _)| excerpt(name)).collect();
    let reason = match all {
        [] => "no function".into(),
        [first, ..] => {
            let reason = first.entry.as_ref().err().map_or("", String::as_str);
            format!("no function that JSON can be mapped to: of `{}`, {reason}", excerpt(&first.name))
        }
    };
    ComponentError::NotATask { exports, reason }
}

/// The interface and the function of a full name.
fn parts(name: &str) -> (&str, &str) {
    name.rsplit_once('#').unwrap_or(("", name))
}

/// Whether a name means this function: without the version, without the package, without the interface, or without
/// the function.
pub(crate) fn is_short_for(short: &str, name: &str) -> bool {
    let (interface, function) = parts(name);
    if short == function {
        return true;
    }
    if interface.is_empty() {
        return false;
    }
    let (unversioned, _) = interface.split_once('@').unwrap_or((interface, ""));
    let (_, bare) = unversioned.rsplit_once('/').unwrap_or(("", unversioned));
    let (short_interface, short_function) = short.rsplit_once('#').unwrap_or((short, function));
    short_function == function && [interface, unversioned, bare].contains(&short_interface)
}

/// The names of functions as a sentence wants them. There may be thousands; ten show what it is.
fn list<'a>(exports: impl IntoIterator<Item = &'a Export>) -> String {
    let names: Vec<_> = exports.into_iter().map(|export| excerpt(&export.name)).collect();
    crate::refusal::list(&names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_found_by_each_of_its_shorter_names() {
        let name = "shop:orders/pricing@1.2.0#total";
        for short in [
            "shop:orders/pricing#total",
            "pricing#total",
            "total",
            "shop:orders/pricing@1.2.0",
            "shop:orders/pricing",
            "pricing",
        ] {
            assert!(is_short_for(short, name), "{short}");
        }
        for other in
            ["", "tot", "#total", "orders#total", "pricing#", "shop:orders/pricing@1.3.0#total", "pricing@1.2.0"]
        {
            assert!(!is_short_for(other, name), "{other}");
        }
        assert!(is_short_for("total", "total"));
        assert!(!is_short_for("", "total"));
    }
}
