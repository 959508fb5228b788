//! From the bytes of a component to something that can be instantiated at once.

use std::borrow::Cow;
use std::sync::Arc;

use wasmtime::component::{Component, InstancePre, Linker, Val};
use wasmtime::{Engine, Precompiled, Store};

use super::cell::Cell;
use super::contract::{RunParameters, RunResult};
use super::exports::{Entry, Exports};
use super::outcome::excerpt;
use super::{adapt, typed};
use crate::artifacts::Artifacts;
use crate::{CallError, ComponentError, Digest, MAX_COMPONENT_SIZE};

/// What tasks are given besides the task contract: the packages of WASI 0.2. Only for messages; what a
/// component really gets is what the linker has.
const GIVEN: [&str; 9] = [
    "hotcell:task/",
    // Answered only where the call was granted it: in calls of built-in components.
    "hotcell:builtin/",
    // How commands that were adapted end.
    "hotcell:command/",
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];

/// A component of which a cell can be made at once: compiled, linked, and its functions found.
#[derive(Clone)]
pub(super) struct Prepared {
    instance: InstancePre<Cell>,
    exports: Arc<Exports>,
}

/// What a guest returned.
pub(super) enum Returned {
    /// From the handler of the task contract.
    Handler(RunResult),
    /// From a command.
    Command(Result<(), ()>),
    /// From a function of another type.
    Function(Vec<Val>),
}

impl Prepared {
    /// What is meant by the name of an export, or what is called without one.
    pub(super) fn entry(&self, export: Option<&str>) -> Result<Entry, CallError> {
        self.exports.find(export)
    }

    /// Makes a fresh instance in the store, calls it, and returns what it returned. The arguments are those of a function.
    pub(super) async fn run(
        &self,
        store: &mut Store<Cell>,
        entry: &Entry,
        input: &str,
        arguments: &[Val],
    ) -> wasmtime::Result<Returned> {
        let instance = self.instance.instantiate_async(&mut *store).await?;
        match entry {
            Entry::Handler(run) => {
                let run = instance.get_typed_func::<RunParameters<'_>, RunResult>(&mut *store, *run)?;
                run.call_async(store, (input,)).await.map(Returned::Handler)
            }
            Entry::Command(run) => {
                let run = instance.get_typed_func::<(), (Result<(), ()>,)>(&mut *store, *run)?;
                run.call_async(store, ()).await.map(|(result,)| Returned::Command(result))
            }
            Entry::Function(index, function) => {
                typed::call(store, instance, *index, function, arguments).await.map(Returned::Function)
            }
        }
    }
}

/// Checks and compiles a component, and links it to what tasks are given. Takes seconds of CPU time for a large one.
pub(super) fn prepare(
    engine: &Engine,
    linker: &Linker<Cell>,
    artifacts: Option<&Artifacts>,
    digest: &Digest,
    bytes: &[u8],
) -> Result<Prepared, ComponentError> {
    let component = match artifacts.and_then(|artifacts| artifacts.load(engine, digest)) {
        Some(component) => component,
        None => {
            let (component, _) = adapted(bytes)?;
            let component = Component::from_binary(engine, &component).map_err(|error| invalid(&error))?;
            // What is refused is not kept.
            link(linker, &component)?;
            if let Some(artifacts) = artifacts {
                artifacts.store(digest, &component);
            }
            component
        }
    };
    link(linker, &component)
}

/// The component itself, or the one that is made of a module; and which of both.
pub(crate) fn adapted(bytes: &[u8]) -> Result<(Cow<'_, [u8]>, bool), ComponentError> {
    check_form(bytes)?;
    match is_module(bytes) {
        true => adapt::component_of(bytes).map(|component| (Cow::Owned(component), true)),
        false => Ok((Cow::Borrowed(bytes), false)),
    }
}

/// Whether this is a core module. Both formats begin with `\0asm` and a version; the component model's has a layer of 1
/// in its upper half.
fn is_module(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm\x01\0\0\0")
}

/// Refuses at once what cannot be a component, nor be made one.
pub(crate) fn check_form(bytes: &[u8]) -> Result<(), ComponentError> {
    if bytes.len() > MAX_COMPONENT_SIZE {
        return Err(ComponentError::TooLarge { size: bytes.len(), limit: MAX_COMPONENT_SIZE });
    }
    let not_a_component =
        |found: &str, advice: &str| Err(ComponentError::NotAComponent { found: found.into(), advice: advice.into() });
    match (bytes.get(..4), bytes.get(4..8)) {
        (Some(b"\0asm"), Some([0x0d, 0, 1, 0] | [1, 0, 0, 0])) => Ok(()),
        (Some(b"\0asm"), _) => not_a_component(
            "WebAssembly in a version that is not known here",
            "build it with a current toolchain, for the component model as WASI 0.2 has it",
        ),
        _ if bytes.is_empty() => not_a_component("an empty file", "check that the build wrote it"),
        _ if Engine::detect_precompiled(bytes)
            .is_some_and(|kind| matches!(kind, Precompiled::Component | Precompiled::Module)) =>
        {
            not_a_component(
                "a compiled artifact of wasmtime",
                "machine code is never accepted; give the component that it was compiled from",
            )
        }
        _ if is_text(bytes) => {
            not_a_component("WebAssembly in text form", "make it binary with `wasm-tools parse FILE -o COMPONENT`")
        }
        _ => not_a_component("something else", "check the path; a component is a file that ends in `.wasm`"),
    }
}

/// Whether the bytes look like the text format: blanks and comments, and then an opening parenthesis.
fn is_text(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    text.starts_with(b";;")
        || text.starts_with(b"(;")
        || text.starts_with(b"(component")
        || text.starts_with(b"(module")
}

pub(super) fn link(linker: &Linker<Cell>, component: &Component) -> Result<Prepared, ComponentError> {
    check_imports(linker, component)?;
    let instance = linker.instantiate_pre(component).map_err(|error| invalid(&error))?;
    let exports = Arc::new(Exports::of(&instance)?);
    Ok(Prepared { instance, exports })
}

/// Refuses a component that wants what it will not get, and names all of it.
fn check_imports(linker: &Linker<Cell>, component: &Component) -> Result<(), ComponentError> {
    let engine = linker.engine();
    let imports: Vec<_> = component
        .component_type()
        .imports(engine)
        .filter(|(name, _)| !is_given(name))
        .map(|(name, _)| excerpt(name))
        .collect();
    if imports.is_empty() {
        return Ok(());
    }
    let advice = if imports.iter().any(|name| name.starts_with("wasi:http/")) {
        "let the workflow make the request with `call: http` and pass the response on to the task"
    } else if imports.iter().any(|name| name.starts_with("wasi:") && name.contains("@0.3")) {
        "build it for WASI 0.2, for example for the target `wasm32-wasip2`"
    } else {
        "remove the import, or compose the component with one that exports it, for example with `wac plug`"
    };
    Err(ComponentError::MissingImports { imports, advice: advice.into() })
}

/// Whether tasks are given something under this name.
pub(crate) fn is_given(import: &str) -> bool {
    let Some(package) = GIVEN.iter().find(|package| import.starts_with(**package)) else { return false };
    // Later interfaces of WASI have other types under the same names.
    let version = import.rsplit_once('@').map(|(_, version)| version);
    !package.starts_with("wasi:") || version.is_some_and(|version| version.starts_with("0.2."))
}

pub(super) fn invalid(error: &wasmtime::Error) -> ComponentError {
    ComponentError::Invalid { reason: reason(error) }
}

/// All that an error says, from the outside to its cause. Parts of it come from the component.
pub(super) fn reason(error: &wasmtime::Error) -> String {
    excerpt(&error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": "))
}
