//! What a component is, imports and exports, without running or compiling it: for people, and for checking definitions.

mod example;
mod signature;

use serde::Serialize;
use serde_json::Value;
use wit_component::DecodedWasm;
use wit_parser::{Function, FunctionKind, Resolve, WorldId, WorldItem};

use crate::in_process::{adapted, is_given, is_short_for, shortened};
use crate::{ComponentError, Digest};

use self::example::example;
use self::signature::{Unfit, signature};

/// The longest signature that is shown, in bytes.
const SIGNATURE: usize = 2_000;
/// How many functions of each import or export are looked at.
const MAX_FUNCTIONS: usize = 2_000;

/// What a component is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection {
    /// Component or module.
    pub form: Form,
    /// What it is known by.
    pub digest: Digest,
    /// Its size, in bytes.
    pub size: usize,
    /// What is called unless a definition says otherwise: the full name of an export.
    pub default: Option<String>,
    /// Its functions. Those of a module are those of the component that is made of it.
    pub exports: Vec<ExportedFunction>,
    /// What it wants of its host.
    pub imports: Vec<Import>,
}

/// What the file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Form {
    /// A component.
    Component,
    /// A core module, of which a component is made: a program for WASI preview 1, or what a binding generator left.
    Module,
}

/// A function that a component exports.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedFunction {
    /// Its full name: what `export` of `call: wasm` can say.
    pub name: String,
    /// How it is called.
    pub kind: Kind,
    /// Its type, as WIT writes it.
    pub signature: String,
    /// Why it cannot be called, if it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_callable: Option<String>,
    /// An input that fits it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<Value>,
}

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// The handler of the task contract: JSON in, JSON out.
    Handler,
    /// A WASI command: JSON on stdin, JSON on stdout.
    Command,
    /// A function: JSON is mapped to its types.
    Function,
}

/// An interface or a function that a component imports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Import {
    /// Its name.
    pub name: String,
    /// Whether tasks are given it. If not, the component is refused.
    pub given: bool,
}

/// Looks into a component or a module.
///
/// # Errors
/// It is neither, it is broken, or it is a module that cannot be made a component.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, ComponentError> {
    let (component, is_module) = adapted(bytes)?;
    let invalid = |reason: String| ComponentError::Invalid { reason: shortened(&reason, 500) };
    let decoded = wit_component::decode(&component).map_err(|error| invalid(format!("{error:#}")))?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        return Err(ComponentError::NotAComponent {
            found: "a package of interfaces".into(),
            advice: "build a component that implements one of them".into(),
        });
    };
    let exports = exports(&resolve, world);
    let default = default(&exports);
    let imports = resolve.worlds[world].imports.iter().filter_map(|(key, item)| {
        // Types alone want nothing of the host.
        let name = match item {
            WorldItem::Type { .. } => return None,
            _ => shortened(&resolve.name_world_key(key), 200),
        };
        Some(Import { given: is_given(&name), name })
    });
    Ok(Inspection {
        form: if is_module { Form::Module } else { Form::Component },
        digest: Digest::of(bytes),
        size: bytes.len(),
        default,
        imports: imports.collect(),
        exports,
    })
}

impl Inspection {
    /// The function that `export` of a call means, or that is called without one.
    ///
    /// # Errors
    /// What is wrong, in words for whoever wrote the definition.
    pub fn find(&self, export: Option<&str>) -> Result<&ExportedFunction, String> {
        let Some(name) = export.or(self.default.as_deref()) else {
            return Err(match self.exports.is_empty() {
                true => "it exports no function".into(),
                false => format!("it exports several functions: {}; say which one is meant, as `export`", self.names()),
            });
        };
        let exact = self.exports.iter().find(|export| export.name == name);
        let meant: Vec<_> = match exact {
            Some(exact) => vec![exact],
            None => self.exports.iter().filter(|export| is_short_for(name, &export.name)).collect(),
        };
        let shown = shortened(name, 200);
        match meant[..] {
            [export] => match &export.not_callable {
                Some(reason) => Err(format!("`{}` cannot be called: {reason}", export.name)),
                None => Ok(export),
            },
            [] => Err(format!("it exports no function `{shown}`; it exports {}", self.names())),
            _ => Err(format!("`{shown}` is ambiguous in it; it exports {}", self.names())),
        }
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.exports.iter().map(|export| export.name.clone()).collect();
        crate::refusal::list(&names)
    }
}

/// Every function at the component's root or in one of its interfaces.
fn exports(resolve: &Resolve, world: WorldId) -> Vec<ExportedFunction> {
    let mut found = Vec::new();
    for (key, item) in &resolve.worlds[world].exports {
        match item {
            WorldItem::Function(function) => found.push(exported(resolve, "", function)),
            WorldItem::Interface { id, .. } => {
                let interface = resolve.name_world_key(key);
                let functions = resolve.interfaces[*id].functions.values().take(MAX_FUNCTIONS);
                found.extend(functions.map(|function| exported(resolve, &interface, function)));
            }
            WorldItem::Type { .. } => {}
        }
    }
    found
}

fn exported(resolve: &Resolve, interface: &str, function: &Function) -> ExportedFunction {
    let name = if interface.is_empty() { function.name.clone() } else { format!("{interface}#{}", function.name) };
    let kind = match name.as_str() {
        "hotcell:task/handler@1.0.0#run" => Kind::Handler,
        name if name.starts_with("wasi:cli/run@0.2.") && function.name == "run" => Kind::Command,
        _ => Kind::Function,
    };
    let not_callable = match (kind, &function.kind) {
        (Kind::Handler | Kind::Command, _) => None,
        (_, FunctionKind::Freestanding) => Unfit::of(resolve, function).map(|unfit| unfit.to_string()),
        (_, kind) if kind.is_async() => Some("it is an asynchronous function of WASI 0.3".into()),
        _ => Some("it belongs to a resource, which JSON cannot hold".into()),
    };
    let example = match kind {
        _ if not_callable.is_some() => None,
        Kind::Handler | Kind::Command => Some(Value::Object(serde_json::Map::new())),
        Kind::Function => Some(example(resolve, function)),
    };
    let signature = signature(resolve, function, SIGNATURE);
    ExportedFunction { name, kind, signature, not_callable, example }
}

/// The handler if there is one; otherwise the command; otherwise the only function.
fn default(exports: &[ExportedFunction]) -> Option<String> {
    let first = |kind| exports.iter().find(|export| export.kind == kind);
    let only = || if let [only] = exports { Some(only) } else { None };
    first(Kind::Handler).or_else(|| first(Kind::Command)).or_else(only).map(|export| export.name.clone())
}
