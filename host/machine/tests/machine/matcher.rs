//! Strategies outside of an execution, as what starts workflows uses them.

use hotcell_definition::{Definition, EventStrategy, ReadAs, TaskKind};
use hotcell_expression::{Data, Mode, NoBindings};
use hotcell_machine::{CloudEvent, EventMatcher, Heard, Interest};
use serde_json::{Value, json};

use crate::evaluator::NativeEvaluator;
use crate::simulation::START;

/// The strategy of a `listen`.
fn strategy(to: Value) -> EventStrategy {
    let document = json!({"dsl": "1.0.3", "namespace": "test", "name": "listens", "version": "0.1.0"});
    let workflow = json!({"document": document, "do": [{"hear": {"listen": {"to": to}}}]});
    let parsed = Definition::parse(workflow.to_string().as_bytes()).expect("it is valid");
    match &parsed.definition.tasks.0[0].task.kind {
        TaskKind::Listen(listen) => listen.to.clone(),
        other => panic!("it listens: {other:?}"),
    }
}

fn matcher(to: Value) -> EventMatcher {
    EventMatcher::new(&strategy(to), ReadAs::Data, Mode::Strict).expect("it can be matched")
}

fn offer(matcher: &mut EventMatcher, kind: &str, data: Value) -> Heard {
    let event = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": kind, "data": data});
    let event = CloudEvent::new(Data::new(event).unwrap()).unwrap();
    matcher.offer(&event, &NoBindings, START, &mut NativeEvaluator).unwrap()
}

fn complete(events: Value) -> Heard {
    Heard::Complete(Data::new(events).unwrap())
}

#[test]
fn a_matcher_completes_again_and_again() {
    let mut matcher = matcher(json!({"all": [{"with": {"type": "a", "data": "${ . > 1 }"}}, {"with": {"type": "b"}}]}));
    assert_eq!(matcher.interest(), Interest::Types(vec!["a".into(), "b".into()]));
    for _ in 0..2 {
        assert_eq!(offer(&mut matcher, "a", json!(1)), Heard::Ignored);
        assert_eq!(offer(&mut matcher, "b", json!(2)), Heard::Consumed);
        assert_eq!(offer(&mut matcher, "b", json!(3)), Heard::Ignored);
        assert_eq!(offer(&mut matcher, "a", json!(4)), complete(json!([2, 4])));
    }
}

#[test]
fn a_matcher_ends_with_a_condition_or_with_events_that_are_not_told() {
    let mut counting = matcher(json!({"any": [], "until": ". | length == 2"}));
    assert_eq!(counting.interest(), Interest::Everything);
    assert_eq!(offer(&mut counting, "x", json!(1)), Heard::Consumed);
    assert_eq!(offer(&mut counting, "y", json!(2)), complete(json!([1, 2])));
    let mut ended = matcher(json!({"any": [{"with": {"type": "a"}}], "until": {"one": {"with": {"type": "end"}}}}));
    assert_eq!(offer(&mut ended, "a", json!(1)), Heard::Consumed);
    assert_eq!(offer(&mut ended, "end", json!(2)), complete(json!([1])));
}

#[test]
fn a_filter_that_is_wrong_in_itself_is_a_problem_and_the_matcher_begins_anew() {
    let mut matcher =
        matcher(json!({"all": [{"with": {"type": "a"}}, {"with": {"type": "b", "data": "${ $context.x }"}}]}));
    assert_eq!(offer(&mut matcher, "a", json!(1)), Heard::Consumed);
    let event = CloudEvent::from_json(r#"{"specversion": "1.0", "id": "1", "source": "/s", "type": "b"}"#).unwrap();
    let problem = matcher.offer(&event, &NoBindings, START, &mut NativeEvaluator).unwrap_err();
    assert!(problem.to_string().contains("$context does not exist here"), "{problem}");
    assert_eq!(offer(&mut matcher, "a", json!(1)), Heard::Consumed);
}
