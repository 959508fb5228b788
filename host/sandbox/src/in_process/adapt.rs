//! WASI preview 1 modules, made into the components that cells hold.

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as PREVIEW_1, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as COMMAND,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as REACTOR,
};
use wasmparser::{Imports, Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::go;
use super::outcome::excerpt;
use crate::ComponentError;

/// The interface through which an adapted command ends with an exit code.
///
/// `wasi:cli/exit` knows success and failure only, and the adapter makes 1 of every code. So a module's import of
/// `proc_exit` is led past the adapter. Both names are as long as those that they take the place of, so that the module stays as
/// it is otherwise.
pub(super) const STATUS: &str = "hotcell:command/status";
/// Its function.
pub(super) const PROC_EXIT: &str = "proc-exit";

const PREVIEW_1_EXIT: &str = "proc_exit";
const _: () = assert!(STATUS.len() == PREVIEW_1.len() && PROC_EXIT.len() == PREVIEW_1_EXIT.len());

/// What a module that uses [`STATUS`] imports.
const STATUS_WIT: &str = "
    package hotcell:command;
    interface status { proc-exit: func(code: u32); }
    world command { import status; }
";

/// A component made of a core module: of a WASI command, or of what a binding generator left to be made a component.
pub(super) fn component_of(module: &[u8]) -> Result<Vec<u8>, ComponentError> {
    let invalid = |reason: String| ComponentError::Invalid { reason: excerpt(&reason) };
    let module = &*go::with_room(module);
    let found = Found::in_module(module).map_err(|error| invalid(error.to_string()))?;
    if !found.is_command && !found.has_component_type {
        return Err(not_a_command(&found));
    }
    if !found.foreign.is_empty() && !found.has_component_type {
        return Err(ComponentError::MissingImports {
            imports: found.foreign,
            advice: "build it for WASI, for example for the target `wasm32-wasip1`".into(),
        });
    }
    let adapter = if found.is_command { COMMAND } else { REACTOR };
    found
        .exit
        .map_or_else(|| encode(module, adapter), |at| encode(&told_by_code(module, at)?, adapter))
        .map_err(|error| invalid(format!("it cannot be made a component: {error:#}")))
}

fn encode(module: &[u8], adapter: &[u8]) -> Result<Vec<u8>, wasmtime::Error> {
    let encode = || {
        let mut encoder = ComponentEncoder::default();
        // What it makes is compiled next, and is validated there.
        encoder.validate(false).adapter(PREVIEW_1, adapter)?.module(module)?;
        encoder.encode()
    };
    encode().map_err(wasmtime::Error::from_anyhow)
}

/// The module, with its import of `proc_exit` led to [`STATUS`].
fn told_by_code(module: &[u8], exit: ExitImport) -> Result<Vec<u8>, wasmtime::Error> {
    let mut module = module.to_vec();
    module[exit.module..][..STATUS.len()].copy_from_slice(STATUS.as_bytes());
    module[exit.name..][..PROC_EXIT.len()].copy_from_slice(PROC_EXIT.as_bytes());
    let embed = |module: &mut Vec<u8>| {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("status.wit", STATUS_WIT)?;
        let world = resolve.select_world(&[package], None)?;
        embed_component_metadata(module, &resolve, world, StringEncoding::UTF8)
    };
    embed(&mut module).map_err(wasmtime::Error::from_anyhow)?;
    Ok(module)
}

fn not_a_command(found: &Found) -> ComponentError {
    let advice = match found.uses_wasi {
        true => {
            "it uses WASI but is no command, as it has no `_start`; build a program with a `main` function for `wasm32-wasip1`"
        }
        false => {
            "build it for `wasm32-wasip1` or `wasm32-wasip2`, or make a component of it with `wasm-tools component new`"
        }
    };
    ComponentError::NotAComponent { found: "a core module".into(), advice: advice.into() }
}

/// What decides what becomes of a module.
#[derive(Default)]
struct Found {
    /// WASI calls its `_start`.
    is_command: bool,
    /// It imports from WASI preview 1.
    uses_wasi: bool,
    /// A binding generator left the type of its component in it.
    has_component_type: bool,
    /// What it imports from elsewhere.
    foreign: Vec<String>,
    /// Where it imports `proc_exit`.
    exit: Option<ExitImport>,
}

/// Where the two names of an import stand in a module.
#[derive(Clone, Copy)]
struct ExitImport {
    module: usize,
    name: usize,
}

impl Found {
    fn in_module(bytes: &[u8]) -> wasmparser::Result<Self> {
        let mut found = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ImportSection(groups) => {
                    for group in groups {
                        found.imports(bytes, group?)?;
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        found.is_command |= export?.name == "_start";
                    }
                }
                Payload::CustomSection(section) => {
                    found.has_component_type |= section.name().starts_with("component-type");
                }
                _ => {}
            }
        }
        Ok(found)
    }

    fn imports<'a>(&mut self, bytes: &'a [u8], group: Imports<'a>) -> wasmparser::Result<()> {
        // In other groups several imports share one name of a module.
        let is_single = matches!(group, Imports::Single(..));
        for import in group {
            let (_, import) = import?;
            if import.module != PREVIEW_1 {
                self.foreign.push(excerpt(&format!("{} {}", import.module, import.name)));
                continue;
            }
            self.uses_wasi = true;
            if is_single && import.name == PREVIEW_1_EXIT {
                let at = |name: &str| name.as_ptr().addr() - bytes.as_ptr().addr();
                self.exit = Some(ExitImport { module: at(import.module), name: at(import.name) });
            }
        }
        Ok(())
    }
}
