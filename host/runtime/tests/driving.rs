//! What the driver does with what a machine asks for.

mod house;

use std::sync::{Arc, Mutex};
use std::time::Instant;

use hotcell_definition::Definition;
use hotcell_expression::{Evaluation, Evaluator, ExpressionError, Needs, Violation};
use hotcell_machine::{EventKind, Outcome};
use hotcell_runtime::{Clock, End, EvaluatorPool, SystemClock, Workflow, WorkflowTimes};
use hotcell_sandbox::{CellEvaluator, EvaluatorLimits, Evaluators};
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
        let execution = house.start(&workflow);
        execution.cancel(Some("enough".into()));
        house.end(execution)
    });
    assert_eq!(end, End::Ran(Outcome::Cancelled));
    assert!(matches!(events.last().expect("events").kind, EventKind::WorkflowCancelled { .. }));
    assert!(began.elapsed().as_secs() < 60);
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
        place(|kind| matches!(kind, EventKind::WorkflowSuspended { .. }))
            < place(|kind| matches!(kind, EventKind::WorkflowResumed { .. }))
    );
}

/// An evaluator that notes what is asked of it.
struct Noting {
    evaluator: CellEvaluator,
    asked: Arc<Mutex<Vec<&'static str>>>,
}

impl Noting {
    fn note(&self, what: &'static str) {
        self.asked.lock().expect("no panic").push(what);
    }
}

impl Evaluator for Noting {
    fn prepare(&mut self, needs: Needs) -> Result<(), ExpressionError> {
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
    let evaluators = Evaluators::new().expect("evaluators");
    let run = |rest: &str| {
        let document = format!("document: {{ dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }}\n{rest}");
        let definition = Definition::parse(document.as_bytes()).expect("a valid document").definition;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (evaluators, noted) = (evaluators.clone(), Arc::clone(&asked));
        let pool = EvaluatorPool::new(move || {
            let evaluator = evaluators.evaluator(EvaluatorLimits::default());
            Box::new(Noting { evaluator, asked: Arc::clone(&noted) })
        });
        let now = SystemClock.now();
        let times = WorkflowTimes { parsing: now, parsed: now };
        let workflow = Workflow::new(Arc::new(definition), ".".as_ref(), pool, times).expect("nothing unsupported");
        let end = house.run(&Arc::new(workflow));
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
