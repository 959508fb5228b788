//! What the driver does with what a machine asks for.

mod house;

use std::sync::{Arc, Mutex, mpsc};
use std::time::Instant;

use hotcell_expression::{Evaluation, Evaluator, ExpressionError, Needs, Violation};
use hotcell_machine::{EventKind, Outcome};
use hotcell_runtime::{End, EvaluatorPool};
use hotcell_sandbox::{CellEvaluator, EvaluatorLimits};
use house::House;
use serde_json::{Value, json};

fn output(end: &End) -> &Value {
    let End::Ran(Outcome::Completed(output)) = end else { panic!("it did not complete: {end:?}") };
    output.value()
}

#[test]
fn a_component_that_several_tasks_name_is_found_once_and_called_for_each() {
    let house = House::new();
    let call = "call: wasm, with: { component: hello/components/greet.wasm, input: { name: '${ .name }' } }";
    let workflow = house.workflow(&format!(
        "do: [{{ both: {{ fork: {{ branches: [{{ a: {{ {call} }} }}, {{ b: {{ {call} }} }}] }} }} }}]"
    ));
    let end = house.end(house.start_on(&workflow, json!({"name": "Ada"})));
    assert_eq!(output(&end), &json!([{"greeting": "Hello Ada!"}, {"greeting": "Hello Ada!"}]));
}

#[test]
fn of_several_components_that_are_missing_the_first_in_the_document_is_told() {
    let house = House::new();
    let workflow = house.workflow(
        "do: [{ a: { call: wasm, with: { component: hello/components/greet.wasm } } },
              { b: { call: wasm, with: { component: no/b.wasm } } },
              { c: { call: wasm, with: { component: no/c.wasm } } }]",
    );
    let (end, events) = house.events_of(|| house.run(&workflow));
    let End::Refused(problem) = end else { panic!("it ran: {end:?}") };
    assert_eq!(problem.instance.as_deref(), Some("/do/1/b"));
    assert!(problem.detail.is_some_and(|detail| detail.contains("no/b.wasm")));
    let numbers: Vec<u64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
}

#[test]
fn an_execution_that_is_cancelled_while_it_waits_ends_at_once_and_says_so() {
    let house = House::new();
    let workflow = house.workflow("do: [{ a: { wait: PT1H } }]");
    let began = Instant::now();
    let (end, events) = house.events_of(|| {
        let mut told = house.events.subscribe();
        let execution = house.start(&workflow);
        house.wait_for(&mut told, |kind| matches!(kind, EventKind::TaskStarted));
        execution.cancel(Some("enough".into()));
        house.end(execution)
    });
    assert_eq!(end, End::Ran(Outcome::Cancelled));
    assert!(matches!(events.last().expect("events").kind, EventKind::WorkflowCancelled { .. }));
    assert!(began.elapsed().as_secs() < 60);
}

#[test]
fn an_execution_that_is_cancelled_while_it_is_built_runs_nothing() {
    let house = House::new();
    let (ready, waits) = mpsc::channel::<()>();
    let waits = Mutex::new(Some(waits));
    let evaluators = Arc::clone(&house.evaluators);
    let pool = EvaluatorPool::new(move || {
        let evaluator = evaluators.evaluator(EvaluatorLimits::default());
        Box::new(Noting { evaluator, asked: Arc::default(), waits: waits.lock().expect("no panic").take() })
    });
    let workflow = house.workflow_with(pool, "do: [{ a: { set: { n: '${ 1 + 1 }' } } }]");
    let (end, events) = house.events_of(|| {
        let execution = house.start(&workflow);
        execution.cancel(Some("enough".into()));
        house.end(execution)
    });
    assert_eq!(end, End::Ran(Outcome::Cancelled));
    let last = events.last().expect("events");
    assert_eq!(last.kind, EventKind::WorkflowCancelled { reason: Some("enough".into()) });
    assert_eq!((events.len(), last.sequence), (5, 5));
    // Only now could it have been built.
    drop(ready);
}

#[test]
fn an_execution_that_is_suspended_goes_on_when_it_is_resumed() {
    let house = House::new();
    let workflow = house.workflow("do: [{ a: { wait: { milliseconds: 1 } } }, { b: { set: { n: 1 } } }]");
    let (end, events) = house.events_of(|| {
        let execution = house.start(&workflow);
        execution.suspend();
        execution.resume();
        house.end(execution)
    });
    assert_eq!(output(&end), &json!({"n": 1}));
    let place = |kind: fn(&EventKind) -> bool| events.iter().position(|event| kind(&event.kind)).expect("it is told");
    assert!(
        place(|kind| matches!(kind, EventKind::WorkflowSuspended))
            < place(|kind| matches!(kind, EventKind::WorkflowResumed))
    );
}

/// An evaluator that notes what is asked of it.
struct Noting {
    evaluator: CellEvaluator,
    asked: Arc<Mutex<Vec<&'static str>>>,
    /// It is ready when the other end is gone.
    waits: Option<mpsc::Receiver<()>>,
}

impl Noting {
    fn note(&self, what: &'static str) {
        self.asked.lock().expect("no panic").push(what);
    }
}

impl Evaluator for Noting {
    fn prepare(&mut self, needs: Needs) -> Result<(), ExpressionError> {
        if let Some(waits) = &self.waits {
            let _ = waits.recv();
        }
        self.note(if needs.schemas { "prepare jq and schemas" } else { "prepare jq" });
        self.evaluator.prepare(needs)
    }

    fn evaluate(&mut self, evaluation: Evaluation<'_>) -> Result<Value, ExpressionError> {
        self.note("evaluate");
        self.evaluator.evaluate(evaluation)
    }

    fn check(&mut self, program: &str, variables: &[&str]) -> Result<(), ExpressionError> {
        self.evaluator.check(program, variables)
    }

    fn validate(&mut self, schema: &str, data: &Value) -> Result<Vec<Violation>, ExpressionError> {
        self.note("validate");
        self.evaluator.validate(schema, data)
    }
}

#[test]
fn what_expressions_and_schemas_need_is_made_ready_before_the_first_task() {
    let house = House::new();
    let evaluators = Arc::clone(&house.evaluators);
    let run = |rest: &str| {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (evaluators, noted) = (Arc::clone(&evaluators), Arc::clone(&asked));
        let pool = EvaluatorPool::new(move || {
            let evaluator = evaluators.evaluator(EvaluatorLimits::default());
            Box::new(Noting { evaluator, asked: Arc::clone(&noted), waits: None })
        });
        let end = house.run(&house.workflow_with(pool, rest));
        let asked = asked.lock().expect("no panic").clone();
        (output(&end).clone(), asked)
    };

    assert_eq!(run("do: [{ a: { set: { n: '${ .n }' } } }]"), (json!({"n": null}), vec![]));
    assert_eq!(run("do: [{ a: { set: '${ 1 + 1 }' } }]"), (json!(2), vec!["prepare jq", "evaluate"]));
    let schema = "input: { schema: { document: { type: object } } }";
    assert_eq!(
        run(&format!("{schema}\ndo: [{{ a: {{ set: '${{ 1 + 1 }}' }} }}]")),
        (json!(2), vec!["prepare jq and schemas", "validate", "evaluate"])
    );
}
