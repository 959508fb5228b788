//! Cells in processes of their own.
//!
//! A worker is the same program, started once more: it has one thread for guests, and talks to its host over one socket.
//! Before it sees anything of a tenant's it takes from itself whatever it does not need ([`Measure`]): what breaks out of a cell
//! stands in a process that can open no file and no socket, start no program and see no other process. Requests, secrets,
//! log lines and progress of its calls go to the host, which checks them against the call that they are for.
//!
//! A worker that crashes, hangs, takes too much memory or says what no worker says is killed and replaced. The calls that it had are run
//! again, once, under the same id: nearly all of them did nothing. A call that loses two workers ends with
//! [`CallError::WorkerCrashed`].

mod compile;
mod confinement;
mod files;
mod keeper;
mod open_call;
mod pool;
mod process;
mod socket;
mod wire;
mod worker;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use self::compile::Compiler;
use self::open_call::Ending;
use self::pool::{Pool, Tenant};
use self::wire::Number;
use self::worker::Worker;
use crate::artifacts::Artifacts;
use crate::in_process::{compile as engine, prepare};
use crate::{Call, CallEnd, CallError, Cells, ComponentError, Digest, Host, PayloadKind, PayloadUnit, Usage};

pub(crate) use compile::read_artifact;
pub use confinement::Measure;
pub use pool::Isolation;
pub use process::{compiler_main, confine_as_worker, worker_main};

/// How many calls a worker has at the same time, unless said otherwise.
pub const DEFAULT_WORKER_CELLS: u32 = 128;
/// How long a worker may be silent. Guests are interrupted every 5 ms, so that it is not silent by itself.
pub const DEFAULT_SILENCE: Duration = Duration::from_secs(10);

/// How to set up [`Workers`].
#[derive(Debug, Clone)]
pub struct WorkersOptions {
    /// How many workers there are. Default: one for each processor.
    pub workers: usize,
    /// How many calls each of them has at the same time; others wait. Default [`DEFAULT_WORKER_CELLS`], 128.
    pub cells: u32,
    /// Whether tenants share workers. Default [`Isolation::Shared`].
    pub isolation: Isolation,
    /// How much memory a worker may take, in bytes, before it is killed. Default: three quarters of what the machine has,
    /// divided by the number of workers.
    pub memory: u64,
    /// How long a worker may be silent before it is killed. Default [`DEFAULT_SILENCE`], 10 s.
    pub silence: Duration,
    /// How many components are compiled at the same time; others wait. Default 1.
    pub compilers: usize,
    /// The folder in which compiled components are kept from one run to the next: one of hotcell's own, to which
    /// nobody else can write, as what is in it is executed. Default none: they are kept in memory only.
    pub cache_dir: Option<PathBuf>,
    /// What is started. Default: this very program, with `worker` or `compile` as its argument.
    pub program: WorkerProgram,
}

/// The program that is started as a worker.
#[derive(Debug, Clone)]
pub struct WorkerProgram {
    /// Where it is.
    pub path: PathBuf,
    /// The arguments with which it calls [`worker_main`].
    pub worker: Vec<OsString>,
    /// The arguments with which it calls [`compiler_main`].
    pub compiler: Vec<OsString>,
}

impl Default for WorkerProgram {
    fn default() -> Self {
        // Not by its name, behind which there may be a newer version by now.
        WorkerProgram { path: "/proc/self/exe".into(), worker: vec!["worker".into()], compiler: vec!["compile".into()] }
    }
}

impl WorkersOptions {
    /// The defaults, with so many workers.
    pub fn new(workers: usize) -> Self {
        let workers = workers.max(1);
        WorkersOptions {
            workers,
            cells: DEFAULT_WORKER_CELLS,
            isolation: Isolation::default(),
            memory: memory_of_machine() / 4 * 3 / workers as u64,
            silence: DEFAULT_SILENCE,
            compilers: 1,
            cache_dir: None,
            program: WorkerProgram::default(),
        }
    }
}

impl Default for WorkersOptions {
    fn default() -> Self {
        WorkersOptions::new(std::thread::available_parallelism().map_or(1, usize::from))
    }
}

/// Bytes of memory that the machine has.
fn memory_of_machine() -> u64 {
    let information = rustix::system::sysinfo();
    (information.totalram as u64).saturating_mul(u64::from(information.mem_unit))
}

/// The workers could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum WorkersError {
    /// What compiles components did not start.
    #[error("cannot set up the compiler: {0}")]
    Compiler(String),
    /// A worker did not start.
    #[error("cannot start a worker process: {0}; `hotcell doctor` may tell why")]
    Worker(std::io::Error),
    /// The thread that looks after them did not start.
    #[error("cannot start the thread that looks after workers: {0}")]
    Thread(std::io::Error),
}

/// Cells in worker processes. What uses them needs a tokio runtime.
#[derive(Clone)]
pub struct Workers {
    shared: Arc<Shared>,
    tenant: Tenant,
}

struct Shared {
    pool: Arc<Pool>,
    compiler: Arc<Compiler>,
    components: Mutex<HashMap<Digest, Arc<OnceCell<File>>>>,
    isolation: Isolation,
    next: AtomicU64,
    measures: Vec<Measure>,
    /// Looks after the workers. They end with it.
    keepers: Handle,
    _thread: Keepers,
}

impl Workers {
    /// Starts the workers, and returns when all of them are ready. Takes some milliseconds.
    ///
    /// # Errors
    /// If a worker cannot be started. Later, one that cannot be replaced is tried again and again.
    pub async fn start(options: WorkersOptions) -> Result<Self, WorkersError> {
        let options = WorkersOptions { workers: options.workers.max(1), cells: options.cells.max(1), ..options };
        let engine = engine::engine().map_err(|error| WorkersError::Compiler(error.to_string()))?;
        let artifacts = options.cache_dir.clone().and_then(|folder| {
            Artifacts::open(folder.clone(), &engine)
                .inspect_err(|error| {
                    tracing::warn!(folder = %folder.display(), %error, "compiled components are not kept");
                })
                .ok()
        });
        let thread = Keepers::start().map_err(WorkersError::Thread)?;
        let keepers = thread.handle.clone();
        let pool = Pool::new(options.workers, options.cells, options.isolation);
        let compiler = Arc::new(Compiler::new(options.program.clone(), artifacts, options.compilers));
        let isolation = options.isolation;
        let options = Arc::new(options);

        let starts: Vec<_> = (0..options.workers)
            .map(|_| {
                let options = Arc::clone(&options);
                keepers.spawn(async move { keeper::start(&options).await })
            })
            .collect();
        let mut measures = Vec::new();
        for (slot, start) in starts.into_iter().enumerate() {
            let started = start.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
            let mut started = started.map_err(WorkersError::Worker)?;
            measures = std::mem::take(&mut started.measures);
            keepers.spawn(keeper::keep(Arc::clone(&pool), slot, Arc::clone(&options), Some(started)));
        }
        pool.complete().await;
        let shared = Shared {
            pool,
            compiler,
            components: Mutex::default(),
            isolation,
            next: AtomicU64::new(1),
            measures,
            keepers,
            _thread: thread,
        };
        Ok(Workers { shared: Arc::new(shared), tenant: None })
    }

    /// The same workers, for calls of this tenant.
    pub fn for_tenant(&self, tenant: impl Into<Arc<str>>) -> Self {
        Workers { shared: Arc::clone(&self.shared), tenant: Some(tenant.into()) }
    }

    /// What confines the workers, and what does not.
    pub fn measures(&self) -> &[Measure] {
        &self.shared.measures
    }

    /// The ids of the processes that there are now.
    pub fn processes(&self) -> Vec<u32> {
        self.shared.pool.workers().iter().map(|worker| worker.process).collect()
    }

    /// How many calls could start at once now.
    pub fn free_cells(&self) -> usize {
        self.shared.pool.free()
    }

    async fn admit(&self, bytes: Arc<[u8]>) -> Result<Digest, ComponentError> {
        prepare::check_form(&bytes)?;
        let digest = Digest::of(&bytes);
        let entry = self.components(|components| Arc::clone(components.entry(digest).or_default()));
        let (compiler, keepers) = (Arc::clone(&self.shared.compiler), self.shared.keepers.clone());
        let compile = || async move {
            // Where the thread lives whose end ends the compiler, and goes on if nobody waits any more.
            let compilation = keepers.spawn(async move { compiler.artifact(&digest, &bytes).await });
            compilation.await.unwrap_or_else(|error| Err(ComponentError::Internal { reason: error.to_string() }))
        };
        match entry.get_or_try_init(compile).await {
            Ok(artifact) => {
                self.components(|components| components.entry(digest).or_insert_with(|| Arc::clone(&entry)).clone());
                if self.shared.isolation == Isolation::Shared {
                    for worker in self.shared.pool.workers() {
                        // Otherwise with the first call.
                        let _ = worker.load(digest, artifact);
                    }
                }
                Ok(digest)
            }
            Err(refusal) => {
                self.components(|components| {
                    if components.get(&digest).is_some_and(|entry| !entry.initialized()) {
                        components.remove(&digest);
                    }
                });
                Err(refusal)
            }
        }
    }

    async fn perform(&self, call: Call, host: Arc<dyn Host>) -> CallEnd {
        let mut waited = Duration::ZERO;
        let refused = |error: CallError, waited: Duration| CallEnd {
            result: Err(error),
            usage: Usage { waited, ..Usage::default() },
        };
        let component = self.components(|components| components.get(&call.component).cloned());
        let Some(component) = component.filter(|component| component.initialized()) else {
            return refused(CallError::UnknownComponent { component: call.component }, waited);
        };
        let artifact = component.get().expect("it is initialized");
        let limit = call.limits.payload;
        if call.input.len() > limit {
            let (what, unit) = (PayloadKind::Input, PayloadUnit::Bytes);
            return refused(CallError::PayloadLimit { what, limit, unit }, waited);
        }
        let mut losses = 0;
        loop {
            let since = Instant::now();
            let seat = match self.shared.pool.seat(&self.tenant).await {
                Ok(seat) => seat,
                Err(reason) => return refused(CallError::Internal { reason }, waited),
            };
            waited += since.elapsed();
            let worker = Arc::clone(seat.worker());
            let number = self.shared.next.fetch_add(1, Relaxed);
            let runtime = Handle::try_current().unwrap_or_else(|_| self.shared.keepers.clone());
            let started = worker.load(call.component, artifact).map_err(|error| error.to_string()).and_then(|()| {
                worker.start(number, &call, Arc::clone(&host), runtime, seat).map_err(|error| error.to_string())
            });
            let ending = match started {
                Ok(ending) => ending,
                Err(reason) => return refused(CallError::Internal { reason }, waited),
            };
            let mut interest = Interest { worker, number, lasts: true };
            let ending = ending.await;
            interest.lasts = false;
            match ending {
                Ok(Ending::Ended(CallEnd { result, usage })) => {
                    return CallEnd { result, usage: Usage { waited, ..usage } };
                }
                // It may have been another call's fault. The guest has its id as idempotency key.
                Ok(Ending::Lost(_)) if losses == 0 => losses += 1,
                Ok(Ending::Lost(reason)) => return refused(CallError::WorkerCrashed { reason }, waited),
                Err(_) => return refused(CallError::WorkerCrashed { reason: "its end was not told".into() }, waited),
            }
        }
    }

    fn components<T>(&self, change: impl FnOnce(&mut HashMap<Digest, Arc<OnceCell<File>>>) -> T) -> T {
        change(&mut self.shared.components.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whoever waits for a call. When that is dropped before the call ends, the call is cancelled.
struct Interest {
    worker: Arc<Worker>,
    number: Number,
    lasts: bool,
}

impl Drop for Interest {
    fn drop(&mut self) {
        if self.lasts {
            self.worker.cancel(self.number);
        }
    }
}

impl Cells for Workers {
    fn prepare(&self, component: Arc<[u8]>) -> BoxFuture<'_, Result<Digest, ComponentError>> {
        self.admit(component).boxed()
    }

    fn call(&self, call: Call, host: Arc<dyn Host>) -> BoxFuture<'_, CallEnd> {
        self.perform(call, host).boxed()
    }
}

/// The thread that looks after workers. They die when it ends, as they asked the kernel for that; so does it when hotcell
/// ends, however that comes about.
struct Keepers {
    handle: Handle,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
}

impl Keepers {
    fn start() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        std::thread::Builder::new().name("hotcell-workers".into()).spawn(move || {
            let _ = runtime.block_on(stopped);
            runtime.shutdown_background();
        })?;
        Ok(Keepers { handle, stop: Some(stop) })
    }
}

impl Drop for Keepers {
    /// The workers are killed; nobody waits until they are gone.
    fn drop(&mut self) {
        drop(self.stop.take());
    }
}
