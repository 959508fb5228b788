//! What the cell costs: the same programs in plain jaq and in a cell, in one run, JSON in and JSON out.

use std::time::{Duration, Instant};

use hotcell_expression::{Evaluation, Evaluator};
use hotcell_sandbox::{EvaluatorLimits, Evaluators};
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data, unwrap_valr};
use jaq_json::{Val, read};
use jiff::Timestamp;
use serde_json::{Value, json};

const ROUNDS: usize = 5_000;

fn main() {
    let start = Instant::now();
    let evaluators = Evaluators::new().expect("the interpreter compiles");
    println!("compiling the interpreter itself: {:?}", start.elapsed());

    let orders: Vec<Value> = (0..10).map(|number| json!({"id": number, "price": number * 3})).collect();
    let cases = [(".a + 1", json!({"a": 41})), (".orders | map(.price) | add", json!({"orders": orders}))];
    for (program, input) in cases {
        println!("{program}");
        report("  plain jaq, evaluate", native(program, &input));
        let mut evaluator = evaluators.evaluator(EvaluatorLimits::default());
        report("  in a cell, evaluate", sample(|_| evaluate(&mut evaluator, program, &input)));
        report("  plain jaq, compile ", sample(|_| drop(compile(program))));
        let fresh: Vec<String> = (0..ROUNDS).map(|number| format!("{program} | . + {number}")).collect();
        report(
            "  in a cell, compile ",
            sample(|round| evaluator.check(&fresh[round], &[]).expect("the program is right")),
        );
        report(
            "  cold: new cell, compile, evaluate",
            sample(|_| evaluate(&mut evaluators.evaluator(EvaluatorLimits::default()), program, &input)),
        );
    }
}

fn evaluate(evaluator: &mut impl Evaluator, program: &str, input: &Value) {
    let evaluation = Evaluation { program, input, variables: &[], now: Timestamp::UNIX_EPOCH };
    std::hint::black_box(evaluator.evaluate(evaluation).expect("the program is right"));
}

type Filter = jaq_core::Filter<data::JustLut<Val>>;

fn compile(program: &str) -> Filter {
    let arena = Arena::default();
    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let modules = Loader::new(definitions).load(&arena, File { code: program, path: () });
    let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let modules = modules.unwrap_or_else(|_| panic!("the program is right"));
    Compiler::default().with_funs(functions).compile(modules).unwrap_or_else(|_| panic!("the program is right"))
}

/// As a host without cells would do it: from a `Value` and to one.
fn native(program: &str, input: &Value) -> Vec<Duration> {
    let filter = compile(program);
    sample(|_| {
        let text = serde_json::to_vec(input).expect("the input is JSON");
        let input = read::parse_single(&text).expect("the input is JSON");
        let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
        let output = filter.id.run((context, input)).map(unwrap_valr).next().expect("there is an output");
        let output: Value =
            serde_json::from_str(&output.expect("the program is right").to_string()).expect("it is JSON");
        std::hint::black_box(output);
    })
}

fn sample(mut run: impl FnMut(usize)) -> Vec<Duration> {
    for round in 0..100 {
        run(round);
    }
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|round| {
            let start = Instant::now();
            run(round);
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times
}

fn report(what: &str, times: Vec<Duration>) {
    println!("{what}: median {:?}, p99 {:?}", times[times.len() / 2], times[times.len() * 99 / 100]);
}
