//! Cells in this process: what `hotcell run`, tests and benchmarks use.

mod adapt;
mod cell;
mod clocks;
mod command;
pub(crate) mod compile;
mod contract;
mod engine;
mod exports;
mod go;
mod http;
pub(crate) mod json;
mod lane;
pub(crate) mod logs;
mod memory;
mod meter;
mod outcome;
pub(crate) mod prepare;
mod release;
mod reports;
mod stdio;
mod ticker;
mod told;
mod typed;

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker, Val};

use self::cell::{Cell, Occupied};
use self::contract::Task;
use self::exports::Entry;
use self::lane::Lane;
use self::prepare::{Prepared, Returned};
use self::ticker::Ticker;
use crate::artifacts::Artifacts;
use crate::{Call, CallEnd, CallError, Cells, ComponentError, Digest, Host, PayloadKind, PayloadUnit, Usage};

pub use engine::{DEFAULT_CELLS, engine_config};
pub(crate) use exports::is_short_for;
pub(crate) use outcome::shortened;
pub(crate) use prepare::{adapted, is_given};

pub use logs::{LogOutput, Logs};

/// How to set up [`InProcess`].
#[derive(Debug, Clone)]
pub struct InProcessOptions {
    /// How many calls can run at the same time; others wait. Default [`DEFAULT_CELLS`], 256.
    pub cells: u32,
    /// How many components are compiled at the same time; others wait. Each uses all processors that it
    /// can get. Default 1.
    pub compilers: usize,
    /// How many calls that compute for long go on at the same time; others of them wait their turn, and short calls find a
    /// thread. Default: one less than there are processors, at least 1.
    pub heavy: usize,
    /// The folder in which compiled components are kept from one run to the next: one of hotcell's own, to which
    /// nobody else can write, as what is in it is executed. Default none: they are kept in memory only.
    pub cache_dir: Option<PathBuf>,
}

impl Default for InProcessOptions {
    fn default() -> Self {
        InProcessOptions { cells: DEFAULT_CELLS, compilers: 1, heavy: default_heavy(), cache_dir: None }
    }
}

fn default_heavy() -> usize {
    std::thread::available_parallelism().map_or(1, |threads| threads.get().saturating_sub(1)).max(1)
}

/// The cells could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The engine did not start.
    #[error(
        "cannot make room for {cells} cells: {reason}. Each takes 16 GiB of address space, though no memory; lower \
         the number of cells, or raise `ulimit -v`"
    )]
    Engine {
        /// How many cells were asked for.
        cells: u32,
        /// What failed.
        reason: String,
    },
    /// The thread that interrupts guests did not start.
    #[error("cannot start the thread that interrupts guests: {0}")]
    Ticker(std::io::Error),
}

/// Cells in this process. Needs a tokio runtime with time enabled, on whose threads guests run.
///
/// The guests share this process with the host, shielded by WebAssembly alone. Where tenants bring their own
/// components, cells belong in processes of their own.
pub struct InProcess {
    engine: Engine,
    linker: Arc<Linker<Cell>>,
    artifacts: Option<Arc<Artifacts>>,
    components: RwLock<HashMap<Digest, Preparation>>,
    places: Arc<Semaphore>,
    compilers: Arc<Semaphore>,
    heavy: Arc<Semaphore>,
    _ticker: Ticker,
}

/// A component that is being prepared, by one for all that ask for it, or is prepared.
type Preparation = Arc<OnceCell<Prepared>>;

impl InProcess {
    /// Sets up the engine and the thread that interrupts guests. A cache folder that cannot be used is reported with a
    /// warning, and is otherwise done without.
    pub fn new(options: InProcessOptions) -> Result<Self, StartError> {
        let cells = options.cells.max(1);
        let failed = |error: wasmtime::Error| StartError::Engine { cells, reason: format!("{error:#}") };
        let engine = Engine::new(&engine_config(cells)).map_err(failed)?;
        let linker = linker(&engine).map_err(failed)?;
        let ticker = Ticker::start(&engine).map_err(StartError::Ticker)?;
        let artifacts = options.cache_dir.and_then(|folder| {
            Artifacts::open(folder.clone(), &engine)
                .inspect_err(|error| {
                    tracing::warn!(folder = %folder.display(), %error, "compiled components are not kept");
                })
                .ok()
        });
        Ok(InProcess {
            engine,
            linker: Arc::new(linker),
            artifacts: artifacts.map(Arc::new),
            components: RwLock::default(),
            places: Arc::new(Semaphore::new(cells as usize)),
            compilers: Arc::new(Semaphore::new(options.compilers.max(1))),
            heavy: Arc::new(Semaphore::new(options.heavy.max(1))),
            _ticker: ticker,
        })
    }

    /// How many calls could start at once now.
    pub fn free_cells(&self) -> usize {
        self.places.available_permits()
    }

    /// Takes a component that [`compile::compile`] made, so that it can be called. The host has checked where the file comes from.
    pub(crate) async fn load(&self, digest: Digest, artifact: File) -> Result<(), ComponentError> {
        let entry = self.components_mut(|components| components.entry(digest).or_default().clone());
        let (engine, linker) = (self.engine.clone(), self.linker.clone());
        let load = move || {
            let internal = |reason: String| ComponentError::Internal { reason };
            let component = crate::artifacts::given(&engine, &artifact).map_err(internal)?;
            prepare::link(&linker, &component)
        };
        let loading = async || match tokio::task::spawn_blocking(load).await {
            Ok(loaded) => loaded,
            Err(error) => Err(ComponentError::Internal { reason: error.to_string() }),
        };
        entry.get_or_try_init(loading).await.map(drop)
    }

    async fn admit(&self, bytes: Arc<[u8]>) -> Result<Digest, ComponentError> {
        prepare::check_form(&bytes)?;
        let digest = Digest::of(&bytes);
        let prepared = self.components_mut(|components| components.entry(digest).or_default().clone());
        let result = prepared.get_or_try_init(|| self.compile(digest, bytes)).await.map(|_| digest);
        self.components_mut(|components| match &result {
            // Another attempt may have failed meanwhile, and removed the entry.
            Ok(_) => drop(components.entry(digest).or_insert_with(|| prepared.clone())),
            // Whoever tries again starts anew; refused components must not fill the memory.
            Err(_) => {
                if components.get(&digest).is_some_and(|entry| !entry.initialized()) {
                    components.remove(&digest);
                }
            }
        });
        result
    }

    /// Compiles on a thread where it disturbs nobody. The compilation goes on when nobody waits for it any more,
    /// and counts as one until it ends.
    async fn compile(&self, digest: Digest, bytes: Arc<[u8]>) -> Result<Prepared, ComponentError> {
        let turn = self.compilers.clone().acquire_owned().await.expect("the semaphore is never closed");
        let (engine, linker, artifacts) = (self.engine.clone(), self.linker.clone(), self.artifacts.clone());
        let compilation = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            prepare::prepare(&engine, &linker, artifacts.as_deref(), &digest, &bytes)
        });
        compilation.await.unwrap_or_else(|error| {
            Err(ComponentError::Internal { reason: format!("the compiler gave up on it: {error}") })
        })
    }

    fn components_mut<T>(&self, change: impl FnOnce(&mut HashMap<Digest, Preparation>) -> T) -> T {
        // No code that can panic runs while the lock is held.
        change(&mut self.components.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn component(&self, digest: &Digest) -> Option<Prepared> {
        let components = self.components.read().unwrap_or_else(PoisonError::into_inner);
        components.get(digest)?.get().cloned()
    }

    async fn perform(&self, call: Call, host: Arc<dyn Host>) -> CallEnd {
        let refused = |error: CallError| CallEnd { result: Err(error), usage: Usage::default() };
        let Some(component) = self.component(&call.component) else {
            return refused(CallError::UnknownComponent { component: call.component });
        };
        let limit = call.limits.payload;
        if call.input.len() > limit {
            let (what, unit) = (PayloadKind::Input, PayloadUnit::Bytes);
            return refused(CallError::PayloadLimit { what, limit, unit });
        }
        let callee = match Callee::of(component, &call) {
            Ok(callee) => callee,
            Err(error) => return refused(error),
        };
        let (place, waited) = self.place().await;
        let lane = Lane::new(Arc::clone(&self.heavy));
        run(&self.engine, &callee, Cell::new(call, host, lane), place, waited).await
    }

    /// A free place, and how long it took until there was one.
    async fn place(&self) -> (OwnedSemaphorePermit, Duration) {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return (place, Duration::ZERO);
        }
        let since = Instant::now();
        let place = self.places.clone().acquire_owned().await.expect("the semaphore is never closed");
        (place, since.elapsed())
    }
}

/// What components are given.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<Cell>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    Task::add_to_linker::<_, HasSelf<_>>(&mut linker, |cell| cell)?;
    http::add_to_linker(&mut linker)?;
    command::add_to_linker(&mut linker)?;
    Ok(linker)
}

/// What a call calls, and with what.
struct Callee {
    component: Prepared,
    entry: Entry,
    /// Those of a function; others get the call's input.
    arguments: Vec<Val>,
}

impl Callee {
    fn of(component: Prepared, call: &Call) -> Result<Self, CallError> {
        let entry = component.entry(call.export.as_deref())?;
        let arguments = match &entry {
            Entry::Function(_, function) => typed::arguments(function, &call.input, &call.limits)?,
            _ => Vec::new(),
        };
        Ok(Callee { component, entry, arguments })
    }
}

/// Runs one call from a fresh store to the end.
async fn run(
    engine: &Engine,
    callee: &Callee,
    mut cell: Cell,
    place: OwnedSemaphorePermit,
    waited: Duration,
) -> CallEnd {
    let (limits, input) = (cell.call.limits, cell.call.input.clone());
    if let Entry::Command(_) = callee.entry {
        cell = cell.with_console();
    }
    let (meter, lane) = (cell.meter.clone(), cell.lane.clone());
    let mut occupied = Occupied::new(cell.into_store(engine), place);
    let store = occupied.store();

    // A guest that computes is interrupted by the epoch, one that waits by this.
    let guest = lane.drive(meter.measure(callee.component.run(store, &callee.entry, &input, &callee.arguments)));
    let ended = tokio::time::timeout(limits.wall_time, guest).await;

    let cell = store.data();
    let mut remark = None;
    let result = match ended {
        Err(_) => Err(CallError::TimeLimit { limit: limits.wall_time }),
        Ok(ended) => result(callee, cell, ended, &mut remark),
    };
    CallEnd { result, usage: cell.finish(remark, waited) }
}

/// What became of a guest, in the words of a call's end. A remark is for the log.
fn result(
    callee: &Callee,
    cell: &Cell,
    ended: wasmtime::Result<Returned>,
    remark: &mut Option<String>,
) -> Result<Value, CallError> {
    let limits = &cell.call.limits;
    let failed = |error: wasmtime::Error| outcome::error(&error, limits, cell.memory.denied());
    if let Some(console) = &cell.console {
        let ended = ended.map(|returned| matches!(returned, Returned::Command(Ok(()))));
        return console.result(ended, failed, limits);
    }
    match (ended.map_err(failed)?, &callee.entry) {
        (Returned::Handler((Ok(output),)), _) => json::read(PayloadKind::Output, &output, limits.payload_values),
        (Returned::Handler((Err(problem),)), _) => {
            let (problem, dropped) = contract::from_guest(problem, limits.payload_values);
            *remark = dropped;
            Err(CallError::Returned { problem: Box::new(problem) })
        }
        (Returned::Function(results), Entry::Function(_, function)) => typed::result(function, &results, limits),
        _ => Err(CallError::Internal { reason: "a guest returned what was not asked for".into() }),
    }
}

impl Cells for InProcess {
    fn prepare(&self, component: Arc<[u8]>) -> BoxFuture<'_, Result<Digest, ComponentError>> {
        self.admit(component).boxed()
    }

    fn call(&self, call: Call, host: Arc<dyn Host>) -> BoxFuture<'_, CallEnd> {
        self.perform(call, host).boxed()
    }
}
