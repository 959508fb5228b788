//! Workers for tests.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use hotcell_sandbox::{
    CallEnd, CallError, CallLimits, Cells, ComponentError, Digest, WorkerProgram, Workers, WorkersOptions,
};

pub(crate) use crate::recorder::{Recorder, call};

/// The program that tests start as a worker, with this first argument.
pub(crate) fn program(mode: &str) -> WorkerProgram {
    WorkerProgram {
        path: env!("CARGO_BIN_EXE_hotcell-test-worker").into(),
        worker: mode.split(' ').map(Into::into).collect(),
        compiler: vec!["compile".into()],
    }
}

/// Options for so many workers. What is compiled once is compiled for all tests.
pub(crate) fn options(workers: usize) -> WorkersOptions {
    WorkersOptions {
        cells: 4,
        cache_dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")),
        program: program("worker"),
        ..WorkersOptions::new(workers)
    }
}

pub(crate) async fn start(options: WorkersOptions) -> Workers {
    Workers::start(options).await.unwrap()
}

/// Two workers, which all tests of well-meaning hosts share: whatever their guests do, it harms nobody else.
pub(crate) fn cells() -> Workers {
    static WORKERS: OnceLock<Workers> = OnceLock::new();
    let start = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(start(options(2)))
    };
    // On a thread of its own, as the test has one runtime already.
    WORKERS.get_or_init(|| std::thread::spawn(start).join().unwrap()).clone()
}

/// Prepares a component.
pub(crate) async fn prepare(workers: &Workers, component: &[u8]) -> Result<Digest, ComponentError> {
    Cells::prepare(workers, component.into()).await
}

/// Prepares and calls a component, and returns how that ended and what the host was asked.
pub(crate) async fn run_with(component: &[u8], input: &str, limits: CallLimits) -> (CallEnd, Arc<Recorder>) {
    let workers = cells();
    let digest = prepare(&workers, component).await.unwrap();
    let host = Arc::new(Recorder::default());
    let end = Cells::call(&workers, call(digest, input, limits), host.clone()).await;
    assert_still_usable(&workers).await;
    (end, host)
}

/// The same with the default limits.
pub(crate) async fn run(component: &[u8], input: &str) -> (CallEnd, Arc<Recorder>) {
    run_with(component, input, CallLimits::default()).await
}

/// Why the call of a component failed.
pub(crate) async fn failure(component: &[u8], limits: CallLimits) -> CallError {
    run_with(component, "null", limits).await.0.result.unwrap_err()
}

/// Whatever happened: calls work, in any of the cells.
pub(crate) async fn assert_still_usable(workers: &Workers) {
    let echo = prepare(workers, &crate::guest::echo()).await.unwrap();
    let host: Arc<Recorder> = Arc::default();
    let calls =
        (0..8).map(|number| Cells::call(workers, call(echo, &number.to_string(), CallLimits::default()), host.clone()));
    let ends = futures::future::join_all(calls).await;
    for (number, end) in ends.into_iter().enumerate() {
        assert_eq!(end.result, Ok(number.into()));
    }
}
