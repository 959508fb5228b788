//! Expressions are checked before anything runs, by the evaluator that will run them: one snapshot for each document.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use hotcell_definition::{Code, Definition, Diagnostic};
use hotcell_runtime::check_expressions;
use hotcell_sandbox::{EvaluatorLimits, Evaluators};

static EVALUATORS: LazyLock<Evaluators> = LazyLock::new(|| Evaluators::new().unwrap());

fn check(text: &str) -> Vec<Diagnostic> {
    let parsed = Definition::parse(text.as_bytes()).unwrap_or_else(|refused| panic!("{refused}"));
    check_expressions(&parsed, text, &mut EVALUATORS.evaluator(EvaluatorLimits::default()))
}

fn documents(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files.into_iter().map(|file| (file.clone(), std::fs::read_to_string(file).unwrap())).collect()
}

fn show(diagnostic: &Diagnostic, document: &str) -> String {
    let place = diagnostic.place;
    let line = document.lines().nth(place.line as usize - 1).unwrap_or_default();
    let marks = "^".repeat(document[place.bytes()].lines().next().unwrap_or_default().chars().count().max(1));
    let mut text = String::new();
    writeln!(text, "{} at {}:{} {}", diagnostic.code, place.line, place.column, diagnostic.pointer).unwrap();
    writeln!(text, "    {line}\n    {}{marks}", " ".repeat(place.column as usize - 1)).unwrap();
    writeln!(text, "  {}\n  {}", diagnostic.message, diagnostic.help).unwrap();
    text
}

#[test]
fn what_is_wrong_in_an_expression_is_told_where_it_stands_in_the_document() {
    for (path, text) in documents("tests/expressions") {
        let shown: Vec<_> = check(&text).iter().map(|diagnostic| show(diagnostic, &text)).collect();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "expressions" }, {
            insta::assert_snapshot!(name, shown.join("\n"));
        });
    }
}

#[test]
fn nothing_is_wrong_with_the_expressions_of_the_specification_and_of_our_examples() {
    let folders = [
        "../definition/tests/spec-examples",
        "../definition/tests/reference-examples",
        "../../examples/orders",
        "../../examples/hello",
    ];
    for (path, text) in folders.into_iter().flat_map(documents) {
        assert_eq!(check(&text), [], "{path:?}");
    }
}

#[test]
fn in_loose_mode_a_string_that_is_not_jq_is_just_a_string() {
    let head = "document: { dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }\nevaluate: { mode: loose }\n";
    let found = check(&format!("{head}do:\n  - a:\n      set: {{ x: 'is not jq', y: '${{ is not jq }}' }}\n"));
    assert_eq!(found.iter().map(|found| found.pointer.as_str()).collect::<Vec<_>>(), ["/do/0/a/set/y"]);
}

#[test]
fn hostile_documents_are_checked_in_bounded_time() {
    let head = "document: { dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }\ndo:\n  - a:\n      set:\n";
    let start = Instant::now();
    // Depth, length, and number.
    let deep = format!("{head}        x: ${{ {}1{} }}\n", "[".repeat(30_000), "]".repeat(30_000));
    let found = check(&deep);
    assert_eq!(found.iter().map(|found| found.code).collect::<Vec<_>>(), [Code::InvalidExpression], "{found:?}");
    let mut many = head.to_owned();
    for number in 0..60_000 {
        writeln!(many, "        x{number}: ${{ .a + {number} }}").unwrap();
    }
    let found = check(&many);
    assert!(found.iter().all(|found| found.code == Code::ExpressionsNotChecked), "{found:?}");
    assert!(start.elapsed() < hotcell_runtime::MAX_CHECK_TIME + Duration::from_secs(60), "{:?}", start.elapsed());
}
