//! Which lifecycle events come of which progress events.

use std::collections::BTreeSet;
use std::sync::Arc;

use hotcell_definition::{ErrorKind, Problem, TaskReference};
use hotcell_machine::{Event, EventKind, EventTask, ExecutionId, Payload, WorkflowIdentity};
use hotcell_progress::{Definitions, Lifecycle, LifecycleEvent};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Everything that the specification requires.
const REQUIRED: [&str; 16] = [
    "workflow.started",
    "workflow.suspended",
    "workflow.resumed",
    "workflow.correlation-started",
    "workflow.correlation-completed",
    "workflow.cancelled",
    "workflow.faulted",
    "workflow.completed",
    "task.created",
    "task.started",
    "task.suspended",
    "task.resumed",
    "task.retried",
    "task.cancelled",
    "task.faulted",
    "task.completed",
];

fn identity() -> WorkflowIdentity {
    WorkflowIdentity { namespace: "samples".into(), name: "order-pet".into(), version: "1.0.0".into() }
}

fn document() -> Value {
    json!({ "do": [
        { "choose": { "listen": { "to": { "one": { "with": { "type": "a" } } } } } },
        { "rest": { "wait": "PT1S" } },
        { "pay": { "try": [{ "charge": { "call": "http" } }], "catch": {} } },
    ] })
}

/// The progress events of one execution.
struct Story {
    id: ExecutionId,
    events: Vec<Event>,
}

impl Story {
    fn new(id: &str) -> Self {
        let mut story = Story { id: ExecutionId::new(id), events: Vec::new() };
        story.tell(EventKind::WorkflowStarted { workflow: identity() }, None);
        story.tell(EventKind::WorkflowExecuting, None);
        story
    }

    fn tell(&mut self, kind: EventKind, task: Option<EventTask>) {
        let sequence = self.events.len() as u64 + 1;
        let time = Timestamp::new(1_750_000_000 + sequence as i64, 250_000_000).expect("in range");
        self.events.push(Event { sequence, kind, time, execution: self.id.clone(), task });
    }

    fn task(&mut self, kinds: impl IntoIterator<Item = EventKind>, reference: &TaskReference, id: u64) {
        let name = reference.as_str().rsplit('/').next().unwrap_or_default().into();
        let reference = Arc::new(reference.clone());
        let task = EventTask { name, reference, attempt: 1, id, parent: None, iteration: None };
        for kind in kinds {
            self.tell(kind, Some(task.clone()));
        }
    }

    fn lifecycle(&self, lifecycle: Lifecycle) -> Vec<LifecycleEvent> {
        let mut lifecycle = lifecycle;
        self.events.iter().flat_map(|event| lifecycle.apply(event)).collect()
    }
}

fn lifecycle() -> Lifecycle {
    Lifecycle::new(Definitions::from([(identity(), Arc::new(document()))]))
}

fn reference(index: usize, name: &str) -> TaskReference {
    TaskReference::root().join("do").index(index).join(name)
}

fn problem() -> Problem {
    Problem::new(ErrorKind::Communication, "Service Not Available", "try again later").with_status(503)
}

fn data() -> Payload {
    Payload::Value { value: Arc::new(json!({ "pet": 1 })) }
}

use EventKind::{TaskCancelled, TaskCompleted, TaskCreated, TaskSkipped, TaskStarted};

/// An execution that listens, waits, is suspended and resumed, skips, retries, and comes to its end.
fn whole() -> Story {
    let mut story = Story::new("e1");
    let (listen, wait, pay) = (reference(0, "choose"), reference(1, "rest"), reference(2, "pay"));
    let charge = pay.join("try").index(0).join("charge");
    story.task([TaskCreated, TaskStarted, TaskCompleted, EventKind::StateUpdated { data: data() }], &listen, 2);
    story.task([TaskCreated, TaskStarted], &wait, 3);
    story.tell(EventKind::WorkflowSuspended, None);
    story.tell(EventKind::WorkflowResumed, None);
    story.task([TaskCompleted], &wait, 3);
    story.task([TaskCreated, TaskStarted], &pay, 4);
    story.task([TaskCreated, TaskStarted, EventKind::TaskFailed { error: problem() }], &charge, 5);
    story.task([EventKind::TaskRetried { error: problem(), delay: 500 }], &pay, 4);
    story.task([TaskCreated, TaskSkipped], &charge, 6);
    story.task([TaskCompleted], &pay, 4);
    story.tell(EventKind::WorkflowCompleted { output: data() }, None);
    story
}

fn faulted() -> Story {
    let mut story = Story::new("e2");
    story.tell(EventKind::WorkflowFailed { error: problem() }, None);
    story
}

fn cancelled() -> Story {
    let mut story = Story::new("e3");
    story.task([TaskCreated, TaskStarted, TaskCancelled], &reference(1, "rest"), 2);
    story.tell(EventKind::WorkflowCancelled { reason: Some("interrupted".into()) }, None);
    story
}

fn kinds(events: &[LifecycleEvent]) -> Vec<String> {
    let short = |event: &LifecycleEvent| {
        let kind = event.kind.strip_prefix("io.serverlessworkflow.").and_then(|kind| kind.strip_suffix(".v1"));
        kind.expect("a type of the specification").to_owned()
    };
    events.iter().map(short).collect()
}

#[test]
fn every_event_that_the_specification_requires_has_its_shape() {
    let events: Vec<LifecycleEvent> =
        [whole(), faulted(), cancelled()].iter().flat_map(|story| story.lifecycle(lifecycle())).collect();

    let seen: BTreeSet<String> = kinds(&events).into_iter().collect();
    assert_eq!(seen, REQUIRED.iter().map(|kind| (*kind).to_owned()).collect());
    insta::assert_json_snapshot!(events);
}

#[test]
fn each_change_of_a_status_phase_is_told_on_request() {
    let events = whole().lifecycle(lifecycle().with_status_changes(true));

    let changes: Vec<String> = events
        .iter()
        .filter(|event| event.kind.ends_with(".status-changed.v1"))
        .map(|event| {
            let whose = event.data["task"].as_str().or(event.data["name"].as_str()).expect("a name");
            format!("{} {whose} {}", event.id, event.data["status"].as_str().expect("a status"))
        })
        .collect();
    insta::assert_json_snapshot!(changes);
}

#[test]
fn the_same_event_has_the_same_id_and_no_two_events_share_one() {
    let once = whole().lifecycle(lifecycle().with_status_changes(true));
    let again = whole().lifecycle(lifecycle().with_status_changes(true));

    assert_eq!(once, again);
    let ids: BTreeSet<&str> = once.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids.len(), once.len());
}

#[test]
fn without_the_document_only_what_it_tells_is_missing() {
    let events = whole().lifecycle(Lifecycle::new(Definitions::new()));

    assert!(!kinds(&events).iter().any(|kind| kind.contains("correlation")));
    assert_eq!(events.len(), whole().lifecycle(lifecycle()).len() - 2);
}

#[test]
fn a_problem_of_megabytes_fits_into_an_event() {
    let mut story = Story::new("e4");
    let mut error = problem();
    error.detail = Some("ü".repeat(1 << 20));
    error.kind = "x".repeat(1 << 20);
    error.extensions.insert("more".into(), "y".repeat(1 << 20).into());
    story.tell(EventKind::WorkflowFailed { error }, None);

    let events = story.lifecycle(lifecycle());

    let last = events.last().expect("events");
    let bytes = serde_json::to_vec(last).expect("JSON").len();
    assert!(bytes < 64 << 10, "{bytes}");
    assert_eq!(last.data["error"]["status"], 503);
}

#[test]
fn an_execution_whose_beginning_was_not_heard_is_told_of_by_its_id() {
    let mut story = whole();
    story.events.remove(0);

    let events = story.lifecycle(lifecycle());

    assert_eq!(events[0].data["workflow"], "e1");
}

#[test]
fn the_correlation_keys_that_a_listen_resolved_are_told_when_it_completes() {
    let mut story = Story::new("e1");
    story.tell(EventKind::WorkflowStarted { workflow: identity() }, None);
    let consumed = |keys: Value| EventKind::TaskProgress {
        fraction: None,
        message: None,
        data: Some(json!({ "type": "a", "correlationKeys": keys })),
    };
    let kinds = [
        EventKind::TaskCreated,
        EventKind::TaskStarted,
        consumed(json!({ "petId": "p1" })),
        consumed(json!({ "petId": "p1", "orderId": 7 })),
        EventKind::TaskCompleted,
    ];
    story.task(kinds, &reference(0, "choose"), 1);
    let events = story.lifecycle(lifecycle());
    let completed = events.iter().find(|event| event.kind.contains("correlation-completed")).expect("it is told");
    assert_eq!(completed.data["correlationKeys"], json!({ "petId": "p1", "orderId": 7 }));
}
