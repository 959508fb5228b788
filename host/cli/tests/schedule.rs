//! `hotcell run` of workflows with a schedule, and where lifecycle events go, as scripts use it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn hotcell(file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotcell"));
    command.env("HOTCELL_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    command.env_remove("HOTCELL_LOG");
    command.arg("run").arg(file);
    command
}

fn file(folder: &Path, rest: &str) -> std::path::PathBuf {
    let file = folder.join("workflow.yaml");
    let document = "document: { dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }";
    std::fs::write(&file, format!("{document}\n{rest}")).expect("a file");
    file
}

fn run(rest: &str, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    hotcell(&file(folder.path(), rest)).args(arguments).output().expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

const EVERY: &str = "schedule: { every: { milliseconds: 1 } }\ndo: [{ a: { set: { n: '${ .n + 1 }' } } }]";

#[test]
fn each_run_of_a_schedule_is_an_execution_of_its_own_and_a_line_of_output() {
    let output = run(EVERY, &["--schedule", "--schedule-runs", "3", "--input", "{\"n\": 1}", "--progress", "json"]);

    assert_eq!((text(&output.stdout), output.status.code()), ("{\"n\":2}\n".repeat(3), Some(0)));
    let stderr = text(&output.stderr);
    let events: Vec<Value> = stderr.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
    let mut executions: Vec<&str> = events.iter().filter_map(|event| event["execution"].as_str()).collect();
    executions.sort_unstable();
    executions.dedup();
    assert_eq!(executions.len(), 3);
    let completed = events.iter().filter(|event| event["event"] == "workflow_completed").count();
    assert_eq!(completed, 3);
}

#[test]
fn a_summary_says_what_became_of_the_runs_and_a_failed_one_makes_the_exit_code_1() {
    let failing =
        "schedule: { after: PT0S }\ndo: [{ a: { raise: { error: { type: 'https://example.com/e', status: 500 } } } }]";

    let output = run(failing, &["--schedule", "--schedule-runs", "2", "--progress", "none"]);

    assert_eq!((text(&output.stdout), output.status.code()), (String::new(), Some(1)));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("2 runs: 0 completed, 2 failed"), "{stderr}");
}

#[test]
fn a_workflow_with_a_schedule_runs_once_by_hand_and_says_so_to_people() {
    let output = run(EVERY, &["--input", "{\"n\": 1}"]);
    assert_eq!((text(&output.stdout), output.status.code()), ("{\"n\":2}\n".into(), Some(0)));
    assert!(text(&output.stderr).contains("--schedule"));

    let silent = run(EVERY, &["--input", "{\"n\": 1}", "--progress", "none"]);
    assert_eq!(text(&silent.stderr), "");
}

#[test]
fn what_cannot_be_run_by_a_schedule_is_refused() {
    for (rest, arguments, reason) in [
        ("do: [{ a: { set: { n: 1 } } }]", &["--schedule"][..], "has no `schedule`"),
        ("schedule: { cron: 'TZ=Mars/Olympus 0 0 * * *' }\ndo: []", &["--schedule"], "Mars/Olympus"),
        ("schedule: { every: PT0S }\ndo: []", &["--schedule"], "/schedule/every"),
        (EVERY, &["--schedule", "--timezone", "Nowhere"], "Nowhere"),
        ("schedule: { cron: 0 0 * * }\ndo: []", &[], "invalid-cron"),
        (EVERY, &["--timezone", "UTC"], "--schedule"),
        (EVERY, &["--cloudevents", "ftp://127.0.0.1/"], "ftp"),
    ] {
        let output = run(rest, arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{rest} {arguments:?}: {stderr}");
        assert!(stderr.contains(reason), "{rest} {arguments:?}: {stderr}");
        assert_eq!(text(&output.stdout), "");
    }
}

#[test]
fn events_start_runs_and_are_their_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let events = folder.path().join("events.ndjson");
    let lines: String = (1..=3)
        .map(|n| format!("{{\"specversion\":\"1.0\",\"id\":\"{n}\",\"source\":\"/t\",\"type\":\"a\",\"data\":{n}}}\n"))
        .collect();
    std::fs::write(&events, lines).expect("a file");
    let rest = "schedule: { on: { one: { with: { type: a } } } }\ndo: [{ a: { set: '${ $workflow.input[0] * 10 }' } }]";

    let event = format!("@{}", events.display());
    let arguments = ["--schedule", "--schedule-runs", "3", "--schedule-concurrency", "1", "--event", &event];
    let output = run(rest, &arguments);

    assert_eq!((text(&output.stdout), output.status.code()), ("10\n20\n30\n".into(), Some(0)));
}

#[cfg(unix)]
#[test]
fn an_interruption_stops_a_schedule_and_cancels_its_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = file(folder.path(), "schedule: { every: PT1H }\ndo: [{ a: { wait: PT1H } }]");
    let mut running = hotcell(&file)
        .args(["--schedule", "--progress", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(running.stderr.take().expect("a pipe")).lines().map(|line| line.expect("a line"));
    assert!(lines.any(|line| line.contains("task_started")));

    let killed = Command::new("kill").args(["-INT", &running.id().to_string()]).status().expect("kill runs");
    assert!(killed.success());

    let rest: Vec<String> = lines.collect();
    assert!(rest.last().is_some_and(|line| line.contains("workflow_cancelled")), "{rest:?}");
    assert_eq!(running.wait().expect("it ends").code(), Some(130));
}

#[test]
fn lifecycle_events_are_appended_to_a_file_one_a_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = file(folder.path(), "do: [{ a: { set: { n: 1 } } }]");
    let sink = folder.path().join("events.ndjson");
    std::fs::write(&sink, "{\"what\": \"was there\"}\n").expect("a file");

    let argument = format!("@{}", sink.display());
    let output = hotcell(&file).args(["--progress", "none", "--cloudevents", &argument]).output().expect("it runs");

    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    let lines = std::fs::read_to_string(&sink).expect("a file");
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let types: Vec<&str> = events[1..].iter().map(|event| event["type"].as_str().expect("a type")).collect();
    assert_eq!(
        types,
        ["workflow.started", "task.created", "task.started", "task.completed", "workflow.completed"]
            .map(|kind| format!("io.serverlessworkflow.{kind}.v1"))
    );
    assert_eq!(events[2]["data"]["task"], json!("/do/0/a"));
}

#[test]
fn a_sink_of_lifecycle_events_that_is_not_there_fails_nothing() {
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/events", listener.local_addr().expect("an address"));
    drop(listener);

    let output =
        run("do: [{ a: { set: { n: 1 } } }]", &["--progress", "none", "--cloudevents", &url, "--report-grace", "0"]);

    assert_eq!((text(&output.stdout), output.status.code()), ("{\"n\":1}\n".into(), Some(0)));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("5 lifecycle events were not published"), "{stderr}");
}

#[test]
fn a_schedule_that_would_never_start_a_run_is_refused() {
    let output = run("schedule: { cron: '0 0 31 2 *' }\ndo: [{ a: { set: {} } }]", &["--schedule"]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("/schedule/cron") && stderr.contains("no such time"), "{stderr}");
}

#[test]
fn validate_refuses_the_schedules_that_a_run_would_refuse() {
    for (schedule, code) in [
        ("{ cron: 'CRON_TZ=Nowhere/X 0 9 * * *' }", "invalid-cron"),
        ("{ cron: '0 0 31 2 *' }", "invalid-cron"),
        ("{ every: PT0S }", "invalid-duration"),
        ("{ after: '${ .x }' }", "invalid-duration"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = file(folder.path(), &format!("schedule: {schedule}\ndo: [{{ a: {{ set: {{}} }} }}]"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotcell"));
        command.env("HOTCELL_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        let output = command.arg("validate").arg(file).output().expect("the command runs");
        assert_eq!(output.status.code(), Some(2), "{schedule}");
        assert!(text(&output.stderr).contains(code), "{schedule}: {}", text(&output.stderr));
    }
}
