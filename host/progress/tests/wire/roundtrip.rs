use std::sync::Arc;

use hotcell_definition::{Problem, TaskReference};
use hotcell_machine::{Event, EventKind, EventTask, ExecutionId, LogLevel, LogStream, Payload, WorkflowIdentity};
use hotcell_progress::{decode, encode, proto};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use prost::Message;
use serde_json::{Map, Number, Value, json};

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::Number)),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::Array),
            vec((any::<String>(), inner), 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn problem() -> impl Strategy<Value = Problem> {
    let text = || option::of(any::<String>());
    let members = vec((any::<String>(), value()), 0..4).prop_map(|members| members.into_iter().collect::<Map<_, _>>());
    (any::<String>(), any::<u16>(), text(), text(), text(), members).prop_map(
        |(kind, status, title, detail, instance, extensions)| Problem {
            kind,
            status,
            title,
            detail,
            instance,
            extensions,
        },
    )
}

fn payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        value().prop_map(|value| Payload::Value { value: Arc::new(value) }),
        (any::<String>(), any::<u64>()).prop_map(|(reference, bytes)| Payload::Reference { reference, bytes }),
    ]
}

fn log() -> impl Strategy<Value = EventKind> {
    use LogLevel::{Debug, Error, Info, Trace, Warn};
    let level = prop::sample::select(vec![Trace, Debug, Info, Warn, Error]);
    let stream = prop::sample::select(vec![LogStream::Log, LogStream::Stdout, LogStream::Stderr, LogStream::Host]);
    (level, stream, any::<String>()).prop_map(|(level, stream, message)| EventKind::TaskLog { level, stream, message })
}

fn progress() -> impl Strategy<Value = EventKind> {
    (option::of(0.0..=1.0), option::of(any::<String>()), option::of(value()))
        .prop_map(|(fraction, message, data)| EventKind::TaskProgress { fraction, message, data })
}

fn kind() -> impl Strategy<Value = EventKind> {
    let identity = (any::<String>(), any::<String>(), any::<String>()).prop_map(|(namespace, name, version)| {
        EventKind::WorkflowStarted { workflow: WorkflowIdentity { namespace, name, version } }
    });
    prop_oneof![
        identity,
        Just(EventKind::WorkflowParsing),
        Just(EventKind::WorkflowParsed),
        Just(EventKind::WorkflowBuilding),
        Just(EventKind::WorkflowExecuting),
        payload().prop_map(|output| EventKind::WorkflowCompleted { output }),
        problem().prop_map(|error| EventKind::WorkflowFailed { error }),
        option::of(any::<String>()).prop_map(|reason| EventKind::WorkflowCancelled { reason }),
        Just(EventKind::WorkflowSuspended),
        Just(EventKind::WorkflowResumed),
        Just(EventKind::TaskCreated),
        Just(EventKind::TaskStarted),
        progress(),
        log(),
        (problem(), any::<u64>()).prop_map(|(error, delay)| EventKind::TaskRetried { error, delay }),
        Just(EventKind::TaskCompleted),
        problem().prop_map(|error| EventKind::TaskFailed { error }),
        Just(EventKind::TaskCancelled),
        Just(EventKind::TaskSkipped),
        payload().prop_map(|data| EventKind::StateUpdated { data }),
    ]
}

fn task() -> impl Strategy<Value = EventTask> {
    let reference = vec(any::<String>(), 0..4)
        .prop_map(|segments| segments.iter().fold(TaskReference::root(), |reference, segment| reference.join(segment)));
    let number = || option::of(any::<u64>());
    (any::<String>(), reference, 1..=u32::MAX, any::<u64>(), number(), number()).prop_map(
        |(name, reference, attempt, id, parent, iteration)| EventTask {
            name: Arc::from(name),
            reference: Arc::new(reference),
            attempt,
            id,
            parent,
            iteration,
        },
    )
}

prop_compose! {
    fn event()(
        sequence in 1..=i64::MAX as u64,
        kind in kind(),
        seconds in Timestamp::MIN.as_second() + 1..Timestamp::MAX.as_second(),
        nanoseconds in 0..1_000_000_000,
        execution in "[^\\p{C}]{1,40}",
        task in task(),
    ) -> Event {
        let task = (!kind.name().starts_with("workflow_")).then_some(task);
        let time = Timestamp::new(seconds, nanoseconds).expect("in range");
        Event { sequence, kind, time, execution: ExecutionId::new(execution), task }
    }
}

proptest! {
    #[test]
    fn an_event_is_the_same_after_the_wire(event in event()) {
        let bytes = encode(&event).encode_to_vec();

        let received = decode(proto::Event::decode(bytes.as_slice()).expect("it was just encoded"));

        prop_assert_eq!(received, Ok(event));
    }

    #[test]
    fn bytes_of_anyone_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        if let Ok(event) = proto::Event::decode(bytes.as_slice()) {
            let _ = decode(event);
        }
    }
}

#[test]
fn data_that_is_nested_too_deeply_for_readers_is_replaced_by_a_reference() {
    let deep = (0..500).fold(json!(1), |inner, _| json!([inner]));
    let event = |kind| Event {
        sequence: 7,
        kind,
        time: Timestamp::UNIX_EPOCH,
        execution: ExecutionId::new("e"),
        task: Some(EventTask {
            name: Arc::from("t"),
            reference: Arc::new(TaskReference::root().join("t")),
            attempt: 1,
            id: 1,
            parent: None,
            iteration: None,
        }),
    };

    let state = event(EventKind::StateUpdated { data: Payload::Value { value: Arc::new(deep.clone()) } });
    let received = decode(encode(&state)).expect("it can be read");
    let expected = Payload::Reference { reference: "e/7".to_owned(), bytes: 0 };
    assert_eq!(received.kind, EventKind::StateUpdated { data: expected });

    let progress = event(EventKind::TaskProgress { fraction: Some(f64::NAN), message: None, data: Some(deep) });
    let received = decode(encode(&progress)).expect("it can be read");
    let EventKind::TaskProgress { fraction: None, data: Some(Value::String(_)), .. } = received.kind else {
        panic!("{received:?}");
    };
}
