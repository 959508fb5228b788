//! The runtime: threads, cells, and where events go.

use std::path::PathBuf;
use std::sync::{Arc, RwLock};

use hotcell_egress::Egress;
use hotcell_machine::Position;
use hotcell_policy::{Effective, TenantPolicy};
use hotcell_progress::EventLog;
use hotcell_registry::Registry;
use hotcell_sandbox::{CallLimits, Cells};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::broker::Broker;
use crate::builtins::Builtins;
use crate::catalog::Catalog;
use crate::clock::{Clock, SystemClock};
use crate::documents::Documents;
use crate::driver::Driver;
use crate::execution::{Execution, StartExecution};
use crate::family::Family;
use crate::policy::TaskRules;
use crate::resources::Fetch;
use crate::scripts::Interpreters;

/// What a runtime is made of.
pub struct RuntimeOptions {
    /// What runs components.
    pub cells: Arc<dyn Cells>,
    /// Where events go.
    pub events: EventLog,
    /// How calls of built-in components reach other hosts. Default: not at all.
    pub egress: Arc<Egress>,
    /// Where components come from that are named by `oci://` and `https://`. Default: nowhere.
    pub registry: Option<Arc<Registry>>,
    /// What a call may use, where there is no policy.
    pub limits: CallLimits,
    /// What calls may use and reach. Default: the limits, whatever the egress allows, and all secrets that are granted.
    pub policy: Option<TenantPolicy>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// How many threads run cells and take turns. Default: one for each processor, and at least two, so that one
    /// execution cannot hold up all others.
    pub threads: usize,
    /// The folder with the interpreters that are not part of the binary: `python.wasm`. Default: none.
    pub runtimes: Option<PathBuf>,
}

impl RuntimeOptions {
    /// The defaults for these cells and this log.
    pub fn new(cells: Arc<dyn Cells>, events: EventLog) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).max(2);
        let (limits, clock, egress) = (CallLimits::default(), Arc::new(SystemClock), Arc::default());
        RuntimeOptions { cells, events, egress, registry: None, limits, policy: None, clock, threads, runtimes: None }
    }
}

/// Why there is no runtime.
#[derive(Debug, thiserror::Error)]
#[error("could not start the threads that run workflows: {0}")]
pub struct RuntimeError(#[from] std::io::Error);

/// Executes workflows on threads of its own.
pub struct Runtime {
    pub(crate) shared: Arc<Shared>,
    /// Nothing but `drop` takes it.
    threads: Option<tokio::runtime::Runtime>,
}

/// What all executions share.
pub(crate) struct Shared {
    pub(crate) cells: Arc<dyn Cells>,
    pub(crate) events: EventLog,
    pub(crate) egress: Arc<Egress>,
    pub(crate) registry: Option<Arc<Registry>>,
    pub(crate) builtins: Builtins,
    pub(crate) limits: CallLimits,
    pub(crate) policy: Option<TenantPolicy>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) catalog: RwLock<Catalog>,
    pub(crate) interpreters: Interpreters,
    pub(crate) broker: Broker,
    pub(crate) threads: Handle,
}

impl Runtime {
    /// Starts the threads.
    ///
    /// # Errors
    /// If the system gives no threads.
    pub fn new(options: RuntimeOptions) -> Result<Self, RuntimeError> {
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.threads.max(1))
            .thread_name("hotcell-cells")
            .enable_all()
            .build()?;
        let shared = Shared {
            cells: options.cells,
            events: options.events,
            egress: options.egress,
            registry: options.registry,
            builtins: Builtins::default(),
            limits: options.limits,
            policy: options.policy,
            clock: options.clock,
            catalog: RwLock::default(),
            interpreters: Interpreters::new(options.runtimes),
            broker: Broker::default(),
            threads: threads.handle().clone(),
        };
        Ok(Runtime { shared: Arc::new(shared), threads: Some(threads) })
    }

    /// The one way out.
    pub fn egress(&self) -> Arc<Egress> {
        Arc::clone(&self.shared.egress)
    }

    /// What fetches the documents of one definition over HTTP, from the hosts that the operator allows.
    pub fn documents(&self) -> Arc<dyn Fetch> {
        self.documents_within(None)
    }

    /// The same, within what a policy says of the definition.
    pub fn documents_within(&self, policy: Option<&Effective>) -> Arc<dyn Fetch> {
        let shared = Arc::clone(&self.shared);
        let rules = TaskRules::new(policy.cloned(), shared.limits);
        let (egress, limits) = (rules.egress(&shared.egress), rules.limits());
        Arc::new(Documents { shared, tokens: Arc::default(), egress, limits })
    }

    /// Replaces the workflows that others can run.
    pub fn set_catalog(&self, catalog: Catalog) {
        *self.shared.catalog.write().unwrap_or_else(std::sync::PoisonError::into_inner) = catalog;
    }

    /// Where the executions publish events and hear them, as does whoever else has this.
    pub fn broker(&self) -> &Broker {
        &self.shared.broker
    }

    /// Starts an execution. It hears every event that the broker holds.
    pub fn start(&self, start: StartExecution) -> Execution {
        self.shared.start(start, Position(0), Family::default())
    }

    /// Starts an execution that hears, and whose children hear, only events that were published after a position:
    /// [`Broker::position`] for what is published from now on. One of many executions of a workflow is thus not told
    /// what was meant for those before it.
    pub fn start_hearing_after(&self, start: StartExecution, position: Position) -> Execution {
        self.shared.start(start, position, Family::default())
    }
}

impl Shared {
    pub(crate) fn start(self: &Arc<Self>, start: StartExecution, hears_after: Position, family: Family) -> Execution {
        let (inputs, incoming) = mpsc::unbounded_channel();
        let id = start.id.clone();
        let driver = Driver::new(Arc::clone(self), start, hears_after, family, inputs.clone());
        let driver = self.threads.spawn(driver.drive(incoming));
        Execution { id, inputs, driver, clock: Arc::clone(&self.clock) }
    }
}

impl Drop for Runtime {
    /// Does not wait for what still runs, so that it can be dropped on an asynchronous thread.
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}
