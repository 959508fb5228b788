//! Random workflows: every kind of task in every place, of all of which something may fail, wait, or never end.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// Tasks whose `then` is not yet the name of one of their list: a number stands for it.
#[derive(Debug, Clone)]
struct Draft {
    task: Value,
    then: Option<u8>,
    /// The `then` of each case of a switch, and of a `catch`.
    inner: Vec<u8>,
}

/// A workflow, without its `document`.
pub(crate) fn workflow() -> impl Strategy<Value = Value> {
    let timeout = prop::option::weighted(0.1, milliseconds().prop_map(|after| json!({ "after": after })));
    let input = prop::option::weighted(0.1, select(vec![json!({"from": "{a: .}"}), json!({"from": ".n.x"})]));
    let output = prop::option::weighted(0.1, select(vec![json!({"as": "[.]"}), json!({"as": "$context"})]));
    (list(), timeout, input, output, extensions()).prop_map(|(tasks, timeout, input, output, extensions)| {
        let mut workflow = json!({ "do": tasks, "use": {
            "errors": {"known": {"type": "https://example.com/known", "status": 409}},
            "retries": {"thrice": {"delay": {"milliseconds": 300}, "limit": {"attempt": {"count": 3}}}},
            "timeouts": {"brief": {"after": {"milliseconds": 700}}},
            "secrets": ["granted"],
            "extensions": extensions,
            "functions": {
                "sets": {"set": {"given": "${ . | tojson | length }"}, "export": {"as": "."}},
                "nests": {"do": [
                    {"first": {"call": "sets", "with": {"a": "${ . }"}}},
                    {"second": {"call": "wasm", "with": {"component": "flaky.wasm"}, "timeout": "brief"}},
                ]},
                "recurses": {"if": "(tojson | length) < 200", "do": [{"again": {"call": "recurses", "with": {"a": "${ . }"}}}]},
            },
        }});
        for (name, value) in [("timeout", timeout), ("input", input), ("output", output)] {
            if let Some(value) = value {
                workflow[name] = value;
            }
        }
        workflow
    })
}

/// Mostly none, as they are performed with every task.
fn extensions() -> impl Strategy<Value = Value> {
    let target = select(vec!["all", "call", "set", "try", "composite"]);
    let when = select(vec!["true", "$task.name == \"t0\"", "$context == null", "error(\"when\")"]);
    let tasks = || prop::option::weighted(0.7, list());
    let extension = (target, when, tasks(), tasks()).prop_map(|(target, when, before, after)| {
        let mut extension = json!({ "extend": target, "when": when });
        for (side, tasks) in [("before", before), ("after", after)] {
            if let Some(tasks) = tasks {
                extension[side] = tasks;
            }
        }
        json!({ "extension": extension })
    });
    prop_oneof![3 => Just(json!([])), 1 => prop::collection::vec(extension, 1..3).prop_map(Value::Array)]
}

fn list() -> impl Strategy<Value = Value> {
    prop::collection::vec(task(), 1..5).prop_map(finish_list)
}

/// Names the tasks, and turns numbers into flow directives.
fn finish_list(drafts: Vec<Draft>) -> Value {
    let count = drafts.len();
    let finish = |(index, mut draft): (usize, Draft)| {
        // Mostly forward: workflows that run in circles take long and show little.
        let directive = |number: u8| match number {
            0..=1 => json!("continue"),
            2 => json!("exit"),
            3 => json!("end"),
            4..=6 if index + 1 < count => json!(format!("t{}", (index + number as usize - 3).min(count - 1))),
            4..=6 => json!("continue"),
            _ => json!(format!("t{}", index / 2)),
        };
        if let Some(then) = draft.then {
            draft.task["then"] = directive(then);
        }
        let mut inner = draft.inner.into_iter().map(directive);
        if let Some(cases) = draft.task.get_mut("switch").and_then(Value::as_array_mut) {
            for case in cases {
                case["case"]["then"] = inner.next().expect("there is one for each case");
            }
            let cases = draft.task["switch"].as_array_mut().expect("it is one");
            for (number, case) in cases.iter_mut().enumerate() {
                *case = json!({ format!("case{number}"): case["case"].clone() });
            }
        } else if let (Some(catch), Some(then)) = (draft.task.get_mut("catch"), inner.next()) {
            catch["then"] = then;
        }
        json!({ format!("t{index}"): draft.task })
    };
    drafts.into_iter().enumerate().map(finish).collect()
}

fn task() -> impl Strategy<Value = Draft> {
    let leaf = prop_oneof![
        4 => set(),
        3 => call(),
        1 => raise(),
        1 => milliseconds().prop_map(|wait| json!({ "wait": wait })),
        1 => Just(json!({ "wait": "${ .delay // \"PT0.2S\" }" })),
        1 => child(),
        1 => select(vec!["sets", "nests", "recurses"]).prop_map(|name| json!({ "call": name, "with": {"n": "${ . }"} })),
        1 => emit(),
        1 => listen(),
    ];
    let leaf = (leaf, common()).prop_map(|(task, common)| with(task, common, Vec::new()));
    let leaf =
        prop_oneof![9 => leaf, 1 => (switch(), common()).prop_map(|((task, inner), common)| with(task, common, inner))];
    leaf.prop_recursive(4, 24, 4, |task| {
        let list = || prop::collection::vec(task.clone(), 1..4).prop_map(finish_list);
        let kind = prop_oneof![
            2 => list().prop_map(|tasks| (json!({ "do": tasks }), Vec::new())),
            2 => repeat(list()),
            2 => (list(), any::<bool>())
                .prop_map(|(tasks, compete)| (json!({ "fork": { "branches": tasks, "compete": compete } }), Vec::new())),
            3 => attempt(list(), list()),
            1 => (listen(), list(), iteration()).prop_map(|(mut listen, tasks, iteration)| {
                listen["foreach"] = iteration;
                listen["foreach"]["do"] = tasks;
                (listen, Vec::new())
            }),
        ];
        (kind, common()).prop_map(|((task, inner), common)| with(task, common, inner))
    })
}

/// What any task may have besides.
fn common() -> impl Strategy<Value = (Map<String, Value>, Option<u8>)> {
    let field = |probability, values: Vec<Value>| prop::option::weighted(probability, select(values));
    let condition = field(0.15, vec![json!("true"), json!("false"), json!("$context == null"), json!("error(\"if\")")]);
    let input = field(
        0.1,
        vec![
            json!({"from": "{a: ., b: $task.name}"}),
            json!({"from": {"k": "${ . }", "secret": "${ $secrets.granted }"}}),
            json!({"from": "$secrets.denied"}),
            json!({"schema": {"document": {"type": ["object", "null", "number", "string"]}}}),
        ],
    );
    let output = field(
        0.1,
        vec![
            json!({"as": "[., $input] | tojson | .[:20]"}),
            json!({"as": {"k": "${ $task.output }"}}),
            json!({"as": ".x.y"}),
            json!({"schema": {"document": {"type": ["object", "string", "number", "null", "array"]}}}),
            json!({"schema": {"document": {"type": "boolean"}}}),
        ],
    );
    let export = field(
        0.15,
        vec![
            json!({"as": "."}),
            json!({"as": "{kept: ($output | tojson | .[:10])}"}),
            json!({"as": "null"}),
            json!({"as": "($context | objects // {}) + {($task.name): 1}"}),
            json!({"schema": {"document": {"type": ["object", "null"]}}}),
        ],
    );
    let timeout = prop_oneof![
        8 => Just(None),
        1 => milliseconds().prop_map(|after| Some(json!({ "after": after }))),
        1 => Just(Some(json!("brief"))),
    ];
    let then = prop::option::weighted(0.25, any::<u8>().prop_map(|then| then % 8));
    (condition, input, output, export, timeout, then).prop_map(|(condition, input, output, export, timeout, then)| {
        let fields =
            [("if", condition), ("input", input), ("output", output), ("export", export), ("timeout", timeout)];
        let present = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        (present.collect(), then)
    })
}

fn with(mut task: Value, (common, then): (Map<String, Value>, Option<u8>), inner: Vec<u8>) -> Draft {
    task.as_object_mut().expect("a task is an object").extend(common);
    Draft { task, then, inner }
}

fn set() -> impl Strategy<Value = Value> {
    let holds = select(vec![
        json!({"set": {"n": 1}}),
        json!({"set": {"previous": "${ . | tojson | length }"}}),
        json!({"set": "${ $context }"}),
        json!({"set": "${ [$workflow.id, $task.reference] }"}),
        json!({"set": "${ . }"}),
        json!({"set": "${ null }"}),
        json!({"set": {"text": "is ${ . }"}}),
    ]);
    // Outside of a loop there is no item.
    let fails = select(vec![json!({"set": {"item": "${ $item }"}}), json!({"set": "${ error(\"set\") }"})]);
    prop_oneof![12 => holds, 1 => fails]
}

fn call() -> impl Strategy<Value = Value> {
    let component = select(vec!["ok.wasm", "echo.wasm", "slow.wasm", "flaky.wasm", "fails.wasm", "hangs.wasm"]);
    component.prop_map(|component| json!({"call": "wasm", "with": {"component": component}}))
}

fn raise() -> impl Strategy<Value = Value> {
    select(vec![
        json!({"raise": {"error": "known"}}),
        json!({"raise": {"error": {"type": "https://example.com/raised", "status": 500, "title": "${ . | tojson | .[:10] }"}}}),
        json!({"raise": {"error": {"type": "https://example.com/raised", "status": "${ .status // 418 }"}}}),
    ])
}

fn child() -> impl Strategy<Value = Value> {
    let name = select(vec!["quick", "slow", "fails"]);
    let what = select(vec!["stdout", "code", "all", "none"]);
    (name, any::<bool>(), what).prop_map(|(name, wait, what)| {
        let workflow = json!({"namespace": "test", "name": name, "version": "0.1.0"});
        json!({"run": {"workflow": workflow, "await": wait, "return": what}})
    })
}

fn emit() -> impl Strategy<Value = Value> {
    select(vec![
        json!({"type": "a", "data": "${ . }"}),
        json!({"type": "b", "data": {"n": 1}, "key": 1, "subject": "${ $task.name }"}),
        json!({"type": "end"}),
        json!({"type": "a", "time": "${ .x.y }", "id": "${ . | tojson | length }"}),
    ])
    .prop_map(|event| json!({"emit": {"event": {"with": event}}}))
}

fn listen() -> impl Strategy<Value = Value> {
    let (a, b, end) =
        (json!({"with": {"type": "a"}}), json!({"with": {"type": "b"}}), json!({"with": {"type": "end"}}));
    let odd = json!({"with": {"type": "a|b", "data": "${ .n % 2 == 1 }"}});
    let linked = |kind: &str| json!({"with": {"type": kind}, "correlate": {"key": {"from": ".key"}}});
    let to = select(vec![
        json!({ "one": a }),
        json!({ "one": odd }),
        json!({"one": {"with": {"type": "a", "data": "${ error(1) }"}}}),
        json!({"one": {"with": {"type": "a", "data": "${ $nowhere }"}}}),
        json!({ "all": [a, b] }),
        json!({ "all": [linked("a"), linked("b")] }),
        json!({ "all": [] }),
        json!({ "any": [] }),
        json!({ "any": [a, b] }),
        json!({ "any": [a, b], "until": ". | length >= 2" }),
        json!({ "any": [], "until": { "one": end } }),
        json!({ "any": [odd], "until": { "all": [b, end] } }),
        json!({ "any": [a], "until": "${ false }" }),
        json!({ "any": [a], "until": "error(1)" }),
    ]);
    (to, select(vec!["data", "envelope", "raw"])).prop_map(|(to, read)| json!({"listen": {"to": to, "read": read}}))
}

/// The `foreach` of a `listen`, without its tasks.
fn iteration() -> impl Strategy<Value = Value> {
    select(vec![
        json!({}),
        json!({"item": "event", "at": "i", "output": {"as": "[., $event, $i]"}}),
        json!({"export": {"as": "{heard: $index}"}}),
        json!({"output": {"as": "error(1)"}}),
    ])
}

fn switch() -> impl Strategy<Value = (Value, Vec<u8>)> {
    let when = select(vec![json!("true"), json!("false"), json!(".n == 1"), json!("$context == null")]);
    (prop::collection::vec((when, any::<u8>()), 1..4), any::<bool>()).prop_map(|(cases, default)| {
        let inner = cases.iter().map(|(_, then)| then % 8).collect();
        let mut cases: Vec<Value> = cases.into_iter().map(|(when, _)| json!({"case": {"when": when}})).collect();
        if default {
            cases[0] = json!({"case": {}});
        }
        (json!({ "switch": cases }), inner)
    })
}

fn repeat(tasks: impl Strategy<Value = Value>) -> impl Strategy<Value = (Value, Vec<u8>)> {
    let collection =
        select(vec![json!("[1, 2, 3]"), json!("[]"), json!("null"), json!(".n"), json!([{"a": 1}, {"a": "${ . }"}])]);
    let condition = prop::option::weighted(0.3, select(vec![json!("$index < 2"), json!("true"), json!("false")]));
    (tasks, collection, condition).prop_map(|(tasks, collection, condition)| {
        let mut task = json!({"for": {"in": collection}, "do": tasks});
        if let Some(condition) = condition {
            task["while"] = condition;
        }
        (task, Vec::new())
    })
}

fn attempt(
    tasks: impl Strategy<Value = Value>,
    handler: impl Strategy<Value = Value>,
) -> impl Strategy<Value = (Value, Vec<u8>)> {
    let filter = prop::option::weighted(
        0.3,
        select(vec![
            json!({"with": {"status": 500}}),
            json!({"with": {"type": "https://serverlessworkflow.io/dsl/errors/types/timeout"}}),
        ]),
    );
    let when = prop::option::weighted(
        0.2,
        select(vec![json!(".status >= 400"), json!("$error.status == 1"), json!("error(1)")]),
    );
    let retry = prop::option::weighted(
        0.5,
        select(vec![
            json!("thrice"),
            json!({"limit": {"attempt": {"count": 2, "duration": {"milliseconds": 500}}}}),
            json!({"delay": {"milliseconds": 400}, "backoff": {"exponential": {}}, "limit": {"duration": {"seconds": 3}}}),
            json!({"delay": "PT0.1S", "jitter": {"from": "PT0S", "to": "PT1S"}, "limit": {"attempt": {"count": 1}}}),
            json!({"when": "$error.status != 500", "limit": {"attempt": {"count": 2}}}),
            json!({"delay": "${ error(\"delay\") }"}),
        ]),
    );
    let handler = prop::option::weighted(0.5, handler);
    let then = prop::option::weighted(0.3, any::<u8>());
    (tasks, filter, when, retry, handler, then).prop_map(|(tasks, filter, when, retry, handler, then)| {
        let fields = [("errors", filter), ("when", when), ("retry", retry), ("do", handler)];
        let catch: Map<String, Value> =
            fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        (json!({ "try": tasks, "catch": catch }), then.map(|then| then % 8).into_iter().collect())
    })
}

fn milliseconds() -> impl Strategy<Value = Value> {
    select(vec![json!("PT0S"), json!("PT0.5S"), json!({"milliseconds": 900}), json!("PT2S"), json!("P1D")])
}
