//! Documents that are valid, made of choices: every kind of task in every place.

use serde_json::{Value, json};

use crate::choices::Choices;

/// How many tasks a document has at most.
const MAX_TASKS: usize = 60;

const EXPRESSIONS: [&str; 14] = [
    ".", ".a", ".n", "$context", ".list[0]", "[.]", "{a: .}", ".n > 1", "$task.name", "$workflow.input", "error(.)",
    "$item", "$nope", "null",
];
const DURATIONS: [&str; 5] = ["PT0S", "PT1S", "PT0.2S", "P1D", "P1M"];

/// A document.
pub(crate) fn workflow(choices: &mut Choices<'_>) -> Value {
    let mut workflow = json!({
        "document": { "dsl": "1.0.3", "namespace": "fuzz", "name": "fuzz", "version": "1.0.0" },
        "use": {
            "errors": { "known": { "type": "https://example.com/known", "status": 409, "title": "${ .n }" } },
            "retries": { "thrice": { "delay": "PT1S", "limit": { "attempt": { "count": 3 } } } },
            "timeouts": { "brief": { "after": "PT0.5S" } },
            "secrets": ["granted"],
        },
    });
    if choices.once_in(8) {
        workflow["timeout"] = json!({ "after": choices.one(&DURATIONS) });
    }
    if choices.once_in(8) {
        workflow["output"] = json!({ "as": choices.one(&EXPRESSIONS) });
    }
    if choices.once_in(16) {
        workflow["evaluate"] = json!({ "mode": "loose" });
    }
    let mut room = MAX_TASKS;
    workflow["do"] = list(choices, 0, &mut room);
    workflow
}

fn list(choices: &mut Choices<'_>, depth: usize, room: &mut usize) -> Value {
    let count = (1 + choices.below(4)).min(*room);
    *room -= count;
    (0..count).map(|index| json!({ format!("t{index}"): task(choices, depth, count, room) })).collect()
}

fn task(choices: &mut Choices<'_>, depth: usize, siblings: usize, room: &mut usize) -> Value {
    let mut task = if depth < 6 && *room > 0 { any_task(choices, depth, siblings, room) } else { leaf(choices) };
    if choices.once_in(4) {
        task["then"] = then(choices, siblings);
    }
    if choices.once_in(8) {
        task["if"] = json!(choices.one(&EXPRESSIONS));
    }
    if choices.once_in(8) {
        task["input"] = json!({ "from": value(choices), "schema": { "document": { "type": "object" } } });
    }
    if choices.once_in(8) {
        task["output"] = json!({ "as": value(choices) });
    }
    if choices.once_in(8) {
        task["export"] = json!({ "as": value(choices) });
    }
    if choices.once_in(8) {
        task["timeout"] =
            if choices.once_in(3) { json!("brief") } else { json!({ "after": choices.one(&DURATIONS) }) };
    }
    task
}

fn any_task(choices: &mut Choices<'_>, depth: usize, siblings: usize, room: &mut usize) -> Value {
    match choices.below(16) {
        0..=5 => leaf(choices),
        6 | 7 => json!({ "do": list(choices, depth + 1, room) }),
        8 | 9 => {
            let items = if choices.once_in(3) { json!(choices.one(&EXPRESSIONS)) } else { json!(["${ . }", 2, { "a": 1 }]) };
            let mut task = json!({ "for": { "each": "item", "in": items }, "do": list(choices, depth + 1, room) });
            if choices.once_in(4) {
                task["while"] = json!(choices.one(&EXPRESSIONS));
            }
            task
        }
        10 | 11 => json!({ "fork": { "compete": choices.once_in(2), "branches": list(choices, depth + 1, room) } }),
        12..=14 => attempt(choices, depth, siblings, room),
        _ => {
            let mut cases = Vec::new();
            for index in 0..1 + choices.below(3) {
                let mut case = json!({ "then": then(choices, siblings) });
                // One default at most.
                if index > 0 || choices.once_in(2) {
                    case["when"] = json!(choices.one(&EXPRESSIONS));
                }
                cases.push(json!({ format!("case{index}"): case }));
            }
            json!({ "switch": cases })
        }
    }
}

fn attempt(choices: &mut Choices<'_>, depth: usize, siblings: usize, room: &mut usize) -> Value {
    let mut catch = json!({});
    if choices.once_in(3) {
        catch["errors"] = json!({ "with": { "status": choices.one(&[400, 408, 409, 500]) } });
    }
    if choices.once_in(3) {
        catch["when"] = json!(choices.one(&EXPRESSIONS));
    }
    if choices.once_in(2) {
        catch["do"] = list(choices, depth + 1, room);
    }
    if choices.once_in(4) {
        catch["then"] = then(choices, siblings);
    }
    match choices.below(4) {
        0 => {}
        1 => catch["retry"] = json!("thrice"),
        _ => {
            catch["retry"] = json!({
                "delay": choices.one(&DURATIONS),
                "backoff": { choices.one(&["constant", "linear", "exponential"]): {} },
                "limit": { "attempt": { "count": choices.below(4), "duration": "PT2S" }, "duration": "PT30S" },
                "jitter": { "from": "PT0S", "to": "PT1S" },
            });
        }
    }
    json!({ "try": list(choices, depth + 1, room), "catch": catch })
}

fn leaf(choices: &mut Choices<'_>) -> Value {
    match choices.below(12) {
        0..=3 => {
            let data = value(choices);
            if data.is_object() { json!({ "set": data }) } else { json!({ "set": "${ . }" }) }
        }
        4..=6 => json!({ "call": "wasm", "with": { "component": "c.wasm", "input": value(choices) } }),
        7 => json!({ "wait": choices.one(&DURATIONS) }),
        8 => json!({ "raise": { "error": "known" } }),
        9 => json!({ "raise": { "error": { "type": "https://example.com/${ .n }", "status": 418, "detail": "${ . }" } } }),
        10 => json!({ "run": {
            "workflow": { "namespace": "fuzz", "name": "child", "version": "1.0.0", "input": value(choices) },
            "await": !choices.once_in(3),
            "return": choices.one(&["stdout", "all", "none", "code"]),
        } }),
        _ => match choices.below(3) {
            0 => json!({ "emit": { "event": { "with": { "type": "com.example.e", "data": value(choices) } } } }),
            1 => json!({ "listen": { "to": { "one": { "with": { "type": "com.example.e" } } } } }),
            _ => json!({ "set": { "secret": "${ $secrets.granted }", "other": "${ $secrets.denied }" } }),
        },
    }
}

/// An object, or one expression.
fn value(choices: &mut Choices<'_>) -> Value {
    let expression = choices.one(&EXPRESSIONS);
    match choices.below(4) {
        0 => json!(format!("${{ {expression} }}")),
        1 => json!({ "n": 1, "list": [1, 2], "a": format!("${{ {expression} }}") }),
        // Doubles with every time around.
        2 => json!({ "a": "${ . }", "b": "${ . }" }),
        _ => json!({ "text": format!("is ${{ {expression} }}, and ${{ .n }}") }),
    }
}

fn then(choices: &mut Choices<'_>, siblings: usize) -> Value {
    match choices.below(6) {
        0 | 1 => json!("continue"),
        2 => json!("exit"),
        3 => json!("end"),
        _ => json!(format!("t{}", choices.below(siblings))),
    }
}
