//! A runtime that all tests share, so that the interpreters are compiled once.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use hotcell_definition::{Definition, Problem};
use hotcell_expression::Data;
use hotcell_machine::{Event, EventKind, ExecutionId, HostShell, Outcome};
use hotcell_progress::EventLog;
use hotcell_runtime::{
    Clock, End, EvaluatorPool, Execution, Loader, Runtime, RuntimeOptions, StartExecution, SystemClock, Workflow,
    WorkflowTimes,
};
use hotcell_sandbox::{CallLimits, EvaluatorLimits, Evaluators, InProcess, InProcessOptions};
use serde_json::{Map, Value, json};

/// A runtime with its log.
pub(crate) struct Bench {
    runtime: Runtime,
    events: EventLog,
    evaluators: Arc<Evaluators>,
}

/// What an execution did.
pub(crate) struct Ran {
    pub(crate) outcome: Outcome,
    pub(crate) events: Vec<Arc<Event>>,
}

static BENCH: LazyLock<Bench> = LazyLock::new(|| Bench::new(CallLimits::default()));
static STRICT: LazyLock<Bench> = LazyLock::new(|| {
    Bench::new(CallLimits {
        cpu_time: Duration::from_millis(1_500),
        wall_time: Duration::from_secs(20),
        payload: 1 << 20,
        ..CallLimits::default()
    })
});

/// The usual limits.
pub(crate) fn bench() -> &'static Bench {
    &BENCH
}

/// Limits that a hostile script passes soon.
pub(crate) fn strict() -> &'static Bench {
    &STRICT
}

/// Where the interpreters are, as scripts/test builds them.
fn runtimes() -> PathBuf {
    std::env::var_os("HOTCELL_RUNTIMES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/runtimes"), PathBuf::from)
}

impl Bench {
    fn new(limits: CallLimits) -> Self {
        let events = EventLog::new();
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
        let options = InProcessOptions { cache_dir: Some(cache), ..InProcessOptions::default() };
        let mut options = RuntimeOptions::new(Arc::new(InProcess::new(options).expect("a sandbox")), events.clone());
        options.limits = limits;
        options.runtimes = Some(runtimes());
        Bench {
            runtime: Runtime::new(options).expect("threads"),
            events,
            evaluators: Arc::new(Evaluators::new().expect("the jq evaluator")),
        }
    }

    /// Starts a document of these tasks, whose files are in a folder.
    pub(crate) fn start(&self, tasks: Value, input: Value, folder: &Path) -> Execution {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let document = json!({
            "document": {"dsl": "1.0.3", "namespace": "test", "name": "scripts", "version": "1.0.0"},
            "do": tasks,
        });
        let parsed = Definition::parse(document.to_string().as_bytes()).expect("a valid document");
        let evaluators = Arc::clone(&self.evaluators);
        let evaluators = EvaluatorPool::new(move || Box::new(evaluators.evaluator(EvaluatorLimits::default())));
        let now = SystemClock.now();
        let times = WorkflowTimes { parsing: now, parsed: now };
        let definition = Arc::new(parsed.definition);
        let loader = Loader::new(folder);
        let workflow =
            wait(Workflow::load(definition, &loader, evaluators, times, HostShell::Allowed)).expect("it runs");
        let id = ExecutionId::new(format!("execution-{}", LAST.fetch_add(1, Ordering::Relaxed)));
        let input = Data::new(input).expect("data");
        self.runtime.start(StartExecution { workflow: Arc::new(workflow), id, input, secrets: Arc::new(Map::new()) })
    }

    /// Runs it to its end.
    pub(crate) fn run_in(&self, tasks: Value, input: Value, folder: &Path) -> Ran {
        let events = self.events.subscribe();
        let mut execution = self.start(tasks, input, folder);
        let end = wait(execution.end());
        let outcome = match end {
            End::Ran(outcome) => outcome,
            End::Refused(problem) => {
                panic!("refused: {problem}; Python is built by scripts/runtimes python --to target/runtimes")
            }
        };
        let mut events = events;
        let own = |event: &Arc<Event>| event.execution == *execution.id();
        let events = events.try_next().into_iter().filter(own).collect();
        Ran { outcome, events }
    }

    pub(crate) fn run(&self, tasks: Value, input: Value) -> Ran {
        self.run_in(tasks, input, Path::new("."))
    }

    /// Runs one script in a language, with whatever else is said of it.
    pub(crate) fn script(&self, language: &str, code: &str, more: Value) -> Ran {
        let mut run = json!({"script": {"language": language, "code": code}});
        for (name, value) in more.as_object().into_iter().flatten() {
            match name.as_str() {
                "return" | "await" => run[name] = value.clone(),
                _ => run["script"][name] = value.clone(),
            }
        }
        self.run(json!([{"script": {"run": run}}]), json!({"name": "Ada", "count": 17}))
    }
}

/// Waits on a thread that drives nothing else.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

impl Ran {
    /// Its output.
    pub(crate) fn output(self) -> Value {
        match self.outcome {
            Outcome::Completed(output) => output.value().clone(),
            other => panic!("it did not complete: {other:?}"),
        }
    }

    /// Its error.
    pub(crate) fn problem(self) -> Problem {
        match self.outcome {
            Outcome::Faulted(problem) => problem,
            other => panic!("it did not fault: {other:?}"),
        }
    }

    /// The lines that were logged.
    pub(crate) fn lines(&self) -> Vec<String> {
        let log = |event: &Arc<Event>| match &event.kind {
            EventKind::TaskLog { message, .. } => Some(message.clone()),
            _ => None,
        };
        self.events.iter().filter_map(log).collect()
    }
}
