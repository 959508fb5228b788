//! Runs workflows against services on this machine.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use axum::Router;
use hotcell_definition::{Definition, Problem};
use hotcell_egress::{AllowedHost, Egress, EgressOptions};
use hotcell_expression::Data;
use hotcell_machine::{Event, ExecutionId, HostShell, Outcome};
use hotcell_progress::EventLog;
use hotcell_runtime::{
    Clock, End, EvaluatorPool, Loader, Runtime, RuntimeOptions, StartExecution, SystemClock, Workflow, WorkflowTimes,
};
use hotcell_sandbox::{EvaluatorLimits, Evaluators, InProcess, InProcessOptions};
use serde_json::{Map, Value};

/// One sandbox for all tests: compiling the component takes the longest.
fn cells() -> Arc<InProcess> {
    static CELLS: OnceLock<Arc<InProcess>> = OnceLock::new();
    let make = || {
        let cache = Some(cache());
        Arc::new(InProcess::new(InProcessOptions { cells: 16, cache_dir: cache, ..Default::default() }).unwrap())
    };
    Arc::clone(CELLS.get_or_init(make))
}

fn evaluators() -> Arc<Evaluators> {
    static EVALUATORS: OnceLock<Arc<Evaluators>> = OnceLock::new();
    Arc::clone(EVALUATORS.get_or_init(|| Arc::new(Evaluators::with_cache(Some(cache())).unwrap())))
}

fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// A runtime that may reach some hosts.
pub(crate) struct Rig {
    runtime: Runtime,
    events: EventLog,
    secrets: Map<String, Value>,
    folder: PathBuf,
}

/// How an execution ended, and what was told of it.
pub(crate) struct Ran {
    pub(crate) outcome: Outcome,
    pub(crate) events: Vec<Arc<Event>>,
}

impl Rig {
    /// These hosts can be reached: `127.0.0.1`, `localhost:80`, …
    pub(crate) fn allowing(hosts: &[&str]) -> Self {
        let allowed: Vec<AllowedHost> = hosts.iter().map(|host| host.parse().unwrap()).collect();
        Rig::with(EgressOptions::allowing(allowed))
    }

    pub(crate) fn with(options: EgressOptions) -> Self {
        let events = EventLog::new();
        let mut runtime = RuntimeOptions::new(cells(), events.clone());
        runtime.egress = Arc::new(Egress::new(options));
        runtime.threads = 2;
        let folder = PathBuf::from(".");
        Rig { runtime: Runtime::new(runtime).unwrap(), events, secrets: Map::new(), folder }
    }

    /// Grants secrets.
    pub(crate) fn secrets(mut self, secrets: Value) -> Self {
        let Value::Object(secrets) = secrets else { panic!("secrets are an object") };
        self.secrets = secrets;
        self
    }

    /// Definitions stand in this folder.
    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.folder = folder.to_owned();
        self
    }

    pub(crate) fn workflow(&self, document: &str) -> Arc<Workflow> {
        let document =
            format!("document: {{ dsl: '1.0.3', namespace: test, name: http, version: '1.0.0' }}\n{document}");
        let parsed = Definition::parse(document.as_bytes()).unwrap_or_else(|refused| panic!("{refused:?}"));
        let evaluators = evaluators();
        let pool = EvaluatorPool::new(move || Box::new(evaluators.evaluator(EvaluatorLimits::default())));
        let now = SystemClock.now();
        let times = WorkflowTimes { parsing: now, parsed: now };
        Arc::new(Workflow::new(Arc::new(parsed.definition), &self.folder, pool, times).unwrap())
    }

    /// A workflow with the documents to which it refers, fetched as `hotcell run` fetches them.
    pub(crate) async fn load(&self, document: &str) -> Result<Arc<Workflow>, String> {
        let document =
            format!("document: {{ dsl: '1.0.3', namespace: test, name: http, version: '1.0.0' }}\n{document}");
        let parsed = Definition::parse(document.as_bytes()).unwrap_or_else(|refused| panic!("{refused:?}"));
        let evaluators = evaluators();
        let pool = EvaluatorPool::new(move || Box::new(evaluators.evaluator(EvaluatorLimits::default())));
        let now = SystemClock.now();
        let times = WorkflowTimes { parsing: now, parsed: now };
        let loader =
            Loader::new(&self.folder).with_secrets(Arc::new(self.secrets.clone())).with_fetch(self.runtime.documents());
        let loaded = Workflow::load(Arc::new(parsed.definition), &loader, pool, times, HostShell::Refused).await;
        loaded.map(Arc::new).map_err(|refused| refused.into_iter().map(|item| item.message + "\n").collect())
    }

    /// Executes a workflow once.
    pub(crate) async fn execute(&self, workflow: &Arc<Workflow>, input: Value) -> Ran {
        let mut told = self.events.subscribe();
        let before = told.try_next().len();
        let mut execution = self.runtime.start(StartExecution {
            workflow: Arc::clone(workflow),
            id: ExecutionId::new(format!("test-{before}")),
            input: Data::new(input).unwrap(),
            secrets: Arc::new(self.secrets.clone()),
        });
        match execution.end().await {
            End::Ran(outcome) => Ran { outcome, events: told.try_next() },
            End::Refused(problem) => panic!("{problem}"),
        }
    }

    pub(crate) async fn run(&self, document: &str, input: Value) -> Ran {
        self.execute(&self.workflow(document), input).await
    }

    /// The output of a workflow whose only task is `call: http` with these arguments, in YAML's flow style.
    pub(crate) async fn call(&self, with: &str, input: Value) -> Ran {
        self.run(&format!("do: [{{ ask: {{ call: http, with: {with} }} }}]"), input).await
    }
}

impl Ran {
    pub(crate) fn output(self) -> Value {
        match self.outcome {
            Outcome::Completed(output) => output.value().clone(),
            other => panic!("the workflow did not complete: {other:?}"),
        }
    }

    pub(crate) fn problem(self) -> Problem {
        match self.outcome {
            Outcome::Faulted(problem) => problem,
            other => panic!("the workflow did not fault: {other:?}"),
        }
    }

    /// Everything that was told of the execution.
    pub(crate) fn told(&self) -> String {
        self.events.iter().map(|event| serde_json::to_string(&**event).unwrap() + "\n").collect()
    }
}

/// Serves on a free port of this machine until the test ends.
pub(crate) async fn serve(service: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    address
}
