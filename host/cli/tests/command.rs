//! The `hotcell` command as scripts use it: what goes where, and which exit code.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// The command, with one cache of compiled components for all tests.
fn hotcell() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotcell"));
    command.env("HOTCELL_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    command.env_remove("HOTCELL_LOG");
    command
}

fn run(document: &str, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("workflow.yaml");
    std::fs::write(&file, document).expect("a file");
    hotcell().arg("run").arg(&file).args(arguments).output().expect("the command runs")
}

fn workflow(tasks: &str) -> String {
    format!("document: {{ dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }}\n{tasks}")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn events(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stderr.clone()).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not an event: {line}"))).collect()
}

#[test]
fn the_output_is_the_only_thing_on_standard_output() {
    let output =
        run(&workflow("do: [{ greet: { set: { text: 'Hello ${ .name }!' } } }]"), &["--input", r#"{"name":"Ada"}"#]);
    assert_eq!(stdout(&output), "{\"text\":\"Hello Ada!\"}\n");
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("completed"));
}

#[test]
fn events_are_numbered_without_gaps_and_end_with_the_workflow() {
    let output =
        run(&workflow("do: [{ a: { set: { n: 1 } } }, { b: { set: { n: '${ .n + 1 }' } } }]"), &["--progress", "json"]);
    let events = events(&output);
    let numbers: Vec<u64> = events.iter().map(|event| event["sequence"].as_u64().expect("a number")).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>());
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().expect("a name")).collect();
    assert_eq!(
        names,
        [
            "workflow_started",
            "workflow_parsing",
            "workflow_parsed",
            "workflow_building",
            "workflow_executing",
            "task_created",
            "task_started",
            "task_completed",
            "state_updated",
            "task_created",
            "task_started",
            "task_completed",
            "state_updated",
            "workflow_completed",
        ]
    );
    assert_eq!(events[9]["task"], json!({"name": "b", "reference": "/do/1/b", "attempt": 1, "id": 2}));
    assert_eq!(stdout(&output), "{\"n\":2}\n");
}

#[test]
fn a_workflow_that_fails_exits_with_1_and_tells_the_whole_problem() {
    let tasks = "do: [{ stop: { raise: { error: { type: 'https://example.com/e', status: 418, title: Teapot } } } }]";
    let output = run(&workflow(tasks), &["--progress", "json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "");
    let events = events(&output);
    let last = events.last().expect("events");
    assert_eq!(last["event"], "workflow_failed");
    assert_eq!(
        last["error"],
        json!({"type": "https://example.com/e", "status": 418, "title": "Teapot", "instance": "/do/0/stop"})
    );
}

#[test]
fn a_document_that_is_not_valid_exits_with_2_and_shows_where() {
    let output = run(&workflow("do: [{ a: { set: { n: 1 }, then: nowhere } }]"), &[]);
    assert_eq!(output.status.code(), Some(2));
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(shown.contains("unknown-task") && shown.contains("workflow.yaml:2:"), "{shown}");
}

#[test]
fn what_does_not_run_yet_is_refused_with_its_place() {
    let call = "{ call: a2a, with: { method: message/send, server: 'https://example.com' } }";
    let output = run(&workflow(&format!("do: [{{ get: {call} }}]")), &[]);
    assert_eq!(output.status.code(), Some(2));
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(shown.contains("/do/0/get/call") && shown.contains("call: wasm"), "{shown}");
}

#[test]
fn a_host_can_be_reached_only_if_it_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut lines = BufReader::new(stream.try_clone().expect("the same connection")).lines();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"n\":7}";
            stream.write_all(answer.as_bytes()).expect("the other side listens");
        }
    });
    let document =
        workflow(&format!("do: [{{ get: {{ call: http, with: {{ method: get, endpoint: 'http://{address}/' }} }} }}]"));
    let denied = run(&document, &["--allow-net", "example.com"]);
    assert_eq!(denied.status.code(), Some(1));
    let shown = String::from_utf8_lossy(&denied.stderr).replace(['\n', ' '], "");
    assert!(shown.contains(&format!("--allow-net{address}")), "{shown}");
    let allowed = run(&document, &["--allow-net", &address.to_string()]);
    assert_eq!((stdout(&allowed).as_str(), allowed.status.code()), ("{\"n\":7}\n", Some(0)));
}

#[test]
fn a_component_that_is_missing_is_found_before_anything_runs() {
    let tasks = "do: [{ a: { set: { n: 1 } } }, { b: { call: wasm, with: { component: no/such.wasm } } }]";
    let output = run(&workflow(tasks), &["--progress", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let events = events(&output);
    let last = events.last().expect("events");
    assert_eq!((&last["event"], &last["error"]["instance"]), (&json!("workflow_failed"), &json!("/do/1/b")));
    assert!(events.iter().all(|event| event["event"] != "task_started"), "nothing has run");
}

#[test]
fn input_comes_from_a_file_and_from_standard_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let definition = folder.path().join("workflow.yaml");
    std::fs::write(&definition, workflow("do: [{ a: { set: '${ .n }' } }]")).expect("a file");
    let input = folder.path().join("input.json");
    std::fs::write(&input, "{\"n\": 7}").expect("a file");

    let from_file = hotcell().arg("run").arg(&definition).arg("--input").arg(format!("@{}", input.display())).output();
    assert_eq!(stdout(&from_file.expect("the command runs")), "7\n");

    let mut piped = hotcell()
        .arg("run")
        .arg(&definition)
        .args(["--input", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    piped.stdin.take().expect("a pipe").write_all(b"{\"n\": 8}").expect("it reads");
    assert_eq!(stdout(&piped.wait_with_output().expect("it ends")), "8\n");
}

#[test]
fn a_secret_is_used_if_it_is_declared_and_granted() {
    let document = |secrets: &str| {
        workflow(&format!(
            "use: {{ secrets: {secrets} }}\ndo: [{{ a: {{ input: {{ from: '$secrets.key' }}, set: '${{ . }}' }} }}]"
        ))
    };
    let granted = run(&document("[key]"), &["--secret", "key=s3cret"]);
    assert_eq!(stdout(&granted), "\"s3cret\"\n");
    for (secrets, arguments) in [("[key]", &[][..]), ("[]", &["--secret", "key=s3cret"][..])] {
        let denied = run(&document(secrets), &[arguments, &["--progress", "json"]].concat());
        assert_eq!(events(&denied).last().expect("events")["error"]["status"], 403, "{secrets} {arguments:?}");
    }
    let undeclared = run(&document("[]"), &["--secret", "key=s3cret"]);
    assert_eq!(undeclared.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&undeclared.stderr).contains("unknown-secret"));
}

#[test]
fn no_form_of_progress_tells_a_secret_that_an_error_quotes() {
    let rest = "use: { secrets: [ key ] }\ndo: [{ a: { set: '${ $secrets.key | error }' } }]";
    for form in ["json", "pretty", "none"] {
        let output = run(&workflow(rest), &["--secret", "key=hunter2-of-ada", "--progress", form]);
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("***") && !told.contains("hunter2"), "{form}: {told}");
    }
}

#[test]
fn the_hello_example_runs_its_component() {
    let output = hotcell()
        .arg("run")
        .arg(examples().join("hello/workflow.yaml"))
        .args(["--input", r#"{"name":"Ada"}"#])
        .output();
    assert_eq!(stdout(&output.expect("the command runs")), "{\"greeting\":\"Hello Ada!\"}\n");
}

#[test]
fn the_orders_example_prices_refuses_retries_and_reports() {
    let input = format!("@{}", examples().join("orders/orders.json").display());
    let output = hotcell()
        .arg("run")
        .arg(examples().join("orders/workflow.yaml"))
        .args(["--progress", "json", "--input", &input])
        .output();
    let output = output.expect("the command runs");
    let report: Value = serde_json::from_str(&stdout(&output)).expect("a report");
    assert_eq!(report["orders"], json!({"received": 420, "accepted": 417, "refused": 3}));
    assert_eq!(report["payment"]["attempt"], 3);
    let retried = events(&output).iter().filter(|event| event["event"] == "task_retried").count();
    assert_eq!(retried, 2);
}

/// Each of these takes a host down that evaluates it without a cell, or for ever.
#[test]
fn hostile_expressions_fail_their_task_and_nothing_else() {
    for program in ["def f: [f]; f", "[range(1e9)]", "[repeat(1)]"] {
        for task in [
            format!("{{ t: {{ if: '{program}', set: {{ n: 1 }} }} }}"),
            format!("{{ t: {{ set: '${{ {program} }}' }} }}"),
            format!("{{ t: {{ for: {{ in: '[1]' }}, while: '{program}', do: [{{ a: {{ set: {{ n: 1 }} }} }}] }} }}"),
        ] {
            let output = run(&workflow(&format!("do: [{task}]")), &["--progress", "json"]);
            let events = events(&output);
            let last = events.last().expect("events");
            assert_eq!(output.status.code(), Some(1), "{task}");
            assert_eq!(last["error"]["instance"], "/do/0/t", "{task}");
            assert!(
                last["error"]["type"].as_str().is_some_and(|kind| kind.ends_with("/errors/expression")),
                "{task}: {last}"
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn an_interruption_cancels_the_workflow() {
    let folder = tempfile::tempdir().expect("a folder");
    let definition = folder.path().join("workflow.yaml");
    std::fs::write(&definition, workflow("do: [{ a: { wait: PT1H } }]")).expect("a file");
    let mut running = hotcell()
        .arg("run")
        .arg(&definition)
        .args(["--progress", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(running.stderr.take().expect("a pipe")).lines().map(|line| line.expect("a line"));
    assert!(lines.any(|line| line.contains("task_started")));

    let killed = Command::new("kill").args(["-INT", &running.id().to_string()]).status().expect("kill runs");
    assert!(killed.success());

    let rest: Vec<String> = lines.collect();
    assert!(rest.iter().any(|line| line.contains("task_cancelled")), "{rest:?}");
    assert!(rest.last().is_some_and(|line| line.contains("workflow_cancelled")), "{rest:?}");
    assert_eq!(running.wait().expect("it ends").code(), Some(130));
}

#[test]
fn workflows_run_workflows_of_the_catalog() {
    let folder = tempfile::tempdir().expect("a folder");
    let catalog = folder.path().join("catalog");
    std::fs::create_dir(&catalog).expect("a folder");
    for version in ["1.0.0", "1.10.0", "1.9.0"] {
        let child = format!(
            "document: {{ dsl: '1.0.3', namespace: lib, name: double, version: '{version}' }}\ndo: [{{ d: {{ set: {{ n: '${{ .n * 2 }}', by: '{version}' }} }} }}]"
        );
        std::fs::write(catalog.join(format!("{version}.yaml")), child).expect("a file");
    }
    let parent = folder.path().join("parent.yaml");
    std::fs::write(
        &parent,
        workflow(
            "do: [{ c: { run: { workflow: { namespace: lib, name: double, version: latest, input: { n: 21 } } } } }]",
        ),
    )
    .expect("a file");
    let output = hotcell().arg("run").arg(&parent).arg("--catalog").arg(&catalog).output().expect("the command runs");
    assert_eq!(stdout(&output), "{\"n\":42,\"by\":\"1.10.0\"}\n");
}

#[test]
fn validate_lists_problems_as_json_with_places() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = folder.path().join("good.yaml");
    std::fs::write(&good, workflow("do: [{ a: { set: { n: 1 } } }]")).expect("a file");
    let bad = folder.path().join("bad.yaml");
    std::fs::write(&bad, workflow("do: [{ a: { set: { n: 1 }, than: end } }]")).expect("a file");
    let output =
        hotcell().args(["validate", "--format", "json"]).args([&good, &bad]).output().expect("the command runs");
    assert_eq!(output.status.code(), Some(2));
    let reports: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!((&reports[0]["valid"], &reports[1]["valid"]), (&json!(true), &json!(false)));
    let problem = &reports[1]["diagnostics"][0];
    assert_eq!((&problem["code"], &problem["line"]), (&json!("unknown-field"), &json!(2)));
}

#[test]
fn validate_tells_of_everything_that_is_wrong_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let codes = |document: String| {
        let file = folder.path().join("workflow.yaml");
        std::fs::write(&file, document).expect("a file");
        let output = hotcell().args(["validate", "--format", "json"]).arg(&file).output().expect("the command runs");
        assert_eq!(output.status.code(), Some(2));
        let reports: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        let found = reports[0]["diagnostics"].as_array().expect("diagnostics");
        found.iter().map(|found| found["code"].as_str().expect("a code").to_owned()).collect::<Vec<_>>()
    };

    let found = codes(workflow("do: [ { h: { set: { x: '${ .a | }' }, then: nowhere } } ]"));
    assert_eq!(found, ["invalid-expression", "unknown-task"]);

    let found =
        codes(workflow("do:\n  - h: { set: { x: 1 }, then: end }\n  - i: { set: { x: 1 } }\n  - j: { wait: PT1X }\n"));
    assert_eq!(found, ["unreachable-task", "unreachable-task", "invalid-duration"]);

    // Each behind something that is wrong with the form, and a whole document that is no definition yet.
    let found = codes(
        "document: { dsl: '1.0.3' }
use:
  extensions:
    - e: { extend: all, when: '.a |', before: [ { b: { set: { x: '${ $secrets.key }' } } } ], befor: [] }
do:
  - several: { if: '.a | lenght', set: { x: '${ $nothing }' }, wait: PT1S }
  - none: { if: '.b |' }
  - schema: { set: { x: 1 }, input: { schema: { document: { type: 5 } } } }
  - loop: { for: { each: $pet, in: .pets }, do: [ { c: { set: { x: '${ $pet }' } } } ] }
"
        .into(),
    );
    let expected = [
        "missing-field",
        "missing-field",
        "missing-field",
        "invalid-expression",
        "unknown-secret",
        "unknown-field",
        "invalid-expression",
        "unknown-variable",
        "several-task-kinds",
        "missing-task-kind",
        "invalid-expression",
        "invalid-schema",
        "invalid-variable-name",
    ];
    assert_eq!(found, expected);

    // A syntax error leaves nothing to check.
    assert_eq!(codes("do: [".into()), ["invalid-yaml"]);
}

#[test]
fn completions_are_printed_for_shells() {
    for shell in ["bash", "zsh", "fish"] {
        let output = hotcell().args(["completions", shell]).output().expect("the command runs");
        assert!(stdout(&output).contains("hotcell"), "{shell}");
    }
}

#[test]
fn an_empty_cache_folder_means_none() {
    let document = workflow("do: [{ a: { set: '${ 1 + 1 }' } }]");
    assert_eq!(stdout(&run(&document, &["--cache", ""])), "2\n");
}

#[test]
fn what_a_workflow_is_called_does_not_reach_a_terminal_as_a_command() {
    let tasks = r#"do: [{ "\e]0;name\a": { raise: { error: { type: 'https://e.x', status: 500, title: "\e[2Jt\u202e", detail: "a\nb" } } } }]"#;
    for progress in ["pretty", "none"] {
        let output = run(&workflow(tasks), &["--progress", progress]);
        assert_eq!(output.status.code(), Some(1));
        let shown = String::from_utf8_lossy(&output.stderr);
        assert!(!shown.contains(['\x1b', '\x07', '\u{202e}']), "{shown:?}");
    }
    let output = run(&workflow("do: [{ a: { set: { n: \"\u{202e}\" }, than: end } }]"), &[]);
    assert_eq!(output.status.code(), Some(2));
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(shown.contains("than") && !shown.contains('\u{202e}'), "{shown:?}");
}

#[cfg(unix)]
#[test]
fn an_interruption_ends_a_run_that_waits_for_its_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let definition = folder.path().join("workflow.yaml");
    std::fs::write(&definition, workflow("do: [{ a: { set: { n: 1 } } }]")).expect("a file");
    let mut waiting = hotcell()
        .arg("run")
        .arg(&definition)
        .args(["--input", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    // Open until the end.
    let _stdin = waiting.stdin.take();
    let killed = Command::new("kill").args(["-INT", &waiting.id().to_string()]).status().expect("kill runs");
    assert!(killed.success());
    assert!(!waiting.wait().expect("it ends").success());
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_told_and_is_no_panic() {
    let full = || std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("workflow.yaml");
    std::fs::write(&file, workflow("do: [{ a: { set: { n: 1 } } }]")).expect("a file");

    // It has run, so that it is not 2.
    let run = hotcell().arg("run").arg(&file).stdout(full()).output().expect("the command runs");
    assert_eq!(run.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&run.stderr).contains("could not write the output"));
    for arguments in [&["validate", file.to_str().expect("UTF-8")][..], &["completions", "bash"]] {
        let output = hotcell().args(arguments).stdout(full()).output().expect("the command runs");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("hotcell: could not write"), "{arguments:?}");
    }
    // Nobody hears why it failed, and the exit code still tells that it did.
    let refused = hotcell().args(["run", "no-such-file.yaml"]).stderr(full()).status().expect("the command runs");
    assert_eq!(refused.code(), Some(2));
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("workflow.yaml");
    std::fs::write(&file, workflow("do: [{ a: { set: { n: 1 } } }]")).expect("a file");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = hotcell().arg("validate").arg(&file).stdout(writer).output().expect("the command runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_expression_that_is_not_jq_is_refused_by_validate_and_an_error_of_its_task_in_a_run() {
    let tasks = "do:\n  - a: { set: { n: 1 } }\n  - b:\n      set:\n        m: |\n          fine ${ .n } and\n          wrong ${ .n | lenght }\n";
    let output = run(&workflow(tasks), &["--progress", "json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "");
    let events = events(&output);
    let error = &events.last().expect("events")["error"];
    assert_eq!((&error["status"], &error["instance"]), (&json!(400), &json!("/do/1/b")));
    assert!(error["type"].as_str().is_some_and(|kind| kind.ends_with("/errors/expression")), "{error}");
    let output = run(&workflow(tasks), &[]);
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(shown.contains("invalid-expression") && shown.contains("workflow.yaml:8:25"), "{shown}");

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("workflow.yaml");
    std::fs::write(&file, workflow(tasks)).expect("a file");
    let output = hotcell().args(["validate", "--format", "json"]).arg(&file).output().expect("the command runs");
    assert_eq!(output.status.code(), Some(2));
    let reports: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let found = &reports[0]["diagnostics"][0];
    assert_eq!((&found["code"], &found["pointer"]), (&json!("invalid-expression"), &json!("/do/1/b/set/m")));
    assert_eq!((&found["line"], &found["column"], &found["length"]), (&json!(8), &json!(25), &json!(6)));
}

#[test]
fn a_workflow_is_drawn_as_mermaid_and_as_svg() {
    let orders = examples().join("orders/workflow.yaml");
    let output = hotcell().arg("graph").arg(&orders).output().expect("the command runs");
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("\nflowchart TD\n"));

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("orders.svg");
    let status = hotcell().arg("graph").arg(&orders).arg("--output").arg(&file).status().expect("the command runs");
    assert_eq!(status.code(), Some(0));
    let drawn = std::fs::read_to_string(file).expect("a drawing");
    let committed = std::fs::read_to_string(examples().join("../docs/orders.svg")).expect("a drawing");
    assert!(drawn == committed, "docs/orders.svg is not up to date; run scripts/drawing");
}
