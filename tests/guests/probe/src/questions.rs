//! What a task may do: ask, tell and fail.

use hotcell::{Problem, Report, Value, json, kind};

pub(crate) fn context() -> Value {
    let call = hotcell::context();
    let workflow = call.workflow;
    json!({
        "task": call.task,
        "reference": call.reference,
        "workflow": { "namespace": workflow.namespace, "name": workflow.name, "version": workflow.version },
        "execution": call.execution,
        "attempt": call.attempt,
        "idempotencyKey": call.idempotency_key,
        "deadline": u64::try_from(call.deadline.as_millis()).unwrap_or(u64::MAX),
    })
}

pub(crate) fn report(steps: u32) {
    for step in 1..=steps {
        let report = Report::new().fraction(f64::from(step) / f64::from(steps)).message(format_args!("step {step}"));
        if step == steps { report.data(&json!({ "step": step })).send() } else { report.send() }
    }
}

/// The members of `with` become members of the problem.
pub(crate) fn problem(
    kind: Option<String>,
    status: Option<u16>,
    title: Option<String>,
    detail: Option<String>,
    with: Option<Value>,
) -> Problem {
    let mut problem = Problem::default();
    problem.kind = kind;
    problem.status = status;
    problem.title = title;
    problem.detail = detail;
    if let Some(Value::Object(members)) = with {
        problem.extensions.extend(members);
    }
    problem
}

pub(crate) fn flaky(until: u32) -> Result<Value, Problem> {
    let attempt = hotcell::context().attempt;
    if attempt < until {
        return Err(Problem::new(format!("attempt {attempt} fails")).kind(kind::COMMUNICATION).status(503));
    }
    Ok(attempt.into())
}
