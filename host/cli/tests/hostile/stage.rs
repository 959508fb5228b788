//! The process of one attack: a runtime, the attack in it, and something harmless beside it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hotcell_definition::Definition;
use hotcell_egress::{Egress, EgressLimits, EgressOptions};
use hotcell_expression::Data;
use hotcell_machine::{Event, EventKind, ExecutionId, HostShell};
use hotcell_progress::EventLog;
use hotcell_runtime::{
    Catalog, Clock, EvaluatorPool, Loader, Runtime, RuntimeOptions, StartExecution, SystemClock, Workflow,
    WorkflowTimes,
};
use hotcell_sandbox::{
    Cells, EvaluatorLimits, Evaluators, InProcess, InProcessOptions, WorkerProgram, Workers, WorkersOptions,
};
use serde_json::{Map, json};

use crate::attack::{Attack, Way};
use crate::beside::Beside;
use crate::network::Names;
use crate::outcome::Ended;
use crate::process::{self, Has};
use crate::report::Report;
use crate::{servers, trial};

/// How many calls can run at once: few, so that one that does not end is missed.
pub(crate) const CELLS: u32 = 4;
/// What the process may take until it has settled: threads that did blocking work wait for more of it for 10 s.
const SETTLES_WITHIN: Duration = Duration::from_secs(30);

/// Workflows that use built-in components. The request is denied, whatever is allowed but this very address.
const USES_HTTP: &str = "do: [{ a: { call: http, with: { method: get, endpoint: 'http://[::1]:1/' } } }]";
const USES_JAVASCRIPT: &str = "do: [{ a: { run: { script: { language: js, code: '1' } } } }]";

/// Where workflows run.
pub(crate) struct Stage {
    pub(crate) cells: Arc<dyn Cells>,
    pub(crate) runtime: Runtime,
    pub(crate) events: EventLog,
    evaluators: Arc<Evaluators>,
}

/// Carries out an attack in this process, and prints what became of it as its last line.
pub(crate) fn perform(attack: &Attack, way: Way) -> ExitCode {
    let waiting = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads");
    let report = waiting.block_on(carry_out(attack, way));
    println!("{}{}", trial::REPORT, serde_json::to_string(&report).expect("a report is JSON"));
    // Threads that hang are what a report tells, not a reason to wait for them.
    std::process::exit(0)
}

async fn carry_out(attack: &Attack, way: Way) -> Report {
    let folder = tempfile::tempdir().expect("a folder");
    trial::write_files(attack, folder.path());
    let server = servers::start(attack.server).await;
    let names = Arc::new(Names::new(&attack.egress.names));
    let stage = Arc::new(Stage::new(attack, way, &server.address, Arc::clone(&names)).await);
    stage.prepare(attack).await;
    let beside = Beside::new(Arc::clone(&stage)).await;

    process::reset_peak();
    let before = Has::now();
    let others = beside.run_until_told();
    let mut told = stage.events.subscribe();
    let began = Instant::now();
    let ended = tokio::time::timeout(attack.within(), stage.run(attack, &server.address, folder.path())).await;
    let took = began.elapsed();
    let ended = ended.unwrap_or(Ended::Late);
    let others = others.stop().await;
    let peak = process::peak();

    let mut wrong: Vec<String> = ended.differs(&attack.ends).into_iter().collect();
    wrong.extend(others.wrong);
    if peak > before.memory + (attack.afterwards.peak << 20) {
        wrong.push(format!("it took {} MiB of memory", (peak - before.memory) >> 20));
    }
    wrong.extend(attack.logs.as_ref().and_then(|logs| logs.differ(&lines(&told.try_next()))));
    drop(told);
    let connections = server.connections();
    if attack.connections.is_some_and(|expected| expected != connections) {
        wrong.push(format!("the server got {connections} connections"));
    }
    wrong.extend(names.wrong());
    wrong.extend(beside.check_cells(CELLS as usize).await);
    wrong.extend(beside.check_execution().await);
    server.stop();
    let after = settle(attack, before).await;
    wrong.extend(differs(attack, before, after));
    let (took, slowest) = (milliseconds(took), milliseconds(others.slowest));
    let (attack, ended) = (attack.name.clone(), ended.told());
    Report { attack, way, ended, took, before, after, peak, beside: others.runs, slowest, wrong }
}

impl Stage {
    async fn new(attack: &Attack, way: Way, server: &str, names: Arc<Names>) -> Self {
        let cache = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        // Where compiling is the attack, nothing has been compiled before.
        let cache_dir = cache.clone().filter(|_| attack.bomb.is_none());
        let cells: Arc<dyn Cells> = match way {
            Way::Workers => Arc::new(workers(cache_dir).await),
            _ => {
                let options = InProcessOptions { cells: CELLS, cache_dir, ..InProcessOptions::default() };
                Arc::new(InProcess::new(options).expect("a sandbox"))
            }
        };
        let events = EventLog::new();
        let mut options = RuntimeOptions::new(Arc::clone(&cells), events.clone());
        options.limits = attack.limits();
        options.threads = 2;
        let allowed = attack.egress.allow.iter().map(|host| host.replace("{server}", server).parse().expect("a host"));
        let mut egress = EgressOptions::allowing(allowed.collect());
        let usual = EgressLimits::default();
        let total = attack.egress.total.map_or(usual.total, |limit| limit.unsigned_abs());
        let response = attack.egress.response.unwrap_or(usual.response);
        egress.limits = EgressLimits { total, response, ..usual };
        egress.names = names;
        options.egress = Arc::new(Egress::new(egress));
        let runtime = Runtime::new(options).expect("threads");
        let evaluators = Arc::new(Evaluators::with_cache(cache).expect("the jq evaluator"));
        Stage { cells, runtime, events, evaluators }
    }

    /// Makes ready what is hotcell's own and stays: the built-in components that the attack uses.
    async fn prepare(&self, attack: &Attack) {
        let workflow = attack.workflow.as_deref().unwrap_or_default();
        for (uses, task) in [("call: http", USES_HTTP), ("language: js", USES_JAVASCRIPT)] {
            if workflow.contains(uses) {
                let document =
                    format!("document: {{ dsl: '1.0.3', namespace: harmless, name: a, version: '1.0.0' }}\n{task}");
                let workflow = self.workflow(&document, Path::new(".")).await.expect("a valid workflow");
                self.execute(&Arc::new(workflow), "before", Data::new(json!({})).expect("small data")).await;
            }
        }
    }

    /// Runs the attack's workflow from its text to its end.
    async fn run(&self, attack: &Attack, server: &str, folder: &Path) -> Ended {
        let workflow = match self.workflow(&attack.document(server), folder).await {
            Ok(workflow) => Arc::new(workflow),
            Err(reason) => return Ended::Invalid(reason),
        };
        let input = match Data::from_json(&attack.input()) {
            Ok(input) => input,
            Err(error) => return Ended::Invalid(error.to_string()),
        };
        let mut catalog = Catalog::default();
        catalog.add(Arc::clone(&workflow));
        self.runtime.set_catalog(catalog);
        self.execute(&workflow, "attack", input).await
    }

    /// Executes a workflow to its end.
    pub(crate) async fn execute(&self, workflow: &Arc<Workflow>, id: &str, input: Data) -> Ended {
        let (workflow, id) = (Arc::clone(workflow), ExecutionId::new(id));
        let mut execution = self.runtime.start(StartExecution { workflow, id, input, secrets: Arc::new(Map::new()) });
        execution.end().await.into()
    }

    /// A workflow whose files are in a folder.
    pub(crate) async fn workflow(&self, document: &str, folder: &Path) -> Result<Workflow, String> {
        let parsing = SystemClock.now();
        let parsed = Definition::parse(document.as_bytes()).map_err(|refused| format!("{refused:?}"))?;
        let evaluators = Arc::clone(&self.evaluators);
        let pool = EvaluatorPool::new(move || Box::new(evaluators.evaluator(EvaluatorLimits::default())));
        let loader = Loader::new(folder).with_fetch(self.runtime.documents());
        let times = WorkflowTimes { parsing, parsed: SystemClock.now() };
        let loaded = Workflow::load(Arc::new(parsed.definition), &loader, pool, times, HostShell::Refused).await;
        loaded.map_err(|unsupported| format!("{unsupported:?}"))
    }
}

/// One worker, with all cells in it: what harms it harms the workflows beside the attack.
async fn workers(cache_dir: Option<PathBuf>) -> Workers {
    let program = WorkerProgram { path: env!("CARGO_BIN_EXE_hotcell").into(), ..WorkerProgram::default() };
    let options = WorkersOptions { cells: CELLS, cache_dir, program, ..WorkersOptions::new(1) };
    Workers::start(options).await.expect("a worker")
}

/// Waits until the process has no more than it may have.
async fn settle(attack: &Attack, before: Has) -> Has {
    let until = Instant::now() + SETTLES_WITHIN;
    loop {
        let has = Has::now();
        if differs(attack, before, has).is_empty() || Instant::now() >= until {
            return has;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What the process has too much of.
fn differs(attack: &Attack, before: Has, after: Has) -> Vec<String> {
    let allowed = &attack.afterwards;
    let checks = [
        ("MiB of memory", before.memory >> 20, after.memory >> 20, allowed.mebibytes),
        ("threads", before.threads, after.threads, allowed.threads),
        ("open files", before.files, after.files, allowed.files),
    ];
    let too_much = checks.into_iter().filter(|(_, before, after, more)| *after > before + more);
    too_much.map(|(what, before, after, _)| format!("it left {after} {what} where there were {before}")).collect()
}

/// The log of the attack.
fn lines(events: &[Arc<Event>]) -> Vec<String> {
    let own = events.iter().filter(|event| event.execution.as_str().starts_with("attack"));
    let lines = own.filter_map(|event| match &event.kind {
        EventKind::TaskLog { message, .. } => Some(message.clone()),
        _ => None,
    });
    lines.collect()
}

fn milliseconds(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
