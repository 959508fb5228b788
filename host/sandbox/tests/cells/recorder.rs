//! A host that remembers what it was asked, and calls for it.

use std::sync::Mutex;

use hotcell_sandbox::{
    Call, CallContext, CallId, CallLimits, Digest, Host, LogLevel, LogStream, SecretDenied, WorkflowName,
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
