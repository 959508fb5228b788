//! Programs that try to take the host down. Each ends with an error within its bounds, and harms nobody else.

use std::time::{Duration, Instant};

use hotcell_expression::{Evaluator, ExpressionError};
use hotcell_sandbox::EvaluatorLimits;
use serde_json::{Value, json};

use super::{EVALUATORS, evaluator, result_of, run};

/// The time of an evaluation, 1 s, and what a busy machine may add to it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Programs that only a bound ends.
const ENDLESS: &[&str] = &[
    "def f: f; f",
    "def f: [f]; f",
    "def f: f + 1; f",
    "def f: f | f; f",
    "def f(g): f(g | g); f(.)",
    "[range(1e9)]",
    "[repeat(1)]",
    "[limit(1e9; repeat(\"x\"))] | join(\"\")",
    "last(repeat(1))",
    "[recurse(.)]",
    "[0 | recurse(. + 1)] | last",
    "\"a\" * 1e9",
    "\"a\" * 1e300",
    "\"a\" * 2147483648",
    "\"ab\" * 4294967295",
    "\"a\" | until(false; . + .)",
    "[1] | until(false; . + .)",
    "{a: 1} | until(false; {a: ., b: .}) ",
    "2 | until(false; . * .)",
    "1 | until(false; . * 10 % 7)",
    "reduce range(1e9) as $i (0; . + $i)",
    "reduce range(1e9) as $i (\"\"; . + \"x\")",
    "reduce range(1e6) as $i (null; [.]) | tojson",
    "reduce range(1e6) as $i (null; [.]) | . == [1]",
    "reduce range(1e6) as $i (null; {a: .}) | length | [recurse(.)]",
    "null | .[536870911] = 1",
    "null | .[1e18] = 1",
    "[range(1e5)] | combinations(9)| select(false)",
    "[range(3e4)] | [.[] as $a | .[] as $b | [$a, $b]] | length",
    "[range(1e5)] | [paths, paths, paths] | [.[], .[]] | [combinations(3)]",
    "\"a\" * 5000 | [match(\"a\"; \"g\")] | [.[] as $m | .[]] | length",
    "\"a\" * 1000000 | [scan(\"a{1,1000}{1,1000}\")]",
    "\"a\" * 100 | gsub(\"a{1000}{1000}{1000}\"; \"b\")",
    "[limit(100000; repeat(\"x\"))] | join(\",\") | . as $s | [range(1000)] | map($s) | tojson",
    "\"bab\" | [splits(\"a\")] | until(false; [.])",
    "\"%Y\" * 5000000 | . as $f | 0 | strftime($f)",
    "def f: def g: f; [g, f]; f",
    "label $a | foreach repeat(1) as $x (0; . + 1; if . < 0 then break $a else empty end)",
    "[limit(1e7; repeat({a: [1, 2, 3]}))] | group_by(.a) | tojson",
    "first(range(1e12) | select(. < 0))",
    "isempty(repeat(empty))",
    "input_line_number | until(false; .)",
    "[range(2e6)] | sort_by(-.) | reverse | unique | tojson | explode | implode | [match(\"1\"; \"g\")]",
    "[range(1e6) | tostring] | until(false; map(. + .))",
    "{} | .[range(1e7) | tostring] = 1",
    "reduce range(1e7) as $i ({}; .[$i | tostring] = $i)",
    "\"x\" | until(false; @json)",
    "\"&\" | until(false; @html)",
    "\"x\" | until(false; @base64)",
];

#[test]
fn every_endless_program_ends_with_an_error_within_its_bounds() {
    let mut evaluator = evaluator();
    for program in ENDLESS {
        let start = Instant::now();
        let result = run(&mut evaluator, program, &Value::Null, &[]);
        assert!(start.elapsed() < PATIENCE, "{program} took {:?}", start.elapsed());
        match result {
            Err(ExpressionError::TimeLimit(_) | ExpressionError::MemoryLimit(_) | ExpressionError::DataLimit(_)) => {}
            Err(ExpressionError::Failed(message)) => assert!(
                ["the recursion is too deep", "Array index too large"].iter().any(|known| message.starts_with(known))
                    || message.contains("is not a regular expression: "),
                "{program}: {message}"
            ),
            other => panic!("{program}: {other:?}"),
        }
        assert_eq!(run(&mut evaluator, ". + 1", &json!(1), &[]), Ok(json!(2)), "after {program}");
    }
}

#[test]
fn programs_that_nest_deeply_are_refused() {
    let deep = |open: &str, close: &str, levels: usize| format!("{}1{}", open.repeat(levels), close.repeat(levels));
    let programs = [
        "[".repeat(100_000),
        "(".repeat(100_000),
        "{a:".repeat(50_000),
        deep("[", "]", 100_000),
        deep("(", ")", 100_000),
        deep("\"\\(", ")\"", 40_000),
        deep("if 1 then ", " end", 15_000),
        deep("def f: ", "; f", 20_000),
        deep("try ", "", 50_000),
        deep("-", "", 200_000),
        deep("1 as $x | ", "", 20_000),
        deep("reduce 1 as $x (0; ", ")", 10_000),
        deep(".[", "]", 80_000),
        deep("label $a | ", "", 20_000),
        format!("1{}", " + 1".repeat(60_000)),
        format!("1{}", "|1".repeat(100_000)),
        format!("1{}", ",1".repeat(100_000)),
        format!(".{}", ".a".repeat(100_000)),
        format!("[{}]", "1,".repeat(100_000)),
        format!("1{}", "?".repeat(200_000)),
        format!("{}1", "def f: 1; ".repeat(25_000)),
        format!("{} f", "def f: f; ".repeat(20_000)),
        format!("1 as [{}] | 1", "[".repeat(100_000)),
    ];
    let mut evaluator = evaluator();
    for program in &programs {
        let start = Instant::now();
        let result = run(&mut evaluator, program, &Value::Null, &[]);
        let shown = &program[..program.len().min(20)];
        assert!(start.elapsed() < PATIENCE, "{shown} took {:?}", start.elapsed());
        assert!(!matches!(result, Err(ExpressionError::Unavailable(_))), "{shown}: {result:?}");
        assert_eq!(run(&mut evaluator, ". + 1", &json!(1), &[]), Ok(json!(2)), "after {shown}");
    }
}

#[test]
fn recursion_that_people_write_is_deep_enough() {
    let cases = [
        ("def f: if . == 0 then 0 else (. - 1 | f) + 1 end; 5000 | f", json!(5000)),
        ("def f: if . == 0 then 0 else . + (. - 1 | f) end; 5000 | f", json!(12_502_500)),
        ("def fac: if . < 2 then 1 else . * (. - 1 | fac) end; 20 | fac", json!(2_432_902_008_176_640_000_u64)),
        ("def build: if . == 0 then null else [(. - 1 | build)] end; 90 | build | flatten | length", json!(1)),
        ("def f: if . == 0 then . else . - 1 | f end; 1000000 | f", json!(0)),
        ("[recurse(if . < 10000 then . + 1 else empty end)] | length", json!(10_001)),
        ("last(range(1000000))", json!(999_999)),
        ("reduce range(1000000) as $i (0; . + $i)", json!(499_999_500_000_u64)),
        ("[limit(100000; repeat(1))] | add", json!(100_000)),
        ("0 | until(. == 1000000; . + 1)", json!(1_000_000)),
    ];
    for (program, expected) in cases {
        let limits = EvaluatorLimits { time: PATIENCE, ..EvaluatorLimits::default() };
        let mut evaluator = EVALUATORS.evaluator(limits);
        assert_eq!(run(&mut evaluator, program, &json!(0), &[]), Ok(expected), "{program}");
    }
}

#[test]
fn a_regular_expression_takes_linear_time() {
    assert_eq!(result_of("\"a\" * 100 + \"b\" | test(\"^(a+)+$\")"), Ok(json!(false)));
    assert_eq!(result_of("\"a\" * 1000 | test(\"(a|aa)+$\")"), Ok(json!(true)));
}

#[test]
fn compiling_is_within_the_time_too() {
    const SHORT: Duration = Duration::from_millis(2);
    let mut evaluator = EVALUATORS.evaluator(EvaluatorLimits { time: SHORT, ..EvaluatorLimits::default() });
    let members: Vec<String> = (0..9_000).map(|number| format!("m{number}: (1|tostring|length)")).collect();
    let program = format!("{{{}}}", members.join(", "));
    assert_eq!(evaluator.check(&program, &[]), Err(ExpressionError::TimeLimit(SHORT)));
}

#[test]
fn a_spinning_evaluation_does_not_hold_up_others() {
    const LONG: Duration = Duration::from_secs(2);
    let spinning = std::thread::spawn(|| {
        let limits = EvaluatorLimits { time: LONG, ..EvaluatorLimits::default() };
        run(&mut EVALUATORS.evaluator(limits), "def f: f; f", &Value::Null, &[])
    });
    let mut other = evaluator();
    for number in 0..50 {
        assert_eq!(run(&mut other, ". + 1", &json!(number), &[]), Ok(json!(number + 1)));
    }
    assert!(!spinning.is_finished(), "50 evaluations took as long as the whole time of another");
    assert_eq!(spinning.join().unwrap(), Err(ExpressionError::TimeLimit(LONG)));
}
