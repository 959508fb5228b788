//! What programs yield, natively. The sandbox runs the same tables in a cell.

use hotcell_builtin_jq::Interpreter;
use serde_json::Value;

/// 2015-03-05T23:53:41.5Z
const NOW: f64 = 1_425_599_621.5;

fn check(table: &str) {
    let mut wrong = Vec::new();
    for case in table.split("\n\n").map(str::trim).filter(|case| !case.starts_with('#')) {
        let [program, input, expected] = case.lines().collect::<Vec<_>>()[..] else { panic!("three lines: {case}") };
        let mut interpreter = Interpreter::new();
        let mut output = Vec::new();
        let outcome = interpreter
            .compile(program, &[])
            .map(|number| interpreter.evaluate(number, NOW, input.as_bytes(), &mut output));
        let expected: Value = serde_json::from_str(expected).expect("the expected output is JSON");
        if !matches!(outcome, Ok(Ok(()))) || serde_json::from_slice::<Value>(&output).ok() != Some(expected) {
            wrong.push(format!("{case}\n  but: {outcome:?} {}", String::from_utf8_lossy(&output)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn programs_yield_what_jq_yields() {
    check(include_str!("semantics/as_jq.txt"));
}

#[test]
fn programs_yield_what_was_chosen() {
    check(include_str!("semantics/chosen.txt"));
}
