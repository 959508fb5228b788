//! One cell: what a guest finds when it wakes up, and what becomes of it when the call has ended.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::clocks::Coarse;
use super::command::Console;
use super::lane::Lane;
use super::logs::{LogOutput, Logs};
use super::memory::MemoryBound;
use super::meter::Meter;
use super::outcome::Ended;
use super::release;
use super::reports::ReportBound;
use super::stdio::{Captured, Logged};
use crate::{Call, Host, LogLevel, LogStream, MAX_CELL_MEMORY, Usage};

/// From this much linear memory on, taking a cell down takes milliseconds (43 to 116 for 256 MiB), and is done
/// where nobody waits for it.
const LARGE: usize = 16 << 20;

/// What belongs to one call, on the host's side of the glass.
pub(super) struct Cell {
    pub(super) call: Call,
    pub(super) host: Arc<dyn Host>,
    pub(super) meter: Arc<Meter>,
    pub(super) lane: Arc<Lane>,
    pub(super) memory: MemoryBound,
    pub(super) logs: Arc<Logs>,
    pub(super) reports: ReportBound,
    /// What a command reads and writes; what other guests print is logged.
    pub(super) console: Option<Console>,
    /// Made when the guest first asks for it. Most calls of small tasks never do.
    wasi: Option<Wasi>,
}

struct Wasi {
    context: WasiCtx,
    resources: ResourceTable,
}

impl Cell {
    /// A cell for this call, whose wall clock starts now.
    pub(super) fn new(mut call: Call, host: Arc<dyn Host>, lane: Arc<Lane>) -> Self {
        call.limits.memory = call.limits.memory.min(MAX_CELL_MEMORY);
        let limits = &call.limits;
        Cell {
            meter: Arc::new(Meter::start(limits)),
            memory: MemoryBound::new(limits.memory),
            logs: Arc::new(Logs::new(host.clone(), limits.log_bytes)),
            reports: ReportBound::new(limits),
            lane,
            console: None,
            wasi: None,
            call,
            host,
        }
    }

    /// The same cell, for a command.
    pub(super) fn with_console(mut self) -> Self {
        self.console = Some(Console::new(&self.call.input, &self.logs, &self.call.limits));
        self
    }

    /// The store in which the guest lives, with every bound set.
    pub(super) fn into_store(self, engine: &Engine) -> Store<Cell> {
        let limits = self.call.limits;
        let mut store = Store::new(engine, self);
        store.limiter(|cell| &mut cell.memory);
        store.set_hostcall_fuel(limits.payload);
        store.set_max_component_handles(limits.handles);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|store| match store.data().meter.passed() {
            Some(limit) => Err(Ended(limit).into()),
            // Everything else on this thread gets its turn, and so do others that compute for long.
            None => Ok(UpdateDeadline::YieldCustom(1, Box::pin(Arc::clone(&store.data().lane).turn()))),
        });
        store
    }

    /// Writes what the call has not written yet, remarks on what was dropped, and adds up what was used.
    pub(super) fn finish(&self, remark: Option<String>, waited: Duration) -> Usage {
        let log_bytes = self.logs.finish();
        let dropped = self.reports.dropped();
        let dropped = (dropped > 0)
            .then(|| format!("{dropped} progress reports of this call were dropped: it made more than are passed on"));
        for remark in remark.into_iter().chain(dropped) {
            self.host.log(LogLevel::Warn, LogStream::Host, remark);
        }
        Usage {
            waited,
            wall: self.meter.wall(),
            cpu: self.meter.cpu(),
            memory_peak: self.memory.used(),
            log_bytes,
            reports: self.reports.made(),
        }
    }
}

/// WASI 0.2 with everything denied: no arguments, no environment, no folders, an empty stdin, no network and no
/// names looked up. What is left: coarse clocks, random bytes, and stdout and stderr, which are captured. A command
/// has a name as its only argument, its input on stdin, and stdout for its output.
impl WasiView for Cell {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi.get_or_insert_with(|| {
            let limits = &self.call.limits;
            let mut resources = ResourceTable::new();
            resources.set_max_capacity(limits.handles);
            let clock = Coarse::new(limits.clock_resolution);
            let mut builder = WasiCtx::builder();
            match &self.console {
                Some(console) => console.connect(&mut builder),
                None => {
                    let logged = |output| Captured(Logged::new(self.logs.clone(), output));
                    builder.stdout(logged(LogOutput::Stdout)).stderr(logged(LogOutput::Stderr));
                }
            }
            let context = builder
                .wall_clock(clock)
                .monotonic_clock(clock)
                .allow_tcp(false)
                .allow_udp(false)
                .allow_ip_name_lookup(false)
                // wasmtime allows 64 MiB at once, half a second of work that no epoch interrupts.
                .max_random_size(limits.payload as u64)
                .build();
            Wasi { context, resources }
        });
        WasiCtxView { ctx: &mut wasi.context, table: &mut wasi.resources }
    }
}

/// A store in its place. When it is dropped, be it because the call ended or because nobody waits for it any
/// more, the guest goes first and then its place becomes free.
pub(super) struct Occupied {
    parts: Option<(Store<Cell>, OwnedSemaphorePermit)>,
}

impl Occupied {
    pub(super) fn new(store: Store<Cell>, place: OwnedSemaphorePermit) -> Self {
        Occupied { parts: Some((store, place)) }
    }

    pub(super) fn store(&mut self) -> &mut Store<Cell> {
        let (store, _) = self.parts.as_mut().expect("only `drop` takes the parts");
        store
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        let Some((store, place)) = self.parts.take() else { return };
        let is_large = store.data().memory.used() >= LARGE;
        let take_down = move || {
            let engine = store.engine().clone();
            drop(store);
            if is_large {
                release::now(&engine);
            }
            drop(place);
        };
        match is_large.then(Handle::try_current) {
            Some(Ok(runtime)) => drop(runtime.spawn_blocking(take_down)),
            _ => take_down(),
        }
    }
}
