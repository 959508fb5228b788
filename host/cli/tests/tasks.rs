//! What can be a task, as a user finds it out: commands in any language, functions of any type, and what a file is.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Guests that `scripts/guests` built for the tests of the sandbox.
fn guests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sandbox/tests/cells")
}

/// A folder with a workflow and these components beside it.
fn folder(tasks: &str, components: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for component in components {
        std::fs::copy(guests().join(component), folder.path().join(component)).expect("a guest");
    }
    let document = format!("document: {{ dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }}\n{tasks}");
    std::fs::write(folder.path().join("workflow.yaml"), document).expect("a file");
    folder
}

fn hotcell(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hotcell"))
        .env("HOTCELL_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"))
        .env_remove("HOTCELL_LOG")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn output(folder: &Path) -> Value {
    let output = hotcell(folder, &["run", "workflow.yaml", "--progress", "none"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)))
}

#[test]
fn a_command_in_rust_is_a_task_and_its_exit_code_a_problem() {
    let tasks = "do:
- good: { call: wasm, with: { component: tally.wasm, input: { numbers: [1, 2.5] } }, export: { as: '${ { good: . } }' } }
- bad:
    try: [ { sum: { call: wasm, with: { component: tally.wasm, input: { numbers: 3 } } } } ]
    catch: { as: e, do: [ { both: { set: '${ { good: $context.good, bad: [$e.title, $e.detail] } }' } } ] }";
    let both = output(folder(tasks, &["tally.wasm"]).path());
    assert_eq!(both["good"], json!({"sum": 3.5, "count": 2, "arguments": 1, "variables": 0}));
    assert_eq!(both["bad"][0], "Exit code 3");
    assert!(both["bad"][1].as_str().unwrap().starts_with("the input is no tally: invalid type"), "{both}");
}

#[test]
fn a_command_in_c_is_a_task() {
    let tasks = "do:
- count: { call: wasm, with: { component: count.wasm, input: { text: '${ .text }' } } }";
    let folder = folder(tasks, &[]);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/tally-c/main.c");
    let mut compile = Command::new("clang");
    compile.args(["--target=wasm32-wasi", "-O2", "-o", "count.wasm"]).arg(source).current_dir(folder.path());
    let clang = compile.output();
    if !clang.is_ok_and(|clang| clang.status.success()) {
        eprintln!("skipped: there is no C compiler for WASI (apt-get install clang lld wasi-libc)");
        return;
    }
    let run = |input: Value| {
        let input = input.to_string();
        hotcell(folder.path(), &["run", "workflow.yaml", "--progress", "none", "--input", &input])
    };
    assert_eq!(text(&run(json!({"text": "abc"})).stdout), "{\"bytes\":14}\n");
    let long = run(json!({"text": "x".repeat(2_000)}));
    assert_eq!(long.status.code(), Some(1));
    assert!(
        text(&long.stderr).contains("Exit code 200") && text(&long.stderr).contains("are too many"),
        "{}",
        text(&long.stderr)
    );
}

#[test]
fn a_function_is_called_by_its_name_with_json_and_its_error_can_be_caught() {
    let tasks = "do:
- total: { call: wasm, with: { component: types.wasm, export: total, input: { items: [ { sku: a, price: 250, amount: 2 } ] } } }
- refused:
    try: [ { x: { call: wasm, with: { component: types.wasm, export: 'echo#total', input: { items: [], voucher: FREE } } } } ]
    catch: { as: e, do: [ { y: { set: '${ { total: $input, error: $e.error } }' } } ] }
- unfit:
    try: [ { x: { call: wasm, with: { component: types.wasm, export: total, input: { order: { items: [ { sku: a, price: x } ] } } } } } ]
    catch: { errors: { with: { status: 400 } }, as: e, do: [ { y: { set: '${ { before: $input, detail: $e.detail } }' } } ] }";
    let end = output(folder(tasks, &["types.wasm"]).path());
    assert_eq!(end["before"], json!({"total": 500, "error": {"unknown-voucher": "FREE"}}));
    assert_eq!(end["detail"], r#"$.order.items[0].price: expected u32, got "x""#);
}

#[test]
fn a_definition_that_calls_what_a_component_does_not_export_is_not_valid() {
    let tasks = "do: [ { a: { call: wasm, with: { component: types.wasm, export: totl } } } ]";
    let folder = folder(tasks, &["types.wasm"]);
    let refused = hotcell(folder.path(), &["validate", "workflow.yaml"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = text(&refused.stderr);
    assert!(said.contains("component-not-callable") && said.contains("no function `totl`"), "{said}");
    // A component that is not built yet is no mistake of the definition.
    std::fs::remove_file(folder.path().join("types.wasm")).expect("it is there");
    assert_eq!(hotcell(folder.path(), &["validate", "workflow.yaml"]).status.code(), Some(0));
}

#[test]
fn inspecting_a_component_shows_how_each_of_its_functions_is_called() {
    let folder = folder("do: []", &["types.wasm", "tally.wasm"]);
    let shown = text(&hotcell(folder.path(), &["component", "inspect", "types.wasm"]).stdout);
    for line in [
        "types.wasm: a component, ",
        "    total: func(order: order) -> result<u64, refusal>\n",
        "      export: \"test:types/echo@1.0.0#total\"\n",
        "      input: {\"items\":[{\"sku\":\"text\",\"price\":1,\"amount\":1}],\"voucher\":\"text\"}\n",
        "    cannot be called: its parameter `things` is or holds a resource",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    let command = text(&hotcell(folder.path(), &["component", "inspect", "tally.wasm"]).stdout);
    assert!(command.contains("a core module") && command.contains("(WASI command, called by default)"), "{command}");
    assert!(command.contains("granted  wasi:cli/stdin@0.2."), "{command}");
}

#[test]
fn every_example_that_inspecting_shows_fits_the_function() {
    let folder = folder("do: []", &["types.wasm"]);
    let shown = hotcell(folder.path(), &["component", "inspect", "types.wasm", "--json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    let mut called = 0;
    for export in shown["exports"].as_array().expect("a list") {
        let Some(example) = export.get("example") else { continue };
        let with = json!({"component": "types.wasm", "export": export["name"], "input": example});
        let document = json!({
            "document": {"dsl": "1.0.3", "namespace": "test", "name": "test", "version": "1.0.0"},
            "do": [{"call": {"call": "wasm", "with": with}}],
        });
        std::fs::write(folder.path().join("workflow.yaml"), document.to_string()).expect("a file");
        let run = hotcell(folder.path(), &["run", "workflow.yaml", "--progress", "none"]);
        let said = text(&run.stderr);
        assert!(!said.contains("does not fit") && !said.contains("not callable"), "{}: {said}", export["name"]);
        called += 1;
    }
    assert_eq!(called, 7);
}

#[test]
fn what_is_not_a_component_is_told_with_what_it_is() {
    let folder = folder("do: []", &["types.wasm"]);
    std::fs::write(folder.path().join("text.wat"), "(module)").expect("a file");
    std::fs::write(folder.path().join("notes.txt"), "hello").expect("a file");
    let whole = std::fs::read(folder.path().join("types.wasm")).expect("a guest");
    std::fs::write(folder.path().join("half.wasm"), &whole[..whole.len() / 2]).expect("a file");
    for (file, reason) in [
        ("text.wat", "WebAssembly in text form"),
        ("notes.txt", "something else"),
        ("half.wasm", "not valid here"),
        ("missing.wasm", "No such file"),
        (".", "not a file"),
    ] {
        let refused = hotcell(folder.path(), &["component", "inspect", file]);
        assert_eq!(refused.status.code(), Some(2), "{file}");
        assert!(text(&refused.stderr).contains(reason), "{file}: {}", text(&refused.stderr));
    }
}
