//! Compiling without cells: what a process that is there for nothing else does.

use wasmtime::Engine;
use wasmtime::component::Component;

use super::engine::compiler_config;
use super::{linker, prepare};
use crate::ComponentError;

/// Checks and compiles a component to what [`InProcess::load`](super::InProcess::load) takes.
pub(crate) fn compile(bytes: &[u8]) -> Result<Vec<u8>, ComponentError> {
    let (component, _) = prepare::adapted(bytes)?;
    let failed = |error: wasmtime::Error| ComponentError::Internal { reason: format!("{error:#}") };
    let engine = engine()?;
    let component = Component::from_binary(&engine, &component).map_err(|error| prepare::invalid(&error))?;
    prepare::link(&linker(&engine).map_err(failed)?, &component)?;
    component.serialize().map_err(failed)
}

/// An engine that compiles for cells.
pub(crate) fn engine() -> Result<Engine, ComponentError> {
    let failed = |error: wasmtime::Error| ComponentError::Internal { reason: format!("{error:#}") };
    Engine::new(&compiler_config()).map_err(failed)
}
