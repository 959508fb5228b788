//! What runs beside an attack, and after it: somebody else's workflows and calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use hotcell_expression::Data;
use hotcell_runtime::Workflow;
use hotcell_sandbox::{
    Call, CallContext, CallId, CallLimits, Digest, Host, LogLevel, LogStream, SecretDenied, WorkflowName,
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::component;
use crate::outcome::Ended;
use crate::stage::Stage;

/// Somebody else's workflow: expressions, and a call in a cell.
const WORKFLOW: &str = "
document: { dsl: '1.0.3', namespace: harmless, name: beside, version: '1.0.0' }
do:
  - sum: { set: { total: '${ [.numbers[]] | add }' } }
  - echo: { call: wasm, with: { component: echo.wasm, input: '${ . }' } }
";

/// How long it may take until all cells are free again: large ones are taken down on threads of their own.
const FREE_WITHIN: Duration = Duration::from_secs(10);

/// Who waits for a cell that is taken waits for the end of a call that sleeps for 100 ms. Less is what it takes to ask.
const NO_WAIT: Duration = Duration::from_millis(80);

/// What runs beside the attack.
pub(crate) struct Beside {
    stage: Arc<Stage>,
    workflow: Arc<Workflow>,
    sleeper: Digest,
    _folder: tempfile::TempDir,
}

/// Executions that follow each other until they are told to stop.
pub(crate) struct Others {
    running: JoinHandle<Summary>,
    enough: Arc<AtomicBool>,
}

/// What became of them.
#[derive(Default)]
pub(crate) struct Summary {
    pub(crate) runs: usize,
    pub(crate) slowest: Duration,
    pub(crate) wrong: Vec<String>,
}

impl Beside {
    /// Prepares everything, so that nothing is compiled any more once the attack begins.
    pub(crate) async fn new(stage: Arc<Stage>) -> Beside {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("echo.wasm"), component::echo()).expect("a file");
        let workflow = Arc::new(stage.workflow(WORKFLOW, folder.path()).await.expect("a valid workflow"));
        let sleeper = stage.cells.prepare(component::sleeper().into()).await.expect("a valid component");
        let beside = Beside { stage, workflow, sleeper, _folder: folder };
        // What is made once for all is made before the process is measured.
        for _ in 0..20 {
            assert_eq!(beside.check_execution().await, None);
        }
        assert_eq!(beside.check_cells(crate::stage::CELLS as usize).await, None);
        beside
    }

    /// Runs one execution after the other.
    pub(crate) fn run_until_told(&self) -> Others {
        let enough = Arc::new(AtomicBool::new(false));
        let (told, workflow, stage) = (Arc::clone(&enough), Arc::clone(&self.workflow), Arc::clone(&self.stage));
        let running = tokio::spawn(async move {
            let mut summary = Summary::default();
            // At least one that began before the attack ended.
            while summary.runs == 0 || !told.load(Ordering::Relaxed) {
                let began = Instant::now();
                let ended = stage.execute(&workflow, &format!("beside-{}", summary.runs), input()).await;
                summary.slowest = summary.slowest.max(began.elapsed());
                summary.runs += 1;
                if let Some(wrong) = unlike(&ended) {
                    summary.wrong.push(wrong);
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            summary
        });
        Others { running, enough }
    }

    /// Another execution is as it was.
    pub(crate) async fn check_execution(&self) -> Option<String> {
        unlike(&self.stage.execute(&self.workflow, "after", input()).await)
    }

    /// So many cells are free: as many calls at once find one without waiting.
    pub(crate) async fn check_cells(&self, count: usize) -> Option<String> {
        let until = Instant::now() + FREE_WITHIN;
        loop {
            let calls = (0..count).map(|_| self.stage.cells.call(self.sleep(), Arc::new(Nobody)));
            let ends = join_all(calls).await;
            if let Some(failed) = ends.iter().find_map(|end| end.result.as_ref().err()) {
                return Some(format!("a call after it failed: {failed}"));
            }
            let waited = ends.iter().filter(|end| end.usage.waited > NO_WAIT).count();
            if waited == 0 {
                return None;
            }
            if Instant::now() >= until {
                return Some(format!("{waited} of {count} cells are not free"));
            }
        }
    }

    fn sleep(&self) -> Call {
        let name = WorkflowName { namespace: "harmless".into(), name: "sleep".into(), version: "1.0.0".into() };
        Call {
            export: None,
            id: CallId::new("sleep"),
            component: self.sleeper,
            input: "null".into(),
            context: CallContext {
                task: "sleep".into(),
                reference: "/do/0/sleep".into(),
                workflow: name.into(),
                execution: "sleep".into(),
                attempt: 1,
            },
            limits: CallLimits::default(),
        }
    }
}

impl Others {
    /// Lets the last one end.
    pub(crate) async fn stop(self) -> Summary {
        self.enough.store(true, Ordering::Relaxed);
        match tokio::time::timeout(FREE_WITHIN, self.running).await {
            Ok(summary) => summary.expect("no panic"),
            Err(_) => Summary { wrong: vec!["an execution beside it did not end".into()], ..Summary::default() },
        }
    }
}

fn input() -> Data {
    Data::new(json!({"numbers": [1, 2, 39]})).expect("small data")
}

fn unlike(ended: &Ended) -> Option<String> {
    match ended {
        Ended::Completed(output) if *output == json!({"total": 42}) => None,
        _ => Some(format!("another execution was harmed: {}", ended.told())),
    }
}

/// A host that grants nothing.
struct Nobody;

impl Host for Nobody {
    fn log(&self, _: LogLevel, _: LogStream, _: String) {}

    fn report(&self, _: Option<f64>, _: Option<String>, _: Option<Value>) {}

    fn secret(&self, _: &str) -> Result<String, SecretDenied> {
        Err(SecretDenied)
    }
}
