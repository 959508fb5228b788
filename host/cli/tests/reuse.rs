//! What workflows reuse, as a user sees it: functions of the document, of catalogs and in files, extensions, schemas
//! in files, and other workflows.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

/// A folder with files in it, from which `hotcell` is run.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Folder(tempfile::tempdir().expect("a folder"));
        for (name, text) in files {
            let path = folder.path(name);
            std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `hotcell run workflow.yaml`, which performs these tasks.
    fn command(&self, rest: &str, arguments: &[&str]) -> Command {
        let document = format!("document: {{ dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }}\n{rest}");
        std::fs::write(self.path("workflow.yaml"), document).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotcell"));
        command.env("HOTCELL_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        command.env_remove("HOTCELL_LOG");
        command.current_dir(self.0.path()).args(["run", "workflow.yaml"]).args(arguments);
        command
    }

    fn run(&self, rest: &str, arguments: &[&str]) -> Output {
        self.command(rest, arguments).output().expect("the command runs")
    }

    #[track_caller]
    fn outputs(&self, rest: &str, arguments: &[&str], expected: &Value) {
        let output = self.run(rest, arguments);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(text, format!("{expected}\n"), "{}", String::from_utf8_lossy(&output.stderr));
    }

    #[track_caller]
    fn is_refused(&self, rest: &str, arguments: &[&str], parts: &[&str]) {
        let output = self.run(rest, arguments);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text}");
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in: {text}");
        }
    }
}

fn events(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stderr.clone()).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not an event: {line}"))).collect()
}

const DOUBLE: &str = "
input: { schema: { document: { type: object, properties: { n: { type: integer } }, required: [ n ] } } }
do: [ { double: { set: '${ .n * 2 }' } } ]
";

const CALL_DOUBLE: &str = "do: [ { x: { call: 'double:1.0.0@lib', with: { n: 21 } } } ]";

#[test]
fn a_function_of_the_document_is_called_with_its_arguments() {
    let folder = Folder::new(&[]);
    let rest = "use: { functions: { add: { set: '${ .a + .b }' } } }\ndo: [ { x: { call: add, with: { a: 1, b: '${ .n }' } } } ]";
    folder.outputs(rest, &["--input", r#"{"n":2}"#], &json!(3));
}

#[test]
fn a_catalog_is_a_folder_beside_the_definition_or_anywhere() {
    let folder = Folder::new(&[("catalog/functions/double/1.0.0/function.yaml", DOUBLE)]);
    let catalogs = [
        "catalogs: { lib: { endpoint: catalog } }".to_owned(),
        "catalogs: { lib: { endpoint: { uri: catalog } } }".to_owned(),
        format!("catalogs: {{ lib: {{ endpoint: '{}' }} }}", url::Url::from_file_path(folder.path("catalog")).unwrap()),
    ];
    for catalog in catalogs {
        folder.outputs(&format!("use: {{ {catalog} }}\n{CALL_DOUBLE}"), &[], &json!(42));
    }
}

#[test]
fn the_default_catalog_is_the_one_of_the_command() {
    let folder = Folder::new(&[("catalog/functions/double/1.0.0/function.yaml", DOUBLE)]);
    let rest = "do: [ { x: { call: 'double:1.0.0@default', with: { n: 21 } } } ]";
    folder.outputs(rest, &["--catalog", "catalog"], &json!(42));
    folder.is_refused(rest, &[], &["workflow.yaml:2:14", "/do/0/x/call", "no default catalog", "--catalog"]);
}

#[test]
fn a_function_from_elsewhere_checks_its_arguments_at_its_call() {
    let folder = Folder::new(&[("catalog/functions/double/1.0.0/function.yaml", DOUBLE)]);
    let rest = "use: { catalogs: { lib: { endpoint: catalog } } }\ndo: [ { x: { call: 'double:1.0.0@lib', with: { n: many } } } ]";
    let output = folder.run(rest, &["--progress", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let events = events(&output);
    let error = &events.last().expect("events")["error"];
    assert_eq!((&error["instance"], &error["status"]), (&json!("/do/0/x/call"), &json!(400)), "{error}");
}

#[test]
fn a_function_that_is_missing_or_broken_is_told_before_anything_runs() {
    let folder = Folder::new(&[
        ("catalog/functions/broken/1.0.0/function.yaml", "sett: { a: 1 }"),
        ("catalog/functions/other/1.0.0/function.yaml", "do: [ { a: { run: { shell: { command: ls } } } } ]"),
        ("catalog/functions/nests/1.0.0/function.yaml", "call: 'broken:1.0.0@default'"),
    ]);
    let call = |name: &str| {
        format!("use: {{ catalogs: {{ lib: {{ endpoint: catalog }} }} }}\ndo: [ {{ x: {{ call: '{name}' }} }} ]")
    };
    folder.is_refused(
        &call("gone:1.0.0@lib"),
        &[],
        &["/do/0/x/call", "gone/1.0.0/function.yaml: there is no such file"],
    );
    folder.is_refused(
        &call("broken:1.0.0@lib"),
        &[],
        &["/do/0/x/call", "broken/1.0.0/function.yaml:1:1", "Did you mean `set`"],
    );
    for arguments in [&[][..], &["--allow-host-shell"]] {
        let parts = ["/do/0/x/call: ", "other/1.0.0/function.yaml at \"/do/0/a/run\"", "outside of any cell"];
        folder.is_refused(&call("other:1.0.0@lib"), arguments, &parts);
    }
    folder.is_refused(&call("nests:1.0.0@lib"), &["--catalog", "catalog"], &["broken/1.0.0/function.yaml:1:1"]);
    folder.is_refused(&call("../../secret:1.0.0@lib"), &[], &["names and versions of functions"]);
    folder.is_refused(&call("https://example.com/f"), &[], &["https://example.com/f/function.yaml"]);
}

#[test]
fn functions_from_elsewhere_that_refer_to_each_other_without_end_are_refused() {
    let folder = Folder::new(&[("f/function.yaml", "call: 'file:///gone/function.yaml'")]);
    let url = url::Url::from_file_path(folder.path("f/function.yaml")).unwrap();
    // It calls itself: one document, which is loaded once, and stopped when it runs.
    std::fs::write(folder.path("f/function.yaml"), format!("call: '{url}'")).unwrap();
    let output = folder.run(&format!("do: [ {{ x: {{ call: '{url}' }} }} ]"), &["--progress", "json"]);
    assert_eq!(events(&output).last().expect("events")["error"]["title"], "Nesting limit");

    for number in 0..40 {
        let name = format!("chain/functions/f{number}/1.0.0/function.yaml");
        std::fs::create_dir_all(folder.path(&name).parent().unwrap()).unwrap();
        std::fs::write(folder.path(&name), format!("call: 'f{}:1.0.0@default'", number + 1)).unwrap();
    }
    folder.is_refused("do: [ { x: { call: 'f0:1.0.0@default' } } ]", &["--catalog", "chain"], &["16 levels deep"]);
}

#[test]
fn a_function_finds_its_component_in_its_own_folder_and_gets_no_secrets() {
    let component = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/hello/components/greet.wasm");
    let folder = Folder::new(&[(
        "catalog/functions/greet/1.0.0/function.yaml",
        "{ call: wasm, with: { component: parts/greet.wasm, input: { name: '${ .who }' } } }",
    )]);
    std::fs::create_dir(folder.path("catalog/functions/greet/1.0.0/parts")).unwrap();
    std::fs::copy(component, folder.path("catalog/functions/greet/1.0.0/parts/greet.wasm")).unwrap();
    let catalog = "use: { catalogs: { lib: { endpoint: catalog } } }";
    let rest = format!("{catalog}\ndo: [ {{ x: {{ call: 'greet:1.0.0@lib', with: {{ who: Ada }} }} }} ]");
    folder.outputs(&rest, &[], &json!({"greeting": "Hello Ada!"}));

    std::fs::write(folder.path("catalog/functions/greet/1.0.0/function.yaml"), "set: '${ $secrets.key }'").unwrap();
    let rest = "use: { secrets: [ key ], catalogs: { lib: { endpoint: catalog } } }\ndo: [ { x: { call: 'greet:1.0.0@lib' } } ]";
    let output = folder.run(rest, &["--progress", "json", "--secret", "key=s3cret"]);
    assert_eq!(events(&output).last().expect("events")["error"]["status"], 403);
}

#[test]
fn an_extension_tells_of_each_task_and_can_stand_for_one() {
    let folder = Folder::new(&[]);
    let rest = "
use:
  functions: { fetch: { raise: { error: { type: https://example.com/unreachable, status: 503 } } } }
  extensions:
    - mock:
        extend: call
        when: $task.with.endpoint | startswith(\"https://mocked.example.com\")
        before:
          - respond: { set: { content: mocked, at: '${ $task.reference }' }, then: exit }
do:
  - x: { call: fetch, with: { endpoint: https://mocked.example.com/pets } }
";
    folder.outputs(rest, &[], &json!({"content": "mocked", "at": "/do/0/x"}));
}

#[test]
fn a_schema_may_be_in_a_file_beside_the_document() {
    let folder = Folder::new(&[
        ("schemas/order.json", r#"{ "type": "object", "required": ["id"] }"#),
        ("schemas/broken.yaml", "type: [ object"),
        ("schemas/tuple.yaml", "{ type: array, items: [ { type: integer } ] }"),
    ]);
    let schema = |file: &str, format: &str| {
        format!(
            "input: {{ schema: {{ format: '{format}', resource: {{ endpoint: schemas/{file} }} }} }}\ndo: [ {{ x: {{ set: {{ ok: true }} }} }} ]"
        )
    };
    folder.outputs(&schema("order.json", "json"), &["--input", r#"{"id":1}"#], &json!({"ok": true}));
    let output = folder.run(&schema("order.json", "json:2020-12"), &["--progress", "json"]);
    assert_eq!(events(&output).last().expect("events")["error"]["status"], 400);
    folder.is_refused(&schema("broken.yaml", "json"), &[], &["/input/schema/resource", "schemas/broken.yaml:"]);
    folder.is_refused(&schema("gone.json", "json"), &[], &["schemas/gone.json: there is no such file"]);
    folder.is_refused(&schema("order.json", "json:3"), &[], &["/input/schema/format", "2020-12, 2019-09, 7"]);

    // A list under `items` is each item's schema in draft 7, and no schema any more in 2020-12.
    folder.outputs(&schema("tuple.yaml", "json:7"), &["--input", "[1,\"two\"]"], &json!({"ok": true}));
    assert_eq!(folder.run(&schema("tuple.yaml", "json:2020-12"), &["--input", "[1]"]).status.code(), Some(2));
}

#[test]
fn in_loose_mode_any_value_is_tried_and_what_fails_stays_a_string() {
    let folder = Folder::new(&[]);
    let rest = "
evaluate: { mode: loose }
do:
  - x: { set: { sum: .a + 1, text: not an expression at all, call: 'Hello ${ .a }, ${ .a | keys }!' } }
  - y: { input: { from: . }, set: '${ . }', output: { as: .sum | keys } }
  - z: { set: { said: . } }
";
    folder.outputs(rest, &["--input", r#"{"a":1}"#], &json!({"said": ".sum | keys"}));
    let rest = rest.replace("  - y", "  - skipped").replace("set: '${ . }'", "if: 'false', set: '${ . }'");
    let expected =
        json!({"said": {"sum": 2, "text": "not an expression at all", "call": "Hello ${ .a }, ${ .a | keys }!"}});
    folder.outputs(&rest, &["--input", r#"{"a":1}"#], &expected);
}

fn child(version: &str, rest: &str) -> String {
    format!("document: {{ dsl: '1.0.3', namespace: lib, name: child, version: '{version}' }}\n{rest}")
}

#[test]
fn a_workflow_is_found_by_its_version_the_latest_or_the_highest_of_a_range() {
    let versions = ["1.0.0", "1.10.0", "1.9.0", "2.0.0", "3.0.0-rc.1"];
    let files: Vec<(String, String)> = versions
        .iter()
        .map(|version| {
            (
                format!("catalog/{version}.yaml"),
                child(version, &format!("do: [ {{ a: {{ set: {{ v: '{version}' }} }} }} ]")),
            )
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let folder = Folder::new(&files);
    let run = |version: &str| {
        format!("do: [ {{ x: {{ run: {{ workflow: {{ namespace: lib, name: child, {version} }} }} }} }} ]")
    };
    for (wanted, found) in [
        ("version: latest", "2.0.0"),
        ("input: {}", "2.0.0"),
        ("version: '1.9.0'", "1.9.0"),
        ("version: ^1.2", "1.10.0"),
        ("version: 1.x", "1.10.0"),
        ("version: '>=1 <1.10'", "1.9.0"),
        ("version: 3.0.0-rc.1", "3.0.0-rc.1"),
    ] {
        folder.outputs(&run(wanted), &["--catalog", "catalog"], &json!({"v": found}));
    }
    let output = folder.run(&run("version: ^4"), &["--catalog", "catalog", "--progress", "json"]);
    let events = events(&output);
    let detail = events.last().expect("events")["error"]["detail"].as_str().expect("a detail");
    assert!(detail.contains("lib/child ^4") && detail.contains("1.0.0, 1.9.0, 1.10.0, 2.0.0, 3.0.0-rc.1"), "{detail}");
}

#[test]
fn a_workflow_runs_those_beside_it_and_first_those_of_the_catalog() {
    let folder = Folder::new(&[
        ("child.yaml", &child("1.0.0", "do: [ { a: { set: { from: beside } } } ]")),
        ("notes.yaml", "just: notes"),
        ("broken.yml", "do: [ {"),
        ("catalog/child.yaml", &child("1.0.0", "do: [ { a: { set: { from: catalog } } } ]")),
    ]);
    let rest = "do: [ { x: { run: { workflow: { namespace: lib, name: child, version: '1.0.0' } } } } ]";
    folder.outputs(rest, &[], &json!({"from": "beside"}));
    folder.outputs(rest, &["--catalog", "catalog"], &json!({"from": "catalog"}));
}

#[test]
fn a_workflow_that_is_not_awaited_runs_to_its_end_beside_its_parent() {
    let folder = Folder::new(&[(
        "catalog/child.yaml",
        &child("1.0.0", "do: [ { a: { wait: PT0.2S } }, { b: { set: { n: 1 } } } ]"),
    )]);
    let rest = "do: [ { x: { run: { workflow: { namespace: lib, name: child, version: '1.0.0' }, await: false } } }, { y: { set: '${ . }' } } ]";
    let output = folder.run(rest, &["--catalog", "catalog", "--progress", "json", "--input", r#"{"kept":true}"#]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "{\"kept\":true}\n");
    let ends: Vec<String> = events(&output)
        .iter()
        .filter(|event| event["event"] == "workflow_completed")
        .map(|event| event["execution"].as_str().expect("an id").to_owned())
        .collect();
    assert_eq!(ends.len(), 2, "{ends:?}");
    assert!(
        ends[1].starts_with(&format!("{}.", ends[0])),
        "the parent ends first, and its child is not lost: {ends:?}"
    );
}

#[cfg(unix)]
#[test]
fn an_interruption_reaches_the_workflows_that_a_workflow_runs() {
    let folder = Folder::new(&[("catalog/child.yaml", &child("1.0.0", "do: [ { sleep: { wait: PT1H } } ]"))]);
    let rest = "do: [ { x: { run: { workflow: { namespace: lib, name: child, version: '1.0.0' } } } } ]";
    let mut running = folder
        .command(rest, &["--catalog", "catalog", "--progress", "json"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(running.stderr.take().expect("a pipe")).lines().map(|line| line.expect("a line"));
    assert!(lines.any(|line| line.contains("task_started") && line.contains("/do/0/sleep")));
    let killed = Command::new("kill").args(["-INT", &running.id().to_string()]).status().expect("kill runs");
    assert!(killed.success());
    let rest: Vec<Value> = lines.map(|line| serde_json::from_str(&line).expect("an event")).collect();
    let cancelled = rest.iter().filter(|event| event["event"] == "workflow_cancelled").count();
    assert_eq!((cancelled, running.wait().expect("it ends").code()), (2, Some(130)), "{rest:?}");
}
