//! Asks hotcell, through the imports of the contract.

use std::time::Duration;

use crate::bindings::hotcell::task::context as imports;
use crate::bindings::hotcell::task::types;
use crate::{Context, Level, Problem, Report, Workflow};

pub(crate) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Trace => imports::Level::Trace,
        Level::Debug => imports::Level::Debug,
        Level::Info => imports::Level::Info,
        Level::Warn => imports::Level::Warn,
        Level::Error => imports::Level::Error,
    };
    imports::log(level, message);
}

pub(crate) fn report(report: Report) {
    imports::report(report.fraction, report.message.as_deref(), report.data.as_deref());
}

pub(crate) fn context() -> Context {
    let call = imports::current();
    Context {
        task: call.task,
        reference: call.reference,
        workflow: Workflow::new(call.workflow.namespace, call.workflow.name, call.workflow.version),
        execution: call.execution,
        attempt: call.attempt,
        idempotency_key: call.idempotency_key,
        deadline: Duration::from_millis(call.deadline),
    }
}

pub(crate) fn secret(name: &str) -> Result<String, Problem> {
    imports::secret(name).map_err(Problem::from_contract)
}

impl Problem {
    /// What hotcell tells a task.
    fn from_contract(problem: types::Problem) -> Self {
        let extensions = problem.extensions.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        Self { kind: problem.kind, status: problem.status, title: problem.title, detail: problem.detail, extensions }
    }

    /// What a task tells hotcell.
    pub(crate) fn into_contract(self) -> types::Problem {
        let extensions = match self.extensions.is_empty() {
            true => None,
            // Values in memory are always JSON: their keys are strings.
            false => serde_json::to_string(&self.extensions).ok(),
        };
        types::Problem { kind: self.kind, status: self.status, title: self.title, detail: self.detail, extensions }
    }
}
