//! From the bytes of a component to something that can be instantiated at once.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentExportIndex, Instance, InstancePre, Linker, TypedFunc};
use wasmtime::{Engine, Precompiled, Store};

use super::cell::Cell;
use super::contract::{HANDLER, RUN, RunParameters, RunResult};
use super::outcome::excerpt;
use crate::artifacts::Artifacts;
use crate::{ComponentError, Digest, MAX_COMPONENT_SIZE};

/// What tasks are given besides the task contract: the packages of WASI 0.2. Only for messages; what a
/// component really gets is what the linker has.
const GIVEN: [&str; 8] = [
    "hotcell:task/",
    // Answered only where the call was granted it: in calls of built-in components.
    "hotcell:builtin/",
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];

/// A component of which a cell can be made at once: compiled, linked, and its function found.
#[derive(Clone)]
pub(super) struct Prepared {
    instance: InstancePre<Cell>,
    run: ComponentExportIndex,
}

impl Prepared {
    /// Makes a fresh instance in the store, calls it, and returns what it returned.
    pub(super) async fn run(&self, store: &mut Store<Cell>, input: &str) -> wasmtime::Result<RunResult> {
        let instance: Instance = self.instance.instantiate_async(&mut *store).await?;
        let run: TypedFunc<RunParameters<'_>, RunResult> = instance.get_typed_func(&mut *store, self.run)?;
        run.call_async(store, (input,)).await
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
            let component = Component::from_binary(engine, bytes).map_err(|error| invalid(&error))?;
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

/// Refuses at once what cannot be a component.
pub(crate) fn check_form(bytes: &[u8]) -> Result<(), ComponentError> {
    if bytes.len() > MAX_COMPONENT_SIZE {
        return Err(ComponentError::TooLarge { size: bytes.len(), limit: MAX_COMPONENT_SIZE });
    }
    let not_a_component =
        |found: &str, advice: &str| Err(ComponentError::NotAComponent { found: found.into(), advice: advice.into() });
    // Both formats begin with `\0asm` and a version; the component model's has a layer of 1 in its upper half.
    match (bytes.get(..4), bytes.get(4..8)) {
        (Some(b"\0asm"), Some([0x0d, 0, 1, 0])) => Ok(()),
        (Some(b"\0asm"), Some([1, 0, 0, 0])) => not_a_component(
            "a core module",
            "build it for `wasm32-wasip2`, or make a component of it with `wasm-tools component new`",
        ),
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
    let run = check_export(&instance)?;
    Ok(Prepared { instance, run })
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
fn is_given(import: &str) -> bool {
    let Some(package) = GIVEN.iter().find(|package| import.starts_with(**package)) else { return false };
    // Later interfaces of WASI have other types under the same names.
    let version = import.rsplit_once('@').map(|(_, version)| version);
    !package.starts_with("wasi:") || version.is_some_and(|version| version.starts_with("0.2."))
}

/// Refuses a component that is not a task.
fn check_export(instance: &InstancePre<Cell>) -> Result<ComponentExportIndex, ComponentError> {
    let component = instance.component();
    let Some(handler) = component.get_export_index(None, HANDLER) else {
        let exports = component.component_type();
        let exports = exports.exports(component.engine()).map(|(name, _)| excerpt(name)).collect();
        return Err(ComponentError::NotATask { exports });
    };
    let wrong = |reason: String| ComponentError::WrongType { reason };
    match component.get_export(Some(&handler), RUN) {
        Some((ComponentItem::ComponentFunc(run), index)) => run
            .typecheck::<RunParameters<'_>, RunResult>(&instance.instance_type())
            .map(|()| index)
            .map_err(|error| wrong(format!("in `{RUN}`, {}", reason(&error)))),
        Some(_) => Err(wrong(format!("`{RUN}` is not a function"))),
        None => Err(wrong(format!("it has no function `{RUN}`"))),
    }
}

pub(super) fn invalid(error: &wasmtime::Error) -> ComponentError {
    ComponentError::Invalid { reason: reason(error) }
}

/// All that an error says, from the outside to its cause. Parts of it come from the component.
fn reason(error: &wasmtime::Error) -> String {
    excerpt(&error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": "))
}
