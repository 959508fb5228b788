//! One instance of a module that evaluates.

use std::time::Duration;

use hotcell_expression::ExpressionError;
use rustix::time::{ClockId, clock_gettime};
use wasmtime::{
    AsContext, Error, Instance, InstancePre, Memory, ResourceLimiter, Store, Trap, TypedFunc, UpdateDeadline,
    WasmParams,
};

use super::answer::{self, broken};

/// The most elements of a table. The modules are ours and do not grow theirs.
const TABLE_ELEMENTS: usize = 20_000;

/// How much of a stack is looked at to see whether it is used: 8 KiB, more than any frame leaves untouched.
const STACK_PROBE: usize = 8 << 10;

/// An instance with its memory: what it was told, it knows until it is dropped.
pub(super) struct Cell {
    store: Store<Bounds>,
    memory: Memory,
    request: TypedFunc<u32, u32>,
    last_words: TypedFunc<(), u64>,
    instance: Instance,
    spent: bool,
}

/// What a cell may use, and whether it has.
pub(super) struct Bounds {
    memory: usize,
    time: Duration,
    /// By the clock of the thread's CPU time. An evaluation never waits, so that this is its wall time, less what
    /// the system ran instead of it: what fits today must not fail tomorrow because the machine is busy.
    started: Duration,
    /// It asked for more memory than it may have. That is no error, unless it gives up.
    denied: bool,
}

impl ResourceLimiter for Bounds {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let granted = desired <= self.memory;
        self.denied |= !granted;
        Ok(granted)
    }

    fn memory_grow_failed(&mut self, _: Error) -> wasmtime::Result<()> {
        self.denied = true;
        Ok(())
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }
}

impl Cell {
    /// A fresh instance that may use so much memory, in bytes.
    pub(super) fn new(module: &InstancePre<Bounds>, memory: usize) -> Result<Self, ExpressionError> {
        let unavailable = |error: Error| ExpressionError::Unavailable(format!("no cell for it: {error:#}"));
        let bounds = Bounds { memory, time: Duration::ZERO, started: Duration::ZERO, denied: false };
        let mut store = Store::new(module.module().engine(), bounds);
        store.limiter(|bounds| bounds);
        store.epoch_deadline_callback(|store| {
            let Bounds { started, time, .. } = *store.data();
            let late = cpu_time().saturating_sub(started) >= time;
            Ok(if late { UpdateDeadline::Interrupt } else { UpdateDeadline::Continue(1) })
        });
        let instance = match module.instantiate(&mut store) {
            Ok(instance) => instance,
            // Before it has run anything: the limit is smaller than the module itself.
            Err(_) if store.data().denied => return Err(ExpressionError::MemoryLimit(memory as u64)),
            Err(error) => return Err(unavailable(error)),
        };
        let request = instance.get_typed_func(&mut store, "request").map_err(unavailable)?;
        let last_words = instance.get_typed_func(&mut store, "last_words").map_err(unavailable)?;
        let memory = instance.get_memory(&mut store, "memory").ok_or_else(|| broken("it has no memory"))?;
        Ok(Cell { store, memory, request, last_words, instance, spent: false })
    }

    /// A function that the module exports.
    pub(super) fn function<P: WasmParams>(&mut self, name: &str) -> Result<TypedFunc<P, u64>, ExpressionError> {
        self.instance.get_typed_func(&mut self.store, name).map_err(|error| broken(&error.to_string()))
    }

    /// Grants so much time, from now on, to what this thread does with the cell.
    pub(super) fn grant(&mut self, time: Duration) {
        let bounds = self.store.data_mut();
        (bounds.time, bounds.started, bounds.denied) = (time, cpu_time(), false);
        self.store.set_epoch_deadline(1);
    }

    /// Writes a request into the cell.
    pub(super) fn send(&mut self, request: &[u8]) -> Result<u32, ExpressionError> {
        let length = u32::try_from(request.len()).map_err(|_| broken("the request is too large"))?;
        let request_function = self.request.clone();
        let at = request_function.call(&mut self.store, length).map_err(|error| self.explain(&error))?;
        self.memory
            .write(&mut self.store, at as usize, request)
            .map_err(|_| broken("it has no place for the request"))?;
        Ok(length)
    }

    /// Calls a function and reads its answer.
    pub(super) fn call<P: WasmParams>(
        &mut self,
        function: &TypedFunc<P, u64>,
        parameters: P,
    ) -> Result<&[u8], ExpressionError> {
        let location = function.call(&mut self.store, parameters).map_err(|error| self.explain(&error))?;
        let answer = answer::locate(self.memory.data(&self.store), location)?;
        self.spent |= answer::spends_cell(answer);
        answer::read(answer::locate(self.memory.data(&self.store), location)?)
    }

    /// Whether the cell must not be used any more: it has trapped, or an oversized result is left in its memory.
    pub(super) fn is_spent(&self) -> bool {
        self.spent
    }

    /// Whether memory at this address, within a stack that grows downwards from further up, has been used.
    pub(super) fn is_used(&self, address: usize) -> bool {
        let page = self.memory.data(&self.store).get(address..address + STACK_PROBE);
        page.is_some_and(|page| page.iter().any(|byte| *byte != 0))
    }

    /// Bytes of memory that the cell has. They never become less.
    pub(super) fn size(&self) -> usize {
        self.memory.data_size(&self.store)
    }

    /// Why the cell ended.
    fn explain(&mut self, error: &Error) -> ExpressionError {
        self.spent = true;
        let bounds = self.store.as_context().data();
        let (denied, memory, time) = (bounds.denied, bounds.memory as u64, bounds.time);
        match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => ExpressionError::TimeLimit(time),
            // The second is how the stack ends that a Rust program has in its own memory.
            Some(Trap::StackOverflow | Trap::MemoryOutOfBounds) => ExpressionError::Failed(
                "the recursion is too deep: the program, its functions or its data are nested too often".to_owned(),
            ),
            Some(Trap::UnreachableCodeReached) if denied => ExpressionError::MemoryLimit(memory),
            Some(Trap::UnreachableCodeReached) => self.explain_panic(memory),
            _ => ExpressionError::Unavailable(format!("its cell ended: {error:#}")),
        }
    }

    /// What is asked for in one piece and exceeds what 32 bits can count ends as a panic.
    fn explain_panic(&mut self, memory: u64) -> ExpressionError {
        let last_words = self.last_words.clone();
        let location = last_words.call(&mut self.store, ()).unwrap_or(0);
        let words = answer::locate(self.memory.data(&self.store), location).unwrap_or_default();
        let words = String::from_utf8_lossy(&words[..words.len().min(1000)]);
        if words.contains("capacity overflow") {
            return ExpressionError::MemoryLimit(memory);
        }
        ExpressionError::Unavailable(format!("the interpreter has a bug, please report it: {}", words.escape_debug()))
    }
}

/// What the processor has spent on this thread.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
