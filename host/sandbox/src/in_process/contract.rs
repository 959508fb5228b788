//! The host's side of `wit/task.wit`.

use std::time::Instant;

use hotcell_definition::{ErrorKind, Problem};
use jiff::{SignedDuration, Timestamp};
use wasmtime::Result;

use super::cell::Cell;
use super::logs::sanitised;
use super::outcome::Ended;
use super::{json, outcome};
use crate::{CallError, LogLevel, PayloadKind, PayloadUnit};

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "task",
        imports: { "hotcell:task/context.secret": async | trappable, default: trappable },
        exports: { default: async },
    });
}

pub(super) use bindings::Task;
pub(super) use bindings::hotcell::task::types::Problem as GuestProblem;

use bindings::hotcell::task::{context, types};

/// The interface that makes a component a task.
pub(super) const HANDLER: &str = "hotcell:task/handler@1.0.0";
/// Its function.
pub(super) const RUN: &str = "run";
/// What its function takes and gives.
pub(super) type RunParameters<'a> = (&'a str,);
pub(super) type RunResult = (Result<String, GuestProblem>,);

impl types::Host for Cell {}

impl context::Host for Cell {
    fn current(&mut self) -> Result<context::Call> {
        let call = &self.call;
        let workflow = &call.context.workflow;
        let left = self.meter.deadline().saturating_duration_since(Instant::now());
        let deadline = SignedDuration::try_from(left)
            .ok()
            .and_then(|left| Timestamp::now().checked_add(left).ok())
            .unwrap_or(Timestamp::MAX);
        Ok(context::Call {
            task: call.context.task.as_ref().into(),
            reference: call.context.reference.as_ref().into(),
            workflow: context::Workflow {
                namespace: workflow.namespace.clone(),
                name: workflow.name.clone(),
                version: workflow.version.clone(),
            },
            execution: call.context.execution.as_ref().into(),
            attempt: call.context.attempt,
            idempotency_key: call.id.as_str().into(),
            deadline: deadline.as_millisecond().try_into().unwrap_or(0),
        })
    }

    fn log(&mut self, level: context::Level, message: String) -> Result<()> {
        let level = match level {
            context::Level::Trace => LogLevel::Trace,
            context::Level::Debug => LogLevel::Debug,
            context::Level::Info => LogLevel::Info,
            context::Level::Warn => LogLevel::Warn,
            context::Level::Error => LogLevel::Error,
        };
        self.logs.message(level, &message);
        Ok(())
    }

    fn report(&mut self, fraction: Option<f64>, message: Option<String>, data: Option<String>) -> Result<()> {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        if !self.reports.admits(length(&message) + length(&data), Instant::now()) {
            return Ok(());
        }
        let data = match data {
            Some(text) => Some(json::read(PayloadKind::Report, &text, self.call.limits.payload_values).map_err(Ended)?),
            None => None,
        };
        // Not a number says nothing; JSON could not represent it either.
        let fraction = fraction.filter(|fraction| !fraction.is_nan()).map(|fraction| fraction.clamp(0.0, 1.0));
        self.host.report(fraction, message.map(|message| sanitised(&message)), data);
        Ok(())
    }

    async fn secret(&mut self, name: String) -> Result<Result<String, GuestProblem>> {
        Ok(self.host.fetch_secret(&name).await.map_err(|_| {
            let detail = format!(
                "The task asked for the secret {:?}, which it was not granted or which does not exist.",
                outcome::excerpt(&name)
            );
            to_guest(Problem::new(ErrorKind::Authorization, "Secret not granted", detail))
        }))
    }
}

/// A problem for the guest.
fn to_guest(problem: Problem) -> GuestProblem {
    GuestProblem {
        kind: Some(problem.kind),
        status: Some(problem.status),
        title: problem.title,
        detail: problem.detail,
        extensions: None,
    }
}

/// A problem from the guest, with what it left out filled in. The second value is a remark for the log, about what
/// could not be kept.
pub(super) fn from_guest(problem: GuestProblem, max_values: usize) -> (Problem, Option<String>) {
    let mut remark = None;
    let extensions = match problem.extensions.map(|text| json::read(PayloadKind::Output, &text, max_values)) {
        None => serde_json::Map::new(),
        Some(Ok(serde_json::Value::Object(mut members))) => {
            // They are given as members of the record; a second time they would contradict it.
            for reserved in ["type", "status", "title", "detail", "instance"] {
                members.shift_remove(reserved);
            }
            members
        }
        Some(Ok(_)) => {
            remark = Some("the extensions of the task's problem were dropped: they are not a JSON object".into());
            serde_json::Map::new()
        }
        Some(Err(error)) => {
            let reason = match error {
                CallError::InvalidJson { reason, .. } => format!("they are not valid JSON: {reason}"),
                CallError::PayloadLimit { limit, unit: PayloadUnit::Values, .. } => {
                    format!("they have more than {limit} values")
                }
                other => other.to_string(),
            };
            remark = Some(format!("the extensions of the task's problem were dropped: {reason}"));
            serde_json::Map::new()
        }
    };
    let problem = Problem {
        kind: problem.kind.filter(|kind| !kind.is_empty()).unwrap_or_else(|| ErrorKind::Runtime.uri()),
        status: problem.status.unwrap_or(ErrorKind::Runtime.status()),
        title: problem.title,
        detail: problem.detail,
        instance: None,
        extensions,
    };
    (problem, remark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(extensions: Option<&str>) -> GuestProblem {
        GuestProblem {
            kind: None,
            status: None,
            title: Some("Bad order".into()),
            detail: None,
            extensions: extensions.map(Into::into),
        }
    }

    #[test]
    fn what_a_guests_problem_leaves_out_is_filled_in() {
        let (problem, remark) = from_guest(problem(None), 10);
        assert!(problem.is(ErrorKind::Runtime));
        assert_eq!((problem.status, problem.title.as_deref(), remark), (500, Some("Bad order"), None));
    }

    #[test]
    fn extensions_are_kept_but_cannot_contradict_the_problem_itself() {
        let (problem, remark) = from_guest(problem(Some(r#"{"order":17,"status":200,"type":"x","instance":"/"}"#)), 10);
        assert_eq!(problem.to_value()["order"], 17);
        assert_eq!((problem.status, problem.extensions.len(), remark), (500, 1, None));
    }

    #[test]
    fn extensions_that_are_no_object_are_dropped_with_a_remark() {
        for text in ["[]", "17", "{", "", r#"{"a":[1,2,3,4,5,6,7,8,9,10]}"#] {
            let (problem, remark) = from_guest(problem(Some(text)), 10);
            assert!(problem.extensions.is_empty());
            assert!(remark.unwrap().contains("were dropped"), "{text}");
        }
    }
}
