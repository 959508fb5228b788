//! What a program has used is given back. Alone in its process, whose memory it measures.
#![cfg(target_os = "linux")]

use hotcell_expression::{Evaluation, Evaluator};
use hotcell_sandbox::{EvaluatorLimits, Evaluators};
use jiff::Timestamp;
use serde_json::Value;

/// Each of them fills a cell.
const HUNGRY: &[&str] = &[
    "[range(1e9)]",
    "[repeat(1)]",
    "\"a\" | until(false; . + .)",
    "[1] | until(false; . + .)",
    "reduce range(1e9) as $i (\"\"; . + \"xxxxxxxxxxxxxxxx\")",
    "[limit(1e9; repeat(\"x\"))] | join(\"\")",
    "\"a\" * 50000000",
    "[range(1e6) | tostring] | until(false; map(. + .))",
    "[range(9e5)]",
];

#[test]
fn evaluators_keep_little_of_what_a_program_has_used() {
    let evaluators = Evaluators::new().unwrap();
    let mut kept: Vec<_> = (0..20).map(|_| evaluators.evaluator(EvaluatorLimits::default())).collect();
    let mut run = |number: usize, program: &str| {
        let now = Timestamp::UNIX_EPOCH;
        kept[number % 20].evaluate(Evaluation { program, input: &Value::Null, variables: &[], now })
    };
    for number in 0..20 {
        run(number, ".").unwrap();
    }
    let before = resident_memory();
    for (number, program) in HUNGRY.iter().cycle().take(36).enumerate() {
        drop(run(number, program));
        let grown = resident_memory().saturating_sub(before);
        assert!(grown < 100 << 20, "after {program}, {} MiB are kept", grown >> 20);
    }
}

/// Bytes of this process that are in memory.
fn resident_memory() -> u64 {
    let statistics = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statistics.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap();
    pages * 4096
}
