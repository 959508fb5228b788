//! From what a compiler left to what a cell takes.

use anyhow::{Context, Result, bail};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

/// What is to come out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A component.
    Component,
    /// A core module, for the host's own guests whose interface is memory.
    Module,
}

/// The guest in the wished shape.
///
/// # Errors
///
/// What is neither a component nor a core module, a component where a core module was wished, and a core module that does
/// not tell its component type or does not keep to it.
pub(crate) fn make(built: &[u8], shape: Shape) -> Result<Vec<u8>> {
    if Parser::is_component(built) {
        return match shape {
            Shape::Component => Ok(built.to_vec()),
            Shape::Module => bail!("it is a component already: build for wasm32-unknown-unknown to get a core module"),
        };
    }
    if !Parser::is_core_wasm(built) {
        bail!("it is not WebAssembly");
    }
    match shape {
        Shape::Component => component(built),
        Shape::Module => Ok(built.to_vec()),
    }
}

fn component(module: &[u8]) -> Result<Vec<u8>> {
    let found = Found::in_module(module)?;
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true);
    if found.wasi {
        let adapter = match found.start {
            true => WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
            false => WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        };
        encoder.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter)?;
    } else if !found.component_type {
        bail!(
            "it does not say which component it is: nothing in it stands under #[hotcell::task] or another binding \
             generator, and it does not call WASI"
        );
    }
    encoder.module(module)?;
    encoder.encode().context("the module does not keep to its component type")
}

/// What decides how a core module is wrapped.
#[derive(Default)]
struct Found {
    /// It calls WASI preview 1.
    wasi: bool,
    /// It is a command: WASI calls its `_start`.
    start: bool,
    /// A binding generator left the type of its component.
    component_type: bool,
}

impl Found {
    fn in_module(module: &[u8]) -> Result<Self> {
        let mut found = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        found.wasi |= import?.module == WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME;
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        found.start |= export?.name == "_start";
                    }
                }
                Payload::CustomSection(section) => found.component_type |= section.name().starts_with("component-type"),
                _ => {}
            }
        }
        Ok(found)
    }
}
