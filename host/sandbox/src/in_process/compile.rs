//! Compiling without cells: what a process that is there for nothing else does.

use wasmtime::Engine;
use wasmtime::component::Component;

use super::engine::{MEMORIES, TABLE_ELEMENTS, TABLES, compiler_config};
use super::{linker, prepare};
use crate::{ComponentError, MAX_CELL_MEMORY};

/// Checks and compiles a component to what [`InProcess::load`](super::InProcess::load) takes.
pub(crate) fn compile(bytes: &[u8]) -> Result<Vec<u8>, ComponentError> {
    let (component, _) = prepare::adapted(bytes)?;
    let failed = |error: wasmtime::Error| ComponentError::Internal { reason: format!("{error:#}") };
    let engine = engine()?;
    let component = Component::from_binary(&engine, &component).map_err(|error| prepare::invalid(&error))?;
    check_room(&component)?;
    prepare::link(&linker(&engine).map_err(failed)?, &component)?;
    component.serialize().map_err(failed)
}

/// Refuses what begins larger than any cell is: this engine has no cells that could.
fn check_room(component: &Component) -> Result<(), ComponentError> {
    let Some(needs) = component.resources_required() else { return Ok(()) };
    let checks = [
        ("memories", u64::from(needs.num_memories), u64::from(MEMORIES)),
        ("pages of memory", needs.max_initial_memory_size.unwrap_or(0), (MAX_CELL_MEMORY >> 16) as u64),
        ("tables", u64::from(needs.num_tables), u64::from(TABLES)),
        ("elements of a table", needs.max_initial_table_size.unwrap_or(0), TABLE_ELEMENTS as u64),
    ];
    for (what, begins, limit) in checks {
        if begins > limit {
            let reason = format!("it begins with {begins} {what}, and no cell has more than {limit}");
            return Err(ComponentError::Invalid { reason });
        }
    }
    Ok(())
}

/// An engine that compiles for cells.
pub(crate) fn engine() -> Result<Engine, ComponentError> {
    let failed = |error: wasmtime::Error| ComponentError::Internal { reason: format!("{error:#}") };
    Engine::new(&compiler_config()).map_err(failed)
}
