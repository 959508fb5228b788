//! "Call": which function, and hotcell's own.

use super::services;
use crate::problems::{quote, similar};
use crate::reader::{Component, Node, Object};
use crate::{Call, Code, FunctionCall, Severity, WasmCall};

/// The functions that need no definition: those of the specification, and `wasm`.
pub(super) const BUILT_IN: [&str; 7] = ["asyncapi", "grpc", "http", "openapi", "a2a", "mcp", "wasm"];

/// `call`, and `with` beside it.
pub(super) fn call(task: Object<'_>, node: Node<'_>) -> Option<Call> {
    let name = node.string()?;
    if !BUILT_IN.contains(&name) {
        return function(task, node, name).map(Call::Function);
    }
    let with = task.required("with", Some)?;
    match name {
        "asyncapi" => services::asyncapi(with).map(Call::AsyncApi),
        "grpc" => services::grpc(with).map(Call::Grpc),
        "http" => services::http(with).map(Call::Http),
        "openapi" => services::openapi(with).map(Call::OpenApi),
        "a2a" => services::a2a(with).map(Call::A2a),
        "mcp" => services::mcp(with).map(Call::Mcp),
        _ => wasm(with).map(Call::Wasm),
    }
}

/// A WebAssembly component. The schema of the specification takes it for a custom function.
fn wasm(node: Node<'_>) -> Option<WasmCall> {
    let wasm = node.object(&["component", "export", "input"])?;
    let component = wasm.required("component", |node| {
        node.text()?;
        node.text_template()
    });
    let export = wasm.optional("export", Node::text);
    let input = wasm.optional("input", Node::template);
    Some(WasmCall { component: component?, export, input })
}

fn function(task: Object<'_>, node: Node<'_>, name: &str) -> Option<FunctionCall> {
    check_function(node, name);
    let with = task.optional("with", |node| {
        if !node.is_object() {
            return node.wrong_type("an object with the function's arguments");
        }
        node.template()
    });
    Some(FunctionCall { name: name.into(), with })
}

/// A function of `use.functions`, `name:version@catalog`, or a URL.
fn check_function(node: Node<'_>, name: &str) {
    if node.declares(Component::Function, name) || is_url(name) {
        return;
    }
    if let Some((function, catalog)) = name.rsplit_once('@')
        && let Some((function, version)) = function.split_once(':')
        && !function.is_empty()
        && !version.is_empty()
    {
        // The runtime has a catalog of its own, which needs no definition.
        if catalog != "default" {
            node.check_name_of(Component::Catalog, catalog);
        }
        return;
    }
    node.report(Severity::Error, Code::UnknownFunction, node.place(), || {
        let defined = node.names(Component::Function).iter().copied();
        let help = match similar(name, BUILT_IN.into_iter().chain(defined)) {
            Some(similar) => format!("Did you mean `{similar}`?"),
            None => "Define it under `use.functions`, or write `name:version@catalog`, a URL, or a built-in function: \
                     `wasm`, `http`, `openapi`, `grpc`, `asyncapi`, `a2a`, `mcp`."
                .into(),
        };
        (format!("There is no function `{}`.", quote(name)), help)
    });
}

fn is_url(name: &str) -> bool {
    name.split_once("://").is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && !rest.contains(char::is_whitespace)
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    })
}
