//! What holds for every workflow, in whatever order things happen. The ledger and the simulation check it with every
//! turn; see there.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use hotcell_definition::{ErrorKind, Problem};
use hotcell_expression::Data;
use hotcell_machine::{CloudEvent, Event, EventKind, InputKind, ListeningId, Position, Program, TimerId};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::cases::program_or_panic;
use crate::documents::workflow;
use crate::simulation::{Answer, Order, Reply, Simulation, Telling, World};

static WORKFLOWS: LazyLock<BTreeMap<String, Arc<Program>>> = LazyLock::new(|| {
    let fails = json!({"raise": {"error": {"type": "https://example.com/child", "status": 500}}});
    [
        ("quick", json!({"do": [{"a": {"set": {"child": "${ . }"}}}]})),
        ("slow", json!({"do": [{"a": {"wait": "PT1.2S"}}, {"b": {"call": "wasm", "with": {"component": "ok.wasm"}}}]})),
        ("fails", json!({"do": [{"a": {"wait": "PT0.1S"}}, {"b": fails}]})),
    ]
    .into_iter()
    .map(|(name, workflow)| (name.to_owned(), program_or_panic(name, &workflow)))
    .collect()
});

fn world(interferences: Vec<(i64, InputKind)>) -> World {
    let problem = |status| Reply::Problem(Problem::new(ErrorKind::Communication, "No", "no").with_status(status));
    let answers = |replies: &[(Reply, i64)]| -> Vec<Answer> {
        let tells = vec![Telling::Log("here".into()), Telling::Report(0.5), Telling::Report(f64::NAN)];
        replies
            .iter()
            .map(|(reply, milliseconds)| Answer {
                reply: reply.clone(),
                milliseconds: *milliseconds,
                tells: tells.clone(),
            })
            .collect()
    };
    let components = [
        ("ok.wasm", answers(&[(Reply::Output(json!({"n": 1})), 10)])),
        ("echo.wasm", answers(&[(Reply::Echo, 0)])),
        ("slow.wasm", answers(&[(Reply::Output(json!("slow")), 1_500)])),
        (
            "flaky.wasm",
            answers(&[(problem(503), 5), (Reply::Echo, 5), (problem(500), 5), (Reply::Output(json!(null)), 5)]),
        ),
        ("fails.wasm", answers(&[(problem(404), 20)])),
        ("hangs.wasm", answers(&[(Reply::Never, 0)])),
    ];
    let secrets = json!({"granted": "secret"});
    World {
        components: components.into_iter().map(|(name, answers)| (name.to_owned(), answers)).collect(),
        workflows: WORKFLOWS.clone(),
        secrets: secrets.as_object().expect("it is one").clone(),
        interferences,
        events: Vec::new(),
    }
}

fn event(kind: &str, n: u64) -> CloudEvent {
    let event = json!({
        "specversion": "1.0", "id": n.to_string(), "source": "/outside", "type": kind, "data": {"n": n}, "key": n % 2,
    });
    CloudEvent::new(Data::new(event).expect("it is small")).expect("it is an event")
}

/// What comes from outside, for whoever listens.
fn published() -> impl Strategy<Value = Vec<(i64, CloudEvent)>> {
    let kind = prop::sample::select(vec!["a", "b", "end"]);
    let event = (kind, 0u64..5).prop_map(|(kind, n)| event(kind, n));
    prop::collection::vec((prop_oneof![Just(0), 0i64..2_000], event), 0..8)
}

/// Things from outside, timers included that were never set. Every execution is resumed in the end, and cancelled long
/// after everything else, as calls may hang.
fn interferences() -> impl Strategy<Value = Vec<(i64, InputKind)>> {
    let kind = prop_oneof![
        2 => Just(InputKind::Suspend),
        4 => Just(InputKind::Resume),
        1 => Just(InputKind::Proceed),
        1 => Just(InputKind::Cancel { reason: None }),
        2 => (0u64..40).prop_map(|timer| InputKind::TimerFired { timer: TimerId(timer) }),
        // Nobody has asked for it.
        1 => (100u64..110).prop_map(|listening| InputKind::EventArrived {
            listening: ListeningId(listening), position: Position(1), oldest: Position(1), event: event("a", 1),
        }),
        1 => (100u64..110).prop_map(|listening| InputKind::EventsLost { listening: ListeningId(listening) }),
    ];
    prop::collection::vec((0i64..1_500, kind), 0..6).prop_map(|mut interferences| {
        interferences.push((6_000, InputKind::Resume));
        interferences.push((200_000_000, InputKind::Cancel { reason: Some("it hangs".into()) }));
        interferences
    })
}

fn input() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![json!(null), json!({"n": 1}), json!({"n": [1, 2], "delay": "PT0.3S"}), json!("text")])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, max_shrink_time: 60_000, ..ProptestConfig::default() })]

    #[test]
    fn every_execution_ends_with_balanced_books(
        workflow in workflow(),
        input in input(),
        interferences in interferences(),
        published in published(),
        seed in any::<u64>(),
    ) {
        let program = program_or_panic("random", &workflow);
        let world = World { events: published, ..world(interferences) };
        let ran = Simulation::new(&world, Order::Wild { seed }).with_patience(150).run(&program, input);
        prop_assert!(ran.outcome.is_some(), "it neither ends nor waits for anything");
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_time: 60_000, ..ProptestConfig::default() })]

    #[test]
    fn the_same_things_in_the_same_order_come_to_the_same(
        workflow in workflow(),
        interferences in interferences(),
        published in published(),
        seed in any::<u64>(),
    ) {
        let program = program_or_panic("random", &workflow);
        let world = World { events: published, ..world(interferences) };
        let run = || Simulation::new(&world, Order::Wild { seed }).with_patience(100).run(&program, json!({"n": 1}));
        let (one, other) = (run(), run());
        prop_assert_eq!(one.events, other.events);
        prop_assert_eq!(one.calls, other.calls);
        prop_assert_eq!(one.outcome, other.outcome);
    }
}

/// Random workflows prove nothing if they all end at their first task.
#[test]
fn random_workflows_get_everywhere() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..150 {
        let workflow = workflow().new_tree(&mut runner).unwrap().current();
        let events = published().new_tree(&mut runner).unwrap().current();
        let interferences = interferences().new_tree(&mut runner).unwrap().current();
        let world = World { events, ..world(interferences) };
        let program = program_or_panic("random", &workflow);
        let ran = Simulation::new(&world, Order::Wild { seed }).with_patience(100).run(&program, json!({"n": [1, 2]}));
        for event in &ran.events {
            *seen.entry(event.kind.name()).or_default() += 1;
        }
        let interrupted = usize::from(!ran.interrupted.is_empty());
        *seen.entry("interrupted calls").or_default() += interrupted;
        *seen.entry("proceeded").or_default() += ran.proceeded;
        *seen.entry("children").or_default() += ran.children.len();
        *seen.entry("published events").or_default() += ran.published.len();
        let consumed = |event: &&Event| matches!(&event.kind, EventKind::TaskProgress { data: Some(_), .. });
        *seen.entry("consumed events").or_default() += ran.events.iter().filter(consumed).count();
    }
    for (what, least) in [
        ("workflow_completed", 15),
        ("workflow_failed", 15),
        ("workflow_cancelled", 5),
        ("workflow_suspended", 5),
        ("workflow_resumed", 3),
        ("task_completed", 300),
        ("task_failed", 100),
        ("task_cancelled", 50),
        ("task_skipped", 10),
        ("task_retried", 10),
        ("task_log", 10),
        ("task_progress", 20),
        ("interrupted calls", 5),
        ("proceeded", 5),
        ("children", 10),
        ("published events", 20),
        ("consumed events", 20),
    ] {
        let count = seen.get(what).copied().unwrap_or_default();
        assert!(count >= least, "{what}: {count}, of all {seen:?}");
    }
}
