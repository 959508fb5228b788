//! Events as an execution makes them.

use std::sync::Arc;

use hotcell_definition::TaskReference;
use hotcell_machine::{Event, EventKind, EventTask, ExecutionId, Payload, WorkflowIdentity};
use jiff::Timestamp;
use serde_json::json;

/// The events of an execution that performs so many tasks: four for each, one at the beginning and one at the end.
pub(crate) fn execution(id: &str, tasks: u64) -> Vec<Event> {
    let id = ExecutionId::new(id);
    let reference = Arc::new(TaskReference::root().join("do").index(0).join("each").join("do").index(0).join("work"));
    let name: Arc<str> = Arc::from("work");
    let mut events = Vec::new();
    let mut push = |kind, task| {
        let sequence = events.len() as u64 + 1;
        let time = Timestamp::new(1_750_000_000 + sequence as i64, 5_000_000).expect("in range");
        events.push(Event { sequence, kind, time, execution: id.clone(), task });
    };
    let workflow = WorkflowIdentity { namespace: "tests".into(), name: "many".into(), version: "1.0.0".into() };
    push(EventKind::WorkflowStarted { workflow }, None);
    for index in 0..tasks {
        let task = EventTask {
            name: name.clone(),
            reference: reference.clone(),
            attempt: 1,
            id: index + 2,
            parent: Some(1),
            iteration: Some(index),
        };
        let data = Payload::Value { value: Arc::new(json!({ "order": index, "price": 12.5, "tags": ["a", "b"] })) };
        push(EventKind::TaskCreated, Some(task.clone()));
        push(EventKind::TaskStarted, Some(task.clone()));
        push(EventKind::TaskCompleted, Some(task.clone()));
        push(EventKind::StateUpdated { data }, Some(task));
    }
    push(EventKind::WorkflowCompleted { output: Payload::Value { value: Arc::new(json!(tasks)) } }, None);
    events
}
