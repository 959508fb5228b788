//! A runtime as `hotcell run` has one, for tests.

// Each test binary uses a part of it.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hotcell_definition::Definition;
use hotcell_expression::Data;
use hotcell_machine::{Event, EventKind, ExecutionId};
use hotcell_progress::{EventLog, Subscription};
use hotcell_runtime::{
    Clock, End, EvaluatorPool, Execution, Runtime, RuntimeOptions, StartExecution, SystemClock, Workflow, WorkflowTimes,
};
use hotcell_sandbox::{EvaluatorLimits, Evaluators, InProcess, InProcessOptions};
use serde_json::{Map, Value, json};

/// A runtime with its cells, its evaluators and its log of events.
pub(crate) struct House {
    pub(crate) runtime: Runtime,
    pub(crate) events: EventLog,
    pub(crate) evaluators: Arc<Evaluators>,
    waiting: tokio::runtime::Runtime,
}

impl House {
    /// What was compiled is kept between tests: these are not about compiling.
    pub(crate) fn new() -> Self {
        let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache");
        let events = EventLog::new();
        let options = InProcessOptions { cache_dir: Some(cache.clone()), ..InProcessOptions::default() };
        let cells = InProcess::new(options).expect("a sandbox");
        House {
            runtime: Runtime::new(RuntimeOptions::new(Arc::new(cells), events.clone())).expect("threads"),
            events,
            evaluators: Arc::new(Evaluators::with_cache(Some(cache)).expect("evaluators")),
            waiting: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .expect("threads"),
        }
    }

    /// A workflow of these tasks, and whatever else stands beside them. Its components are those of the examples.
    pub(crate) fn workflow(&self, rest: &str) -> Arc<Workflow> {
        let evaluators = Arc::clone(&self.evaluators);
        let pool = EvaluatorPool::new(move || Box::new(evaluators.evaluator(EvaluatorLimits::default())));
        self.workflow_with(pool, rest)
    }

    /// The same, with evaluators of its own.
    pub(crate) fn workflow_with(&self, pool: EvaluatorPool, rest: &str) -> Arc<Workflow> {
        let document = format!("document: {{ dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }}\n{rest}");
        let parsed = Definition::parse(document.as_bytes()).expect("a valid document");
        let now = SystemClock.now();
        let times = WorkflowTimes { parsing: now, parsed: now };
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        Arc::new(Workflow::new(Arc::new(parsed.definition), &examples, pool, times).expect("nothing unsupported"))
    }

    /// Starts it on `{}`.
    pub(crate) fn start(&self, workflow: &Arc<Workflow>) -> Execution {
        self.start_on(workflow, json!({}))
    }

    /// Starts it on this input.
    pub(crate) fn start_on(&self, workflow: &Arc<Workflow>, input: Value) -> Execution {
        self.runtime.start(StartExecution {
            workflow: Arc::clone(workflow),
            id: ExecutionId::new("test"),
            input: Data::new(input).expect("small data"),
            secrets: Arc::new(Map::new()),
        })
    }

    /// Waits for an end.
    pub(crate) fn end(&self, mut execution: Execution) -> End {
        self.waiting.block_on(execution.end())
    }

    /// From its start to its end.
    pub(crate) fn run(&self, workflow: &Arc<Workflow>) -> End {
        self.end(self.start(workflow))
    }

    /// Waits until something is told.
    pub(crate) fn wait_for(&self, told: &mut Subscription, what: impl Fn(&EventKind) -> bool) {
        self.waiting.block_on(async {
            while let Some(events) = told.next().await {
                if events.iter().any(|event| what(&event.kind)) {
                    return;
                }
            }
        });
    }

    /// The events of what runs while `work` does.
    pub(crate) fn events_of<T>(&self, work: impl FnOnce() -> T) -> (T, Vec<Arc<Event>>) {
        let mut subscription = self.events.subscribe();
        let result = work();
        (result, subscription.try_next())
    }
}
