//! Cells of this process, for tests.

use std::sync::Arc;

use hotcell_sandbox::{CallEnd, CallError, CallLimits, Cells, ComponentError, Digest, InProcess, InProcessOptions};

pub(crate) use crate::recorder::{Recorder, call};

/// Cells for a test: a few, so that each test is quick to set up.
pub(crate) fn cells() -> InProcess {
    cells_with(InProcessOptions { cells: 4, ..InProcessOptions::default() })
}

pub(crate) fn cells_with(options: InProcessOptions) -> InProcess {
    InProcess::new(options).unwrap()
}

/// Prepares a component.
pub(crate) async fn prepare(cells: &InProcess, component: &[u8]) -> Result<Digest, ComponentError> {
    Cells::prepare(cells, component.into()).await
}

/// Prepares and calls a component, and returns how that ended and what the host was asked.
pub(crate) async fn run_with(component: &[u8], input: &str, limits: CallLimits) -> (CallEnd, Arc<Recorder>) {
    let cells = cells();
    let digest = prepare(&cells, component).await.unwrap();
    let host = Arc::new(Recorder::default());
    let end = Cells::call(&cells, call(digest, input, limits), host.clone()).await;
    assert_still_usable(&cells).await;
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

/// Whatever a guest did: the next call works, in any of the cells, and all of them are free again.
pub(crate) async fn assert_still_usable(cells: &InProcess) {
    let echo = prepare(cells, &crate::guest::echo()).await.unwrap();
    let host: Arc<Recorder> = Arc::default();
    let calls =
        (0..8).map(|number| Cells::call(cells, call(echo, &number.to_string(), CallLimits::default()), host.clone()));
    let ends = futures::future::join_all(calls).await;
    for (number, end) in ends.into_iter().enumerate() {
        assert_eq!(end.result, Ok(number.into()));
    }
}
