//! How wasmtime is set up for cells.

use wasmtime::{Config, InstanceAllocationStrategy, ModuleVersionStrategy, PoolingAllocationConfig};

use crate::MAX_CELL_MEMORY;

/// How many cells there are, unless said otherwise. Each takes address space (some 16 GiB of the 128 TiB that a
/// process has) but no memory before it is used; 256 suspended calls of a small component take 10 MiB together.
pub const DEFAULT_CELLS: u32 = 256;

/// Core instances of one component. A Python interpreter as a component has 14.
const CORE_INSTANCES: u32 = 24;
/// Linear memories of one component: several when components were composed.
pub(super) const MEMORIES: u32 = 4;
/// Tables of one component, and the elements of each: against components that are small, but make the host
/// set up tables of millions of elements for each call. A Python interpreter has 5,672.
pub(super) const TABLES: u32 = 8;
pub(super) const TABLE_ELEMENTS: usize = 20_000;
/// How deep the calls of a guest may be nested, in bytes of its stack. Twice wasmtime's own: an interpreter takes 800 bytes for
/// each call of a script. wasmtime's stacks of 2 MiB leave as much again to the host's functions.
const GUEST_STACK: usize = 1 << 20;
/// The top of each stack is zeroed rather than given back to the system after a call: cheaper, as it is used by
/// the next.
const STACK_KEPT_RESIDENT: usize = 64 << 10;
/// How many memories are given back to the system at once. Each time costs the other threads an interrupt.
pub(super) const DECOMMIT_BATCH: usize = 16;

/// Room beyond the cells. What a call leaves behind is given back in batches, and while one thread gives a batch back, another
/// finds those slots neither free nor waiting to be freed. So each thread may hold back a batch, and each cell that
/// is free must have a slot nevertheless. The room takes address space only.
fn spare_slots() -> u32 {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    // Two more: large cells are taken down on threads beside those that run guests.
    u32::try_from((threads + 2) * DECOMMIT_BATCH).unwrap_or(u32::MAX)
}

/// The configuration of an engine that has room for this many cells: what [`InProcess`](crate::InProcess) uses, for
/// benchmarks that compare with bare wasmtime and for engines beside it.
///
/// Instances come from a pool and begin as copy-on-write images. Off is what tasks do not need and was attacked
/// most: garbage collection, exceptions, 64-bit memories (and threads, which are not even compiled in). Guests are
/// interrupted by epochs, never by fuel, which costs twice as much; whoever uses this configuration has to
/// [advance the epoch](wasmtime::Engine::increment_epoch) and to set a deadline for each store.
pub fn engine_config(cells: u32) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    // Enough of everything for the most demanding component in every cell, so that a free cell is all that a
    // call has to wait for.
    let slots = cells.saturating_add(spare_slots());
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(CORE_INSTANCES))
        .total_memories(slots.saturating_mul(MEMORIES))
        .total_tables(slots.saturating_mul(TABLES))
        .total_stacks(slots)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_memory_size(MAX_CELL_MEMORY)
        .table_elements(TABLE_ELEMENTS)
        .decommit_batch_size(DECOMMIT_BATCH)
        .async_stack_keep_resident(STACK_KEPT_RESIDENT);
    let mut config = compiler_config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// The configuration of an engine that only compiles for such engines. It makes no room for cells.
pub(crate) fn compiler_config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(GUEST_STACK)
        .concurrency_support(false)
        // A call's secrets must not be found on the stack by the next tenant's.
        .async_stack_zeroing(true)
        // The `gc` feature of wasmtime stays compiled in, as builds without it abort (RUSTSEC-2026-0570).
        .gc_support(false)
        .wasm_gc(false)
        .wasm_exceptions(false)
        .wasm_memory64(false);
    // By itself wasmtime compares only the major version of an artifact with its own, so that code from a compiler
    // with a bug would be loaded by the version that fixes it.
    config
        .module_version(ModuleVersionStrategy::Custom(format!("{}/hotcell-1", wasmtime_environ::VERSION)))
        .expect("the version is shorter than 255 bytes");
    config
}
