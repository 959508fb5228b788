//! Gives the memory of a large cell back to the system, now.

use wasmtime::{Engine, Instance, Module, Store};

use super::engine::DECOMMIT_BATCH;

/// An empty module with a memory and a table: `(module (table 1 funcref) (memory 1))`.
const SMALL: &[u8] = b"\0asm\x01\0\0\0\x04\x04\x01\x70\0\x01\x05\x03\x01\0\x01";

/// Fills up the batch in which this thread holds back what is to be given back to the system.
///
/// wasmtime gives memory back only when a batch is full, and knows no way to ask for it. Without this, a host that has
/// nothing more to do after a few calls that wrote to all of their memory would keep gigabytes of it, and with it the
/// data of those calls, until somebody calls something again. It takes some 100 µs, where taking down a large cell takes
/// milliseconds.
pub(super) fn now(engine: &Engine) {
    let Ok(module) = Module::from_binary(engine, SMALL) else { return };
    for _ in 0..DECOMMIT_BATCH {
        let mut store = Store::new(engine, ());
        // If there is no room, what was held back was given back to make some.
        let _ = Instance::new(&mut store, &module, &[]);
    }
}
