//! What is drawn by chance, and what a machine says of itself.

use std::sync::Arc;

use hotcell_expression::Data;
use hotcell_machine::{Command, EventKind, ExecutionId, Input, InputKind, Machine, Outcome, Start};
use jiff::SignedDuration;
use serde_json::json;

use crate::cases::program_or_panic;
use crate::evaluator::NativeEvaluator;
use crate::simulation::{START, World, environment};

/// The delays of the first retries of an execution, in milliseconds.
fn delays(execution: &str, retries: usize) -> Vec<u64> {
    let workflow = json!({"do": [{"t": {
        "try": [{"x": {"raise": {"error": {"type": "https://example.com/no", "status": 500}}}}],
        "catch": {"retry": {"delay": "PT1S", "jitter": {"from": "PT0.2S", "to": "PT0.7S"}}},
    }}]});
    let program = program_or_panic("jitter", &workflow);
    let world = World::default();
    let start = Start { execution: ExecutionId::new(execution), input: Data::null(), time: START, first_sequence: 1 };
    let (mut machine, mut turn) = Machine::start(program, start, environment(&world, &mut NativeEvaluator));
    let mut delays = Vec::new();
    let mut time = START;
    while delays.len() < retries {
        delays.extend(turn.events.iter().filter_map(|event| match event.kind {
            EventKind::TaskRetried { delay, .. } => Some(delay),
            _ => None,
        }));
        let timer = turn.commands.iter().find_map(|command| match command {
            Command::SetTimer { timer, at } => Some((*timer, *at)),
            _ => None,
        });
        let (timer, at) = timer.expect("a retry waits for a timer");
        let told = i64::try_from(*delays.last().expect("it was retried")).unwrap();
        assert!((at.duration_since(time) - SignedDuration::from_millis(told)).abs() < SignedDuration::from_millis(1));
        time = at;
        let input = Input { time, kind: InputKind::TimerFired { timer } };
        turn = machine.apply(input, environment(&world, &mut NativeEvaluator));
    }
    delays
}

#[test]
fn jitter_is_added_to_the_delay_and_lies_between_its_bounds() {
    let delays = delays("e", 200);
    assert!(delays.iter().all(|delay| (1_200..1_700).contains(delay)), "{delays:?}");
}

#[test]
fn jitter_spreads_over_its_whole_range() {
    let mut tenths = [0; 10];
    for delay in delays("e", 400) {
        tenths[(delay as usize - 1_200) / 50] += 1;
    }
    assert!(tenths.iter().all(|count| *count >= 15), "{tenths:?}");
}

#[test]
fn jitter_is_the_same_for_the_same_execution_and_another_for_another() {
    assert_eq!(delays("one", 20), delays("one", 20));
    assert_ne!(delays("one", 20), delays("other", 20));
}

#[test]
fn the_deadline_of_a_call_is_that_of_the_nearest_timeout_around_it() {
    let workflow = json!({"timeout": {"after": "PT1M"}, "do": [{"outer": {
        "timeout": {"after": "PT10S"},
        "do": [{"inner": {"call": "wasm", "with": {"component": "c.wasm", "input": {}}, "timeout": {"after": "PT30S"}}}],
    }}]});
    let program = program_or_panic("deadline", &workflow);
    let start = Start { execution: ExecutionId::new("e"), input: Data::null(), time: START, first_sequence: 5 };
    let (machine, turn) = Machine::start(program, start, environment(&World::default(), &mut NativeEvaluator));
    let call = turn.commands.iter().find_map(|command| match command {
        Command::StartCall(call) => Some(call),
        _ => None,
    });
    let call = call.expect("the call is started at once");
    assert_eq!(call.deadline, Some(START + SignedDuration::from_secs(10)));
    assert_eq!(call.id.as_str(), "e/4", "after the workflow's timer, the task around it, and that one's timer");
    assert_eq!((call.task.id, call.task.parent), (4, Some(2)));
    assert_eq!(turn.events[0].sequence, 5, "the driver has used the first four numbers");
    assert_eq!(machine.outcome(), None);
}

#[test]
fn large_data_is_told_by_reference() {
    let workflow = json!({"do": [{"x": {"set": "${ \"x\" * 70000 }"}}]});
    let program = program_or_panic("large", &workflow);
    let start = Start { execution: ExecutionId::new("e"), input: Data::null(), time: START, first_sequence: 1 };
    let (machine, turn) =
        Machine::start(Arc::clone(&program), start, environment(&World::default(), &mut NativeEvaluator));
    let told: Vec<_> = turn.events.iter().map(|event| serde_json::to_value(event).unwrap()).collect();
    let updated = told.iter().find(|event| event["event"] == "state_updated").unwrap();
    assert_eq!(updated["data"], json!({"reference": format!("e/{}", updated["sequence"]), "bytes": 70_002}));
    assert!(matches!(machine.outcome(), Some(Outcome::Completed(_))));
}

#[test]
fn what_belongs_to_another_execution_is_ignored() {
    let workflow = json!({"do": [{"x": {"wait": "PT1S"}}]});
    let program = program_or_panic("other", &workflow);
    let start = Start { execution: ExecutionId::new("e"), input: Data::null(), time: START, first_sequence: 1 };
    let world = World::default();
    let (mut machine, _) = Machine::start(program, start, environment(&world, &mut NativeEvaluator));
    let before = machine.state().clone();
    for call in ["other/1", "e", "e/", "e/x", "e/99", "e/1", "e/18446744073709551616", ""] {
        let call = serde_json::from_value(json!(call)).unwrap();
        let input = Input { time: START, kind: InputKind::CallEnded { call, result: Ok(Data::null()) } };
        let turn = machine.apply(input, environment(&world, &mut NativeEvaluator));
        assert_eq!(turn, hotcell_machine::Turn::default());
        assert_eq!(machine.state(), &before);
    }
}

#[test]
fn a_driver_is_asked_once_to_proceed_however_much_happens_in_between() {
    let workflow = json!({"do": [{"spin": {"set": "${ . }", "then": "spin"}}]});
    let program = program_or_panic("spin", &workflow);
    let start = Start { execution: ExecutionId::new("e"), input: Data::null(), time: START, first_sequence: 1 };
    let world = World::default();
    let (mut machine, turn) = Machine::start(program, start, environment(&world, &mut NativeEvaluator));
    assert_eq!(turn.commands, [Command::Proceed]);
    let mut feed = |kind| machine.apply(Input { time: START, kind }, environment(&world, &mut NativeEvaluator));
    for _ in 0..3 {
        let between = feed(InputKind::TimerFired { timer: serde_json::from_value(json!(99)).unwrap() });
        assert_eq!(between.commands, [], "the driver will proceed anyway");
    }
    assert_eq!(feed(InputKind::Proceed).commands, [Command::Proceed]);
    let cancelled = feed(InputKind::Cancel { reason: None });
    assert_eq!(cancelled.commands, [Command::Finish { outcome: Outcome::Cancelled }]);
}
