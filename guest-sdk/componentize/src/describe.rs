//! What a guest is, for the eyes of whoever built it.

use std::fmt::Write;

use anyhow::{Result, bail};
use wasmparser::{Parser, Payload, Validator, WasmFeatures};
use wit_component::DecodedWasm;

/// Validates a guest, and tells its size, its imports and its exports, a line each.
///
/// # Errors
///
/// What is not valid, with the features that hotcell's cells have.
pub(crate) fn describe(guest: &[u8]) -> Result<String> {
    Validator::new_with_features(WasmFeatures::default()).validate_all(guest)?;
    let mut text = String::new();
    if Parser::is_component(guest) {
        writeln!(text, "  component, {} bytes", guest.len())?;
        component(guest, &mut text)?;
    } else {
        writeln!(text, "  core module, {} bytes", guest.len())?;
        module(guest, &mut text)?;
    }
    Ok(text)
}

fn component(guest: &[u8], text: &mut String) -> Result<()> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(guest)? else {
        bail!("it is a package of interfaces, not a component");
    };
    let world = &resolve.worlds[world];
    for (direction, items) in [("imports", &world.imports), ("exports", &world.exports)] {
        for name in items.keys() {
            writeln!(text, "  {direction} {}", resolve.name_world_key(name))?;
        }
    }
    Ok(())
}

fn module(guest: &[u8], text: &mut String) -> Result<()> {
    for payload in Parser::new(0).parse_all(guest) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    writeln!(text, "  imports {} {}", import.module, import.name)?;
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    writeln!(text, "  exports {}", export?.name)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}
