//! Functions of any type: JSON is mapped to WIT and back. `tests/guests/types` is what is called.

use std::sync::Arc;

use hotcell_definition::{ErrorKind, Problem};
use hotcell_sandbox::{CallError, CallLimits, Cells, ComponentError, Digest, PayloadKind};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::host::{Recorder, call, cells, prepare, run};

/// Built from `tests/guests/types` by `scripts/guests`.
const TYPES: &[u8] = include_bytes!("types.wasm");

/// Cells in which the component is prepared.
struct Functions {
    cells: Box<dyn Cells>,
    component: Digest,
}

impl Functions {
    async fn new() -> Self {
        let cells = cells();
        let component = prepare(&cells, TYPES).await.unwrap();
        Functions { cells: Box::new(cells), component }
    }

    async fn call(&self, export: &str, input: &Value) -> Result<Value, CallError> {
        self.call_with(export, input, CallLimits::default()).await
    }

    async fn call_with(&self, export: &str, input: &Value, limits: CallLimits) -> Result<Value, CallError> {
        let mut call = call(self.component, &input.to_string(), limits);
        call.export = Some(export.into());
        self.cells.call(call, Arc::new(Recorder::default())).await.result
    }

    async fn problem(&self, export: &str, input: &Value) -> Problem {
        self.call(export, input).await.unwrap_err().to_problem()
    }

    /// Why an input does not fit.
    async fn unfit(&self, export: &str, input: &Value) -> String {
        let problem = self.problem(export, input).await;
        assert!(problem.is(ErrorKind::Validation) && problem.status == 400, "{problem}");
        assert_eq!(problem.title.as_deref(), Some("Argument does not fit"));
        problem.detail.unwrap()
    }
}

/// A value of the record `everything`.
fn everything() -> Value {
    json!({
        "yes": true,
        "numbers": {
            "a": 255, "b": -128, "c": 65535, "d": -32768, "e": 4294967295_u32, "f": -2147483648_i32,
            "g": "18446744073709551615", "h": "-9223372036854775808", "single": 0.1, "double": 0.1,
        },
        "letter": "🦀", "text": "a\u{0}\"ü", "bytes": "AP+A",
        "matrix": [[1, -1], [], [2]],
        "pair": ["x", 9007199254740991_u64, {"x": 1, "y": -1}],
        "shapes": ["nothing", {"circle": 1.5}, {"polygon": [{"x": 0, "y": 0}]}, {"named": "n"}, {"maybe": null}, {"maybe": 7}],
        "color": "dark-green", "rights": ["read", "list-all"],
        "maybe": {"x": 0, "y": 0}, "maybe-maybe": {"some": null},
        "outcome": {"err": "no"}, "hollow": {"ok": null}, "half": {"err": "blue"},
    })
}

#[tokio::test]
async fn every_type_comes_back_as_it_went_in() {
    let functions = Functions::new().await;
    assert_eq!(functions.call("test:types/echo@1.0.0#all", &everything()).await, Ok(everything()));
    // The only parameter is a record: by its name it can be given, too.
    assert_eq!(functions.call("all", &json!({"everything": everything()})).await, Ok(everything()));
}

#[tokio::test]
async fn what_is_optional_may_be_missing_and_comes_back_as_null() {
    let functions = Functions::new().await;
    let mut input = everything();
    for name in ["maybe", "maybe-maybe"] {
        input.as_object_mut().unwrap().shift_remove(name);
    }
    let output = functions.call("all", &input).await.unwrap();
    assert_eq!((&output["maybe"], &output["maybe-maybe"]), (&Value::Null, &Value::Null));
    assert_eq!(functions.call("join", &json!({"first": "a", "second": "b"})).await, Ok(json!("a b")));
}

#[tokio::test]
async fn integers_beyond_2_to_the_53_are_strings_and_smaller_ones_may_be() {
    let functions = Functions::new().await;
    for (given, expected) in [
        (json!(9007199254740991_u64), json!(9007199254740991_u64)),
        (json!(9007199254740992_u64), json!("9007199254740992")),
        (json!("9007199254740992"), json!("9007199254740992")),
        (json!("17"), json!(17)),
        (json!(3.0), json!(3)),
    ] {
        let mut input = everything();
        input["numbers"]["g"] = given.clone();
        assert_eq!(functions.call("all", &input).await.unwrap()["numbers"]["g"], expected, "{given}");
    }
}

#[tokio::test]
async fn floats_that_are_no_numbers_are_strings() {
    let functions = Functions::new().await;
    for special in ["NaN", "Infinity", "-Infinity"] {
        let mut input = everything();
        input["numbers"]["double"] = json!(special);
        input["numbers"]["single"] = json!(special);
        let output = functions.call("all", &input).await.unwrap();
        assert_eq!((&output["numbers"]["double"], &output["numbers"]["single"]), (&json!(special), &json!(special)));
    }
}

#[tokio::test]
async fn an_argument_that_does_not_fit_is_named_by_its_place() {
    let functions = Functions::new().await;
    let order = json!({"items": [{"sku": "a", "price": 1}, {"sku": "b", "price": "x"}]});
    assert_eq!(functions.unfit("total", &order).await, r#"$.items[1].price: expected u32, got "x""#);
    assert_eq!(
        functions.unfit("total", &json!({"order": order})).await,
        r#"$.order.items[1].price: expected u32, got "x""#
    );
    let cases = [
        ("/numbers/a", json!(256), "$.numbers.a: expected u8, got 256"),
        ("/numbers/e", json!(1.5), "$.numbers.e: expected u32, got 1.5"),
        (
            "/numbers/g",
            json!("-1"),
            "$.numbers.g: expected u64: a number or, beyond 2^53, a string of digits, got \"-1\"",
        ),
        ("/numbers/single", json!(1e300), "$.numbers.single: expected f32"),
        ("/letter", json!("ab"), "$.letter: expected a char: a string of one character, got \"ab\""),
        ("/bytes", json!("*"), "$.bytes: expected bytes in base64, but invalid symbol 42, offset 0."),
        ("/bytes", json!([1, 256]), "$.bytes[1]: expected u8, got 256"),
        ("/matrix", json!([[1], [2, "3"]]), "$.matrix[1][1]: expected s16, got \"3\""),
        ("/pair", json!(["x", 1]), "$.pair: expected a tuple: an array of 3, got an array of 2"),
        (
            "/shapes/1",
            json!({"circel": 1}),
            "$.shapes[1]: expected a variant: \"CASE\" or {\"CASE\": VALUE} with one of `circle`, ",
        ),
        ("/shapes/1", json!({"circle": "big"}), "$.shapes[1].circle: expected f64"),
        (
            "/shapes/0",
            json!({"nothing": 1}),
            "$.shapes[0].nothing: the case has no value; write \"nothing\" alone instead of 1",
        ),
        (
            "/color",
            json!("dark_green"),
            "$.color: expected an enum: one of `red`, `dark-green`, `blue`, got \"dark_green\"",
        ),
        (
            "/rights",
            json!(["read", "fly"]),
            "$.rights[1]: expected one of the flags `read`, `write`, `list-all`, got \"fly\"",
        ),
        ("/maybe", json!({"x": 1}), "$.maybe: `y` is missing: s32"),
        ("/maybe", json!({"x": 1, "y": 2, "z": 3}), "$.maybe.z: there is no field of this name; there are `x`, `y`"),
        (
            "/maybe-maybe",
            json!("text"),
            "$.maybe-maybe: expected an option of an option: null or {\"some\": VALUE}, got \"text\"",
        ),
        ("/hollow", json!({"ok": 1}), "$.hollow.ok: expected null, got 1"),
        ("/outcome", json!("ok"), "$.outcome: expected a result"),
        ("/yes", json!("true"), "$.yes: expected a bool: true or false, got \"true\""),
    ];
    for (place, value, expected) in cases {
        let mut input = everything();
        *input.pointer_mut(place).unwrap() = value;
        let detail = functions.unfit("all", &input).await;
        assert!(detail.starts_with(expected), "{detail}\n{expected}");
    }
    let mut input = everything();
    let value = input.as_object_mut().unwrap().shift_remove("maybe-maybe").unwrap();
    input["maybeMaybe"] = value;
    let detail = functions.unfit("all", &input).await;
    assert_eq!(detail, "$.maybeMaybe: there is no field of this name; write `maybe-maybe`, as WIT has it");
    let detail = functions.unfit("join", &json!(["a", "b"])).await;
    assert!(
        detail.starts_with(
            "$: expected an object with the function's parameters, `first`, `second`, `separator`, got an array"
        ),
        "{detail}"
    );
}

#[tokio::test]
async fn a_result_of_a_function_is_its_output_or_a_problem() {
    let functions = Functions::new().await;
    assert_eq!(functions.call("average", &json!({"numbers": [1, 2]})).await, Ok(json!(1.5)));
    let problem = functions.problem("average", &json!({"numbers": []})).await;
    assert!(problem.is(ErrorKind::Runtime));
    assert_eq!(problem.title.as_deref(), Some("Function failed"));
    assert_eq!(problem.detail.as_deref(), Some("there are no numbers"));
    let problem = functions.problem("fail", &json!({"how": {"circle": 2.5}})).await;
    assert_eq!(problem.to_value()["error"], json!({"circle": 2.5}));
    let problem = functions.problem("total", &json!({"items": [], "voucher": "FREE"})).await;
    assert_eq!(problem.to_value()["error"], json!({"unknown-voucher": "FREE"}));
    assert_eq!(functions.call("nop", &json!({"whatever": 1})).await, Ok(Value::Null));
}

#[tokio::test]
async fn functions_are_found_by_short_names_unless_these_are_ambiguous() {
    let functions = Functions::new().await;
    for name in ["nop", "echo#nop", "test:types/echo#nop", "test:types/echo@1.0.0#nop"] {
        assert_eq!(functions.call(name, &json!({})).await, Ok(Value::Null), "{name}");
    }
    let detail = async |name: &str| {
        let problem = functions.problem(name, &json!({})).await;
        assert!(problem.is(ErrorKind::Configuration));
        problem.detail.unwrap()
    };
    let unknown = detail("nope").await;
    assert!(unknown.starts_with("The component exports no function `nope`; it exports `test:types/"), "{unknown}");
    let ambiguous = detail("echo").await;
    assert!(ambiguous.starts_with("`echo` is ambiguous; it can be `test:types/echo@1.0.0#"), "{ambiguous}");
    let resource = detail("largest").await;
    assert!(resource.contains("its parameter `things` is or holds a resource, which JSON cannot hold"), "{resource}");
    let mut unnamed = call(functions.component, "{}", CallLimits::default());
    unnamed.export = None;
    let end = functions.cells.call(unnamed, Arc::new(Recorder::default())).await;
    let detail = end.result.unwrap_err().to_problem().detail.unwrap();
    assert!(detail.starts_with("The component exports several functions: `test:types/"), "{detail}");
}

#[tokio::test]
async fn what_goes_in_and_comes_out_is_bounded() {
    let functions = Functions::new().await;
    let few = CallLimits { payload_values: 100, ..CallLimits::default() };
    let numbers = json!({"numbers": vec![1; 200]});
    let refused = functions.call_with("average", &numbers, few).await;
    assert!(
        matches!(refused, Err(CallError::PayloadLimit { what: PayloadKind::Input, limit: 100, .. })),
        "{refused:?}"
    );
    // Each byte is a value, whatever its text looks like.
    let mut input = everything();
    input["bytes"] = json!("A".repeat(400));
    let refused = functions.call_with("all", &input, CallLimits { payload_values: 200, ..few }).await;
    assert!(
        matches!(refused, Err(CallError::PayloadLimit { what: PayloadKind::Input, limit: 200, .. })),
        "{refused:?}"
    );
    // What comes back takes memory on the host before it is JSON.
    input["bytes"] = json!("A".repeat(1 << 20));
    let refused = functions.call("all", &input).await;
    assert!(matches!(refused, Err(CallError::PayloadLimit { what: PayloadKind::Output, .. })), "{refused:?}");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut call = call(functions.component, &deep, CallLimits::default());
    call.export = Some("average".into());
    let end = functions.cells.call(call, Arc::new(Recorder::default())).await;
    assert!(matches!(end.result, Err(CallError::InvalidJson { what: PayloadKind::Input, .. })));
}

#[tokio::test]
async fn post_return_is_called_and_counts_as_the_call() {
    let component = |post_return: &str| {
        wat::parse_str(format!(
            r#"(component
                 (core module $m
                   (func (export "f") (result i32) (i32.const 17))
                   (func (export "post") (param i32) {post_return}))
                 (core instance $m (instantiate $m))
                 (func (export "f") (result u32) (canon lift (core func $m "f") (post-return (core func $m "post")))))"#
        ))
        .unwrap()
    };
    assert_eq!(run(&component(""), "{}").await.0.result, Ok(json!(17)));
    assert!(matches!(run(&component("unreachable"), "{}").await.0.result, Err(CallError::Trap { .. })));
    let limits = CallLimits { cpu_time: std::time::Duration::from_millis(100), ..CallLimits::default() };
    let (end, _) = crate::host::run_with(&component("(loop $more (br $more))"), "{}", limits).await;
    assert!(matches!(end.result, Err(CallError::CpuLimit { .. })), "{end:?}");
}

#[tokio::test]
async fn a_component_whose_functions_json_cannot_call_is_refused() {
    let refusal = prepare(
        &cells(),
        &wat::parse_str(
            r#"(component
                 (type $r' (resource (rep i32)))
                 (export $r "thing" (type $r'))
                 (core func $new (canon resource.new $r'))
                 (core module $m (import "" "new" (func $new (param i32) (result i32)))
                   (func (export "f") (result i32) (call $new (i32.const 1))))
                 (core instance $m (instantiate $m (with "" (instance (export "new" (func $new))))))
                 (func (export "make") (result (own $r)) (canon lift (core func $m "f"))))"#,
        )
        .unwrap(),
    )
    .await
    .unwrap_err();
    assert!(matches!(refusal, ComponentError::NotATask { .. }));
    assert!(refusal.to_string().contains("of `make`, its result is or holds a resource"), "{refusal}");
}

#[tokio::test]
async fn types_that_grow_without_end_are_refused_quickly() {
    // Each type is two of the one before: 2^60 of them if they were all looked at.
    let types: String = (1..60).map(|n| format!("(type $t{n} (tuple $t{} $t{}))", n - 1, n - 1)).collect();
    let component = format!(
        r#"(component (type $t0 (tuple)) {types}
             (core module $m (memory (export "m") 1) (func (export "f") (param i32)) (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
             (core instance $m (instantiate $m))
             (func (export "f") (param "x" $t59) (canon lift (core func $m "f") (memory (core memory $m "m")) (realloc (core func $m "r")))))"#
    )
    .replace("(type $t0 (tuple))", "(type $t0 (tuple u8 u8))");
    let start = std::time::Instant::now();
    if let Ok(component) = wat::parse_str(&component) {
        assert!(prepare(&cells(), &component).await.is_err());
    }
    assert!(start.elapsed() < std::time::Duration::from_secs(20));
}

fn float() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<f64>().prop_map(|number| match number.is_finite() {
            true => json!(number),
            false => json!("NaN"),
        }),
        Just(json!("Infinity")),
        Just(json!(0.0))
    ]
}

fn single() -> impl Strategy<Value = Value> {
    any::<f32>().prop_map(|number| match number.is_finite() {
        true => json!(number.to_string().parse::<f64>().unwrap()),
        false => json!("NaN"),
    })
}

fn unsigned() -> impl Strategy<Value = Value> {
    any::<u64>().prop_map(|number| if number < 1 << 53 { json!(number) } else { json!(number.to_string()) })
}

fn signed() -> impl Strategy<Value = Value> {
    any::<i64>()
        .prop_map(|number| if number.unsigned_abs() < 1 << 53 { json!(number) } else { json!(number.to_string()) })
}

fn point() -> impl Strategy<Value = Value> {
    (any::<i32>(), any::<i32>()).prop_map(|(x, y)| json!({"x": x, "y": y}))
}

fn shape() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!("nothing")),
        float().prop_map(|radius| json!({"circle": radius})),
        prop::collection::vec(point(), 0..5).prop_map(|points| json!({"polygon": points})),
        any::<String>().prop_map(|name| json!({"named": name})),
        any::<Option<u8>>().prop_map(|maybe| json!({"maybe": maybe})),
    ]
}

fn numbers() -> impl Strategy<Value = Value> {
    let small = (any::<u8>(), any::<i8>(), any::<u16>(), any::<i16>(), any::<u32>(), any::<i32>());
    (small, unsigned(), signed(), single(), float()).prop_map(|((a, b, c, d, e, f), g, h, single, double)| {
        json!({"a": a, "b": b, "c": c, "d": d, "e": e, "f": f, "g": g, "h": h, "single": single, "double": double})
    })
}

/// Any value of `everything`, as JSON that is as it comes back.
fn anything() -> impl Strategy<Value = Value> {
    let color = || prop::sample::select(vec!["red", "dark-green", "blue"]);
    let rights = prop::sample::subsequence(vec!["read", "write", "list-all"], 0..=3);
    let maybe_maybe = prop_oneof![Just(Value::Null), any::<Option<String>>().prop_map(|text| json!({"some": text})),];
    let outcome = prop_oneof![
        any::<u32>().prop_map(|number| json!({"ok": number})),
        any::<String>().prop_map(|text| json!({"err": text})),
    ];
    let hollow = prop::sample::select(vec![json!({"ok": null}), json!({"err": null})]);
    let half = prop_oneof![Just(json!({"ok": null})), color().prop_map(|color| json!({"err": color}))];
    let plain = (any::<bool>(), numbers(), any::<char>(), any::<String>(), prop::collection::vec(any::<u8>(), 0..50));
    let nested = (
        prop::collection::vec(prop::collection::vec(any::<i16>(), 0..4), 0..4),
        (any::<String>(), unsigned(), point()),
        prop::collection::vec(shape(), 0..6),
        prop::option::of(point()),
        maybe_maybe,
    );
    (plain, nested, color(), rights, (outcome, hollow, half)).prop_map(
        |((yes, numbers, letter, text, bytes), (matrix, pair, shapes, maybe, maybe_maybe), color, rights, results)| {
            use base64::Engine as _;
            json!({
                "yes": yes, "numbers": numbers, "letter": letter, "text": text,
                "bytes": base64::prelude::BASE64_STANDARD.encode(bytes),
                "matrix": matrix, "pair": pair, "shapes": shapes, "color": color, "rights": rights,
                "maybe": maybe, "maybe-maybe": maybe_maybe,
                "outcome": results.0, "hollow": results.1, "half": results.2,
            })
        },
    )
}

#[tokio::test]
async fn any_value_of_any_type_goes_through_a_component_and_comes_back() {
    let functions = Functions::new().await;
    let (mut runner, strategy) = (TestRunner::deterministic(), anything());
    for _ in 0..300 {
        let value = strategy.new_tree(&mut runner).unwrap().current();
        assert_eq!(functions.call("all", &value).await, Ok(value.clone()), "{value}");
    }
}
