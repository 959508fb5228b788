//! A host that remembers what it was asked.

use std::sync::{Arc, Mutex};

use hotcell_sandbox::{
    Call, CallContext, CallEnd, CallError, CallId, CallLimits, Cells, ComponentError, Digest, Host, InProcess,
    InProcessOptions, LogLevel, LogStream, SecretDenied, WorkflowName,
};
use serde_json::Value;

/// What a call asked of the outside. It is granted one secret, `token`.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) logs: Mutex<Vec<(LogLevel, LogStream, String)>>,
    pub(crate) reports: Mutex<Vec<Report>>,
}

/// Fraction, message and data.
type Report = (Option<f64>, Option<String>, Option<Value>);

impl Recorder {
    /// The texts of all lines of this stream.
    pub(crate) fn lines(&self, stream: LogStream) -> Vec<String> {
        let logs = self.logs.lock().unwrap();
        logs.iter().filter(|(_, from, _)| *from == stream).map(|(_, _, message)| message.clone()).collect()
    }
}

impl Host for Recorder {
    fn log(&self, level: LogLevel, stream: LogStream, message: String) {
        self.logs.lock().unwrap().push((level, stream, message));
    }

    fn report(&self, fraction: Option<f64>, message: Option<String>, data: Option<Value>) {
        self.reports.lock().unwrap().push((fraction, message, data));
    }

    fn secret(&self, name: &str) -> Result<String, SecretDenied> {
        match name {
            "token" => Ok("s3cret".into()),
            _ => Err(SecretDenied),
        }
    }
}

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

/// A call of a component with this input.
pub(crate) fn call(component: Digest, input: &str, limits: CallLimits) -> Call {
    let workflow = WorkflowName { namespace: "test".into(), name: "orders".into(), version: "1.0.0".into() };
    Call {
        id: CallId::new("call-1"),
        component,
        export: None,
        input: input.into(),
        context: CallContext {
            task: "price".into(),
            reference: "/do/0/price".into(),
            workflow: workflow.into(),
            execution: "execution-1".into(),
            attempt: 1,
        },
        limits,
    }
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
