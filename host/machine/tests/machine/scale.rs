//! Work that grows with the workflow, and no faster. Bounds are generous: they tell 80,000 steps from 80,000² of them.

use std::time::{Duration, Instant};

use hotcell_expression::Data;
use hotcell_machine::CloudEvent;
use serde_json::{Value, json};

use crate::cases::{program, program_or_panic};
use crate::simulation::{Answer, Lockstep, Order, Ran, Reply, Simulation, World};

const BOUND: Duration = Duration::from_secs(30);

fn run(workflow: &Value, input: Value, components: &[(&str, Answer)]) -> Ran {
    let program = program_or_panic("large", workflow);
    let components = components.iter().map(|(name, answer)| ((*name).to_owned(), vec![answer.clone()])).collect();
    let world = World { components, ..World::default() };
    let start = Instant::now();
    let simulation = Simulation::new(&world, Order::Calm).with_lockstep(Lockstep::Off).with_patience(1_000_000);
    let ran = simulation.run(&program, input);
    assert!(start.elapsed() < BOUND, "it took {:?}", start.elapsed());
    ran
}

fn branches(count: usize, task: &Value) -> Value {
    (0..count).map(|index| json!({ format!("b{index}"): task })).collect()
}

#[test]
fn a_loop_over_10_000_items_takes_as_long_as_10_000_tasks() {
    let workflow = json!({"do": [{"loop": {
        "for": {"in": ".items"},
        "do": [{"a": {"set": "${ $item }"}}, {"b": {"call": "wasm", "with": {"component": "c.wasm"}}}],
    }}]});
    let input = json!({"items": (0..10_000).collect::<Vec<_>>()});
    let ran = run(&workflow, input, &[("c.wasm", Answer::at_once(Reply::Echo))]);
    assert_eq!(ran.output(), &json!(9_999));
    assert_eq!(ran.calls.len(), 10_000);
}

#[test]
fn a_race_of_5_000_is_won_at_once() {
    let mut all = branches(5_000, &json!({"wait": "PT1H"}));
    all.as_array_mut().unwrap().push(json!({"wins": {"wait": "PT1S"}}));
    let ran = run(&json!({"do": [{"race": {"fork": {"compete": true, "branches": all}}}]}), json!("in"), &[]);
    assert_eq!((ran.output(), ran.milliseconds), (&json!("in"), 1_000));
}

#[test]
fn a_race_that_5_000_lose_one_after_the_other_goes_to_the_last() {
    let fails = json!({"raise": {"error": {"type": "https://example.com/no", "status": 500}}});
    let mut all = branches(5_000, &fails);
    all.as_array_mut().unwrap().push(json!({"wins": {"wait": "PT1S"}}));
    let ran = run(&json!({"do": [{"race": {"fork": {"compete": true, "branches": all}}}]}), json!("in"), &[]);
    assert_eq!(ran.output(), &json!("in"));
}

#[test]
fn calls_that_fail_one_after_the_other_in_a_race_do_not_search_each_other() {
    let all = branches(5_000, &json!({"call": "wasm", "with": {"component": "c.wasm"}, "timeout": {"after": "PT1H"}}));
    let problem = serde_json::from_value(json!({"type": "https://example.com/no", "status": 500})).unwrap();
    let workflow = json!({"do": [{"race": {"fork": {"compete": true, "branches": all}}}]});
    let ran = run(&workflow, json!("in"), &[("c.wasm", Answer::at_once(Reply::Problem(problem)))]);
    assert_eq!(ran.problem().instance.as_deref(), Some("/do/0/race/fork/branches/4999/b4999"));
}

#[test]
fn a_fork_of_5_000_waits_joins_in_order() {
    let all = branches(5_000, &json!({"wait": "PT1S", "output": {"as": "$task.name"}}));
    let ran = run(&json!({"do": [{"all": {"fork": {"branches": all}}}]}), json!(null), &[]);
    let output = ran.output().as_array().unwrap();
    assert_eq!((output.len(), &output[4_999]), (5_000, &json!("b4999")));
}

#[test]
fn branches_that_all_export_are_merged_once() {
    let branch = json!({"set": {"x": 1}, "export": {"as": {"${ .x }": 1}}});
    let all: Value = (0..3_000)
        .map(|index| {
            let mut branch = branch.clone();
            branch["export"]["as"] = json!({ format!("k{index}"): "${ .x }" });
            json!({ format!("b{index}"): branch })
        })
        .collect();
    let workflow = json!({"do": [{"all": {"fork": {"branches": all}}}, {"count": {"set": "${ $context | length }"}}]});
    assert_eq!(run(&workflow, json!({}), &[]).output(), &json!(3_000));
}

#[test]
fn a_list_of_20_000_tasks_that_all_name_the_next_is_made_ready_quickly() {
    let tasks: Vec<Value> = (0..20_000)
        .map(|index| match index {
            19_999 => json!({ format!("t{index}"): {"set": "${ . }"} }),
            _ => json!({ format!("t{index}"): {"set": "${ . }", "then": format!("t{}", index + 1)} }),
        })
        .collect();
    let start = Instant::now();
    let ran = run(&json!({ "do": tasks }), json!("in"), &[]);
    assert!(start.elapsed() < BOUND, "it took {:?}", start.elapsed());
    assert_eq!(ran.output(), &json!("in"));
}

#[test]
fn lists_in_lists_as_deep_as_a_document_may_be_are_performed() {
    let deep = (0..30).fold(json!({"set": {"done": true}, "then": "end"}), |inner, _| json!({"do": [{ "d": inner }]}));
    let ran = run(&json!({"do": [{ "d": deep }]}), json!(null), &[]);
    assert_eq!(ran.output(), &json!({"done": true}));
}

#[test]
fn names_so_long_that_references_would_take_gigabytes_are_refused() {
    let long = "n".repeat(1_000);
    let many: Value = (0..4_000).map(|index| json!({ format!("t{index}"): {"set": "${ . }"} })).collect();
    let deep = (0..20).fold(json!({ "do": many }), |inner, _| json!({"do": [{ &long: inner }]}));
    let refused = crate::cases::program("large", &json!({"do": [{ "d": deep }]})).unwrap_err();
    assert!(
        refused.contains("the names of the tasks are too long"),
        "{}",
        &refused[refused.len().saturating_sub(200)..]
    );
}

#[test]
fn a_turn_that_builds_large_data_again_and_again_lets_other_inputs_in() {
    let workflow = json!({"do": [
        {"copy": {"set": {"a": "${ .a }"}}},
        {"again": {"switch": [{"more": {"when": "true", "then": "copy"}}]}},
    ]});
    let program = program_or_panic("large", &workflow);
    let world = World::default();
    let simulation = Simulation::new(&world, Order::Calm).with_lockstep(Lockstep::Off).with_patience(5);
    let start = Instant::now();
    let ran = simulation.run(&program, json!({"a": "x".repeat(4 << 20)}));
    assert!(ran.events.len() < 300, "5 turns told {} events in {:?}", ran.events.len(), start.elapsed());
}

#[test]
fn a_document_full_of_regular_expressions_is_refused_quickly() {
    let listen = json!({"listen": {"to": {"one": {"with": {"type": r"(\w\d){20}+"}}}}});
    let tasks: Vec<Value> = (0..5_000).map(|number| json!({ format!("t{number}"): listen })).collect();
    let began = Instant::now();
    let refused = program("patterns", &json!({ "do": tasks })).unwrap_err();
    assert!(refused.contains("too many regular expressions"), "{}", &refused[..200]);
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
}

#[test]
fn five_thousand_branches_that_listen_hear_the_same_event() {
    let listen = json!({"listen": {"to": {"one": {"with": {"type": "t"}}}}});
    let fork = json!({"fork": {"branches": branches(5_000, &listen)}});
    let program = program_or_panic("listeners", &json!({"do": [{ "all": fork }]}));
    let event = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": 1});
    let event = CloudEvent::new(Data::new(event).unwrap()).unwrap();
    let world = World { events: vec![(10, event)], ..World::default() };
    let start = Instant::now();
    let ran = Simulation::new(&world, Order::Calm).with_lockstep(Lockstep::Off).run(&program, json!(null));
    assert!(start.elapsed() < BOUND, "it took {:?}", start.elapsed());
    assert_eq!(ran.output().as_array().map(Vec::len), Some(5_000));
    assert_eq!(ran.output()[4_999], json!([1]));
}
