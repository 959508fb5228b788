//! The tables of the interpreter, and what only a host can do.

use serde_json::json;

use super::{evaluator, result_of, run};

fn check(table: &str) {
    let mut evaluator = evaluator();
    let mut wrong = Vec::new();
    for case in table.split("\n\n").map(str::trim).filter(|case| !case.starts_with('#')) {
        let [program, input, expected] = case.lines().collect::<Vec<_>>()[..] else { panic!("three lines: {case}") };
        let [input, expected] = [input, expected].map(|json| serde_json::from_str(json).expect("it is JSON"));
        let result = run(&mut evaluator, program, &input, &[]);
        if result != Ok(expected) {
            wrong.push(format!("{case}\n  but: {result:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn programs_yield_what_jq_yields() {
    check(include_str!("../../../../guest-sdk/builtin/jq/tests/semantics/as_jq.txt"));
}

#[test]
fn programs_yield_what_was_chosen() {
    check(include_str!("../../../../guest-sdk/builtin/jq/tests/semantics/chosen.txt"));
}

#[test]
fn variables_are_bound_by_name() {
    let (context, index) = (json!({"rate": 2}), json!(3));
    let variables = [("context", &context), ("index", &index)];
    let result = run(&mut evaluator(), ".price * $context.rate + $index", &json!({"price": 5}), &variables);
    assert_eq!(result, Ok(json!(13)));
}

#[test]
fn a_program_is_compiled_for_each_set_of_variables() {
    let mut evaluator = evaluator();
    let (one, two) = (json!(1), json!(2));
    let program = "[$a, 10]";
    assert_eq!(run(&mut evaluator, program, &json!(null), &[("a", &one), ("b", &two)]), Ok(json!([1, 10])));
    assert_eq!(run(&mut evaluator, program, &json!(null), &[("b", &one), ("a", &two)]), Ok(json!([2, 10])));
    assert_eq!(run(&mut evaluator, program, &json!(null), &[("a", &one), ("b", &two)]), Ok(json!([1, 10])));
}

#[test]
fn a_variable_hides_the_global_of_the_same_name() {
    let environment = json!("mine");
    assert_eq!(run(&mut evaluator(), "$ENV", &json!(null), &[("ENV", &environment)]), Ok(json!("mine")));
}

#[test]
fn one_evaluation_leaves_nothing_for_the_next() {
    let mut evaluator = evaluator();
    assert_eq!(run(&mut evaluator, "def f: 1; . as $x | f", &json!(5), &[]), Ok(json!(1)));
    assert!(run(&mut evaluator, "f", &json!(5), &[]).is_err());
    assert!(run(&mut evaluator, "$x", &json!(5), &[]).is_err());
    assert!(run(&mut evaluator, "\"said\" | halt_error", &json!(5), &[]).is_err());
    assert_eq!(run(&mut evaluator, "halt", &json!(5), &[]), Ok(json!(null)));
}

#[test]
fn more_programs_than_a_cell_keeps_are_all_evaluated() {
    let mut evaluator = evaluator();
    for number in 0..1_500 {
        let result = run(&mut evaluator, &format!(". + {number}"), &json!(1), &[]);
        assert_eq!(result, Ok(json!(number + 1)));
    }
}

#[test]
fn the_largest_numbers_of_json_pass_unharmed() {
    let numbers =
        json!([u64::MAX, i64::MIN, 9_007_199_254_740_993_u64, f64::MAX, f64::MIN_POSITIVE, 5e-324, 1.0, -0.0]);
    let result = run(&mut evaluator(), ".", &numbers, &[]).unwrap();
    assert_eq!(result, numbers);
    assert_eq!(result_of("[1e999, -1e999]").unwrap(), json!([f64::MAX, f64::MIN]));
}
