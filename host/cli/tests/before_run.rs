//! What is told before a workflow runs: by `hotcell validate`, and by `hotcell run` before its first task.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

const HEAD: &str = "document: { dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }\n";

/// A folder with these files; each workflow begins with its `document`.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
        let head = if name.ends_with("workflow.yaml") { HEAD } else { "" };
        std::fs::write(path, format!("{head}{content}")).expect("a file");
    }
    folder
}

fn hotcell(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotcell"));
    command.env("HOTCELL_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")).env_remove("HOTCELL_LOG");
    command.args(arguments).current_dir(folder).output().expect("the command runs")
}

/// What `hotcell validate` finds: code, severity, pointer, line and column.
fn found(arguments: &[&str], folder: &Path) -> Vec<(String, String, String, u64, u64)> {
    let output = hotcell(&[&["validate", "--format", "json"], arguments].concat(), folder);
    let reports: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let diagnostics = reports[0]["diagnostics"].as_array().expect("a list");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let number = |value: &Value| value.as_u64().expect("a number");
    let entry = |found: &Value| {
        let [code, severity, pointer] = ["code", "severity", "pointer"].map(|name| text(&found[name]));
        (code, severity, pointer, number(&found["line"]), number(&found["column"]))
    };
    diagnostics.iter().map(entry).collect()
}

fn entry(code: &str, severity: &str, pointer: &str, line: u64, column: u64) -> (String, String, String, u64, u64) {
    (code.into(), severity.into(), pointer.into(), line, column)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn each_schema_that_is_none_is_refused_with_its_place() {
    let text = "input:\n  schema:\n    document:\n      properties:\n        a: { type: bogus }\ndo:\n\
                - a: { set: { n: 1 }, output: { schema: { document: { pattern: '(' } } } }\n\
                - b: { set: { n: 1 }, export: { schema: { document: { items: 5 } } } }\n";
    let folder = folder(&[("workflow.yaml", text)]);
    let expected = [
        entry("invalid-schema", "error", "/input/schema/document/properties/a/type", 6, 14),
        entry("invalid-schema", "error", "/do/0/a/output/schema/document/pattern", 8, 55),
        entry("invalid-schema", "error", "/do/1/b/export/schema/document/items", 9, 55),
    ];
    assert_eq!(found(&["workflow.yaml"], folder.path()), expected);
    let output = hotcell(&["run", "workflow.yaml"], folder.path());
    assert!(stderr(&output).contains("invalid-schema") && output.status.code() == Some(1), "{}", stderr(&output));
}

#[test]
fn a_schema_whose_references_lead_nowhere_is_refused_before_anything_runs() {
    let text = "input: { schema: { resource: { endpoint: order.json } } }\ndo: [ { a: { set: { n: 1 } } } ]\n";
    for (order, more, said) in [
        (r#"{"$ref": "none.json"}"#, None, "none.json: there is no such file"),
        (r##"{"$ref": "common.json#/$defs/none"}"##, Some("{}"), "/$defs/none"),
        (r#"{"$ref": "common.json"}"#, Some(r#"{"type": "bogus"}"#), "the schema is not valid, at /type"),
        (r#"{"$ref": "../secret.json"}"#, None, "not a path within the folder of the definition"),
        (r#"{"$ref": "https://example.com/x.json"}"#, None, "--allow-net"),
        (r#"{"$ref": "ftp://example.com/x.json"}"#, None, "nothing is loaded by ftp"),
    ] {
        let mut files = vec![("flow/workflow.yaml", text), ("flow/order.json", order), ("secret.json", "{}")];
        files.extend(more.map(|more| ("flow/common.json", more)));
        let folder = folder(&files);
        let output = hotcell(&["run", "flow/workflow.yaml", "--progress", "none"], folder.path());
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(2), &b""[..]), "{order}");
        assert!(stderr(&output).contains(said) && stderr(&output).contains("workflow.yaml:2:"), "{}", stderr(&output));
    }
}

#[test]
fn documents_that_refer_to_each_other_without_end_are_bounded() {
    let text = "input: { schema: { resource: { endpoint: s0.json } } }\ndo: [ { a: { set: { n: 1 } } } ]\n";
    let schemas: Vec<(String, String)> =
        (0..40).map(|n| (format!("s{n}.json"), format!(r#"{{"$ref": "s{}.json"}}"#, n + 1))).collect();
    let mut files = vec![("workflow.yaml", text)];
    files.extend(schemas.iter().map(|(name, content)| (name.as_str(), content.as_str())));
    let output = hotcell(&["run", "workflow.yaml", "--progress", "none"], folder(&files).path());
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("more than 16 levels deep"), "{}", stderr(&output));
}

#[test]
fn a_workflow_that_nobody_has_is_told_before_the_run() {
    let text = "do:\n- a:\n    if: 'false'\n    run: { workflow: { namespace: test, name: nobody, version: '1.0.0' } }\n\
                - b: { run: { workflow: { namespace: test, name: child, version: '^1' } } }\n";
    let child = "document: { dsl: '1.0.3', namespace: test, name: child, version: '1.2.0' }\ndo: [ { c: { set: { n: 1 } } } ]\n";
    let folder = folder(&[("flow/workflow.yaml", text), ("catalog/child.yaml", child)]);
    let place = |severity| entry("unknown-workflow", severity, "/do/0/a/run/workflow/name", 5, 41);
    assert_eq!(found(&["flow/workflow.yaml", "--catalog", "catalog"], folder.path()), [place("error")]);
    let without = found(&["flow/workflow.yaml"], folder.path());
    assert_eq!((without.len(), &without[0]), (2, &place("warning")));

    let output = hotcell(&["run", "flow/workflow.yaml", "--catalog", "catalog"], folder.path());
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), json!({"n": 1}).to_string(), "{}", stderr(&output));
    assert!(stderr(&output).contains("There is no workflow test/nobody 1.0.0"), "{}", stderr(&output));
}

#[test]
fn no_path_leads_out_of_the_folder_of_the_definition() {
    for (task, place) in [
        ("call: wasm, with: { component: ../secret.wasm }", "/do/0/a"),
        ("call: wasm, with: { component: a/../../secret.wasm }", "/do/0/a"),
        ("run: { script: { language: js, source: { endpoint: ../secret.js } } }", "/do/0/a"),
        ("set: { n: 1 }, input: { schema: { resource: { endpoint: ../secret.json } } }", "2:"),
    ] {
        let text = format!("do: [ {{ a: {{ {task} }} }} ]\n");
        let folder = folder(&[
            ("flow/workflow.yaml", text.as_str()),
            ("secret.wasm", "x"),
            ("secret.js", "console.log('secret')"),
            ("secret.json", "{}"),
        ]);
        let output = hotcell(&["run", "flow/workflow.yaml"], folder.path());
        let said = stderr(&output);
        assert!(!output.status.success(), "{task}");
        assert!(said.contains("within the folder of the definition") && said.contains(place), "{task}: {said}");
    }
}

/// The folder may have come from somebody who wants to know what is in the files of this host.
#[test]
fn links_that_lead_out_of_the_folder_are_refused_everywhere() {
    for task in [
        "call: wasm, with: { component: linked/task.wasm }",
        "run: { script: { language: js, source: { endpoint: linked/script.js } } }",
        "set: { n: 1 }, input: { schema: { resource: { endpoint: linked/schema.json } } }",
    ] {
        let text = format!("do: [ {{ a: {{ {task} }} }} ]\n");
        let files = [
            ("flow/workflow.yaml", text.as_str()),
            ("other/task.wasm", "x"),
            ("other/script.js", "1"),
            ("other/schema.json", "{}"),
        ];
        let folder = folder(&files);
        std::os::unix::fs::symlink("../other", folder.path().join("flow/linked")).expect("a link");
        let output = hotcell(&["run", "flow/workflow.yaml"], folder.path());
        assert!(!output.status.success(), "{task}");
        assert!(stderr(&output).contains("link out of the folder"), "{task}: {}", stderr(&output));
    }
}

#[test]
fn the_first_compilation_is_told_before_it_takes_its_time() {
    let folder = folder(&[("workflow.yaml", "do: [ { a: { set: '${ .n + 1 }' } } ]\n")]);
    let run =
        || stderr(&hotcell(&["run", "workflow.yaml", "--input", r#"{"n":1}"#, "--cache", "cache"], folder.path()));
    let first = run();
    assert!(first.starts_with("hotcell: preparing the evaluator"), "{first}");
    assert!(!run().contains("preparing the evaluator"), "it was kept");
}
