//! Events as scripts use them: fed with `--event`, emitted and heard between workflows.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with a workflow, and whatever it needs.
struct Folder(TempDir);

impl Folder {
    fn new(tasks: &str) -> Self {
        let folder = Folder(tempfile::tempdir().expect("a folder"));
        folder.write("workflow.yaml", &workflow("main", tasks));
        folder
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotcell"));
        command.env("HOTCELL_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        command.env_remove("HOTCELL_LOG");
        command.current_dir(self.0.path()).args(["run", "workflow.yaml"]).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the command runs")
    }
}

fn workflow(name: &str, tasks: &str) -> String {
    format!("document: {{ dsl: '1.0.3', namespace: test, name: {name}, version: '1.0.0' }}\n{tasks}")
}

/// Events as lines, each with an id and a source of its own.
fn feed(events: &[Value]) -> String {
    let line = |(number, event): (usize, &Value)| {
        let mut whole = json!({"specversion": "1.0", "id": number.to_string(), "source": "/outside"});
        whole.as_object_mut().expect("an object").extend(event.as_object().expect("an object").clone());
        format!("{whole}\n")
    };
    events.iter().enumerate().map(line).collect()
}

#[track_caller]
fn output(ran: &Output) -> Value {
    assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).expect("JSON")
}

#[test]
fn a_workflow_hears_the_events_of_a_file() {
    let folder = Folder::new("do: [{ hear: { listen: { to: { one: { with: { type: b } } } } } }]");
    folder.write("feed.ndjson", &feed(&[json!({"type": "a", "data": 1}), json!({"type": "b", "data": {"n": 2}})]));
    assert_eq!(output(&folder.run(&["--event", "@feed.ndjson"])), json!([{"n": 2}]));
}

#[test]
fn events_of_several_files_wait_for_whoever_listens_later() {
    let folder = Folder::new(
        "do:
  - last: { listen: { to: { one: { with: { type: last } } } } }
  - each:
      listen: { to: { any: [{ with: { type: n } }], until: '. | length == 3' } }
      foreach: { item: n, output: { as: '$n * 10' } }",
    );
    folder.write("one.ndjson", &feed(&[json!({"type": "n", "data": 1}), json!({"type": "n", "data": 2})]));
    folder.write("two.ndjson", &feed(&[json!({"type": "last"}), json!({"type": "n", "data": 3})]));
    assert_eq!(output(&folder.run(&["--event", "@one.ndjson", "--event", "@two.ndjson"])), json!([10, 20, 30]));
}

#[test]
fn events_may_come_from_standard_input() {
    let folder = Folder::new("do: [{ hear: { listen: { to: { any: [] }, read: envelope } } }]");
    let mut command = folder.command(&["--event", "-"]);
    let mut running =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command runs");
    let mut stdin = running.stdin.take().expect("it is piped");
    stdin.write_all(feed(&[json!({"type": "a", "time": "2026-01-01T00:00:00Z"})]).as_bytes()).expect("it is read");
    drop(stdin);
    let ran = running.wait_with_output().expect("it ends");
    let expected = json!([
        {"specversion": "1.0", "id": "0", "source": "/outside", "type": "a", "time": "2026-01-01T00:00:00Z"}
    ]);
    assert_eq!(output(&ran), expected);
}

#[test]
fn a_line_that_is_no_event_is_refused_with_its_number_before_anything_runs() {
    let folder = Folder::new("do: [{ say: { set: { n: 1 } } }]");
    let good = feed(&[json!({"type": "a"})]);
    for (line, reason) in [
        ("{\"type\": \"a\"}", "`specversion`"),
        ("{\"specversion\": \"1.0\", \"id\": \"1\", \"source\": \"/s\"}", "`type`"),
        ("not json", "not valid JSON"),
    ] {
        folder.write("feed.ndjson", &format!("{good}\n{line}\n{good}"));
        let ran = folder.run(&["--event", "@feed.ndjson", "--progress", "json"]);
        let told = String::from_utf8_lossy(&ran.stderr);
        assert_eq!((ran.status.code(), ran.stdout.len()), (Some(2), 0));
        assert!(told.contains("feed.ndjson:3:") && told.contains(reason), "{told}");
        assert!(!told.contains("workflow_started"), "{told}");
    }
    let missing = folder.run(&["--event", "@nowhere.ndjson"]);
    assert_eq!(missing.status.code(), Some(2));
    let bare = folder.run(&["--event", "feed.ndjson"]);
    assert!(String::from_utf8_lossy(&bare.stderr).contains("@FILE"));
}

#[test]
fn standard_input_is_given_to_one_thing_only() {
    let folder = Folder::new("do: [{ say: { set: { n: 1 } } }]");
    for arguments in [&["--event", "-", "--input", "-"][..], &["--event", "-", "--event", "-"]] {
        let ran = folder.command(arguments).stdin(Stdio::null()).output().expect("the command runs");
        assert_eq!(ran.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&ran.stderr).contains("standard input"));
    }
}

#[test]
fn an_emitted_event_is_the_output_with_what_every_event_has() {
    let folder =
        Folder::new("do: [{ tell: { emit: { event: { with: { type: com.example.done, data: '${ . }' } } } } }]");
    let event = output(&folder.run(&["--input", "[1]"]));
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["type"], "com.example.done");
    assert_eq!(event["source"], "/test/main/1.0.0");
    assert_eq!(event["data"], json!([1]));
    assert!(event["id"].as_str().is_some_and(|id| id.ends_with("/1")), "{event}");
    assert!(event["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{event}");
}

#[test]
fn workflows_talk_to_each_other_by_events() {
    let folder = Folder::new(
        "do:
  - talk:
      fork:
        branches:
          - child: { run: { workflow: { namespace: test, name: doubles, version: '1.0.0' } } }
          - ask:
              do:
                - question: { emit: { event: { with: { type: question, data: { n: 21 }, key: '${ $workflow.id }' } } } }
                - answer:
                    listen:
                      to:
                        one:
                          with: { type: answer }
                          correlate: { key: { from: .key, expect: '${ $workflow.id }' } }",
    );
    folder.write(
        "catalog/doubles.yaml",
        &workflow(
            "doubles",
            "do:
  - hear: { listen: { to: { one: { with: { type: question } } }, read: envelope }, output: { as: '.[0]' } }
  - other: { emit: { event: { with: { type: answer, data: wrong, key: other } } }, output: { as: $input } }
  - tell: { emit: { event: { with: { type: answer, data: '${ .data.n * 2 }', key: '${ .key }' } } }, output: { as: .data } }",
        ),
    );
    assert_eq!(output(&folder.run(&["--catalog", "catalog"])), json!([42, [42]]));
}

#[test]
fn a_child_that_nobody_waits_for_hears_what_its_parent_emitted_before_it_listened() {
    let folder = Folder::new(
        "do:
  - start: { run: { workflow: { namespace: test, name: child, version: '1.0.0' }, await: false } }
  - tell: { emit: { event: { with: { type: go, data: 1 } } } }
  - hear: { listen: { to: { one: { with: { type: went } } } } }",
    );
    folder.write(
        "catalog/child.yaml",
        &workflow(
            "child",
            "do:
  - pause: { wait: PT0.2S }
  - hear: { listen: { to: { one: { with: { type: go } } } } }
  - tell: { emit: { event: { with: { type: went, data: '${ .[0] + 1 }' } } } }",
        ),
    );
    assert_eq!(output(&folder.run(&["--catalog", "catalog"])), json!([2]));
}

#[test]
fn a_listen_that_waits_too_long_times_out_and_can_be_caught() {
    let folder = Folder::new(
        "do:
  - careful:
      try: [{ hear: { listen: { to: { one: { with: { type: never } } } }, timeout: { after: PT0.2S } } }]
      catch: { errors: { with: { status: 408 } }, do: [{ say: { set: late } }] }",
    );
    assert_eq!(output(&folder.run(&[])), json!("late"));
}

#[test]
fn a_flood_of_events_keeps_no_timeout_from_ending_it() {
    let folder = Folder::new(
        "do:
  - careful:
      try:
        - flood:
            timeout: { after: PT0.5S }
            fork:
              branches:
                - spin: { do: [{ tell: { emit: { event: { with: { type: n } } }, then: tell } }] }
                - hear: { listen: { to: { any: [{ with: { type: n } }], until: '${ false }' } } }
      catch: { errors: { with: { status: 408 } }, do: [{ say: { set: over } }] }",
    );
    assert_eq!(output(&folder.run(&["--progress", "none"])), json!("over"));
}

#[cfg(unix)]
#[test]
fn a_workflow_that_waits_for_what_never_comes_says_so_and_is_cancelled_by_an_interruption() {
    let folder = Folder::new("do: [{ hear: { listen: { to: { one: { with: { type: com.example.never } } } } } }]");
    let mut command = folder.command(&["--progress", "json"]);
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command runs");
    let mut lines = BufReader::new(running.stderr.take().expect("it is piped")).lines();
    let told = lines.by_ref().map(|line| line.expect("UTF-8")).find(|line| line.contains("task_progress"));
    let told: Value = serde_json::from_str(&told.expect("it says what it listens for")).expect("an event");
    assert_eq!(told["message"], "listens for com.example.never");
    let interrupted = Command::new("kill").args(["-INT", &running.id().to_string()]).status().expect("kill");
    assert!(interrupted.success());
    let rest: Vec<String> = lines.map(|line| line.expect("UTF-8")).collect();
    assert!(rest.iter().any(|line| line.contains("task_cancelled")), "{rest:?}");
    assert_eq!(running.wait().expect("it ends").code(), Some(130));
}

#[cfg(unix)]
#[test]
fn a_workflow_that_nobody_waits_for_and_that_listens_for_ever_can_be_interrupted() {
    let folder = Folder::new(
        "do: [{ start: { run: { workflow: { namespace: test, name: child, version: '1.0.0' }, await: false } } }]",
    );
    folder.write(
        "catalog/child.yaml",
        &workflow("child", "do: [{ hear: { listen: { to: { any: [], until: '${ false }' } } } }]"),
    );
    let mut command = folder.command(&["--catalog", "catalog", "--progress", "json"]);
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command runs");
    let mut lines = BufReader::new(running.stderr.take().expect("it is piped")).lines();
    let mut told = std::collections::BTreeSet::new();
    while !["workflow_completed", "task_progress"].iter().all(|name| told.contains(*name)) {
        let event: Value = serde_json::from_str(&lines.next().expect("it goes on").expect("UTF-8")).expect("an event");
        told.insert(event["event"].as_str().expect("a name").to_owned());
    }
    let interrupted = Command::new("kill").args(["-INT", &running.id().to_string()]).status().expect("kill");
    assert!(interrupted.success());
    assert!(lines.any(|line| line.expect("UTF-8").contains("workflow_cancelled")), "the child is told to end");
    assert_eq!(running.wait().expect("it ends").code(), Some(0), "what was waited for has completed");
}

#[test]
fn ten_thousand_events_are_processed_in_order() {
    let folder = Folder::new(
        "do:
  - hear:
      listen: { to: { any: [{ with: { type: n } }], until: { one: { with: { type: end } } } } }
      foreach: { item: n, output: { as: $n } }",
    );
    let mut events: Vec<Value> = (0..10_000).map(|n| json!({"type": "n", "data": n})).collect();
    events.push(json!({"type": "end"}));
    folder.write("feed.ndjson", &feed(&events));
    let expected: Vec<u64> = (0..10_000).collect();
    assert_eq!(output(&folder.run(&["--event", "@feed.ndjson", "--progress", "none"])), json!(expected));
}

#[test]
fn the_correlation_keys_of_a_listen_are_part_of_its_lifecycle_event() {
    let folder = Folder::new(
        "do:
  - hear:
      listen:
        to:
          all:
            - { with: { type: a }, correlate: { pet: { from: .data.pet } } }
            - { with: { type: b }, correlate: { pet: { from: .data.pet }, order: { from: .subject, expect: o1 } } }",
    );
    let of = |kind: &str, pet: &str| json!({"type": kind, "subject": "o1", "data": {"pet": pet}});
    folder.write("feed.ndjson", &feed(&[of("a", "p1"), of("b", "p2"), of("b", "p1")]));
    let ran = folder.run(&["--event", "@feed.ndjson", "--cloudevents", "@told.ndjson"]);
    assert_eq!(output(&ran), json!([{"pet": "p1"}, {"pet": "p1"}]));
    let told = std::fs::read_to_string(folder.0.path().join("told.ndjson")).expect("a file");
    let line = told.lines().find(|line| line.contains("correlation-completed")).expect("it is told");
    let event: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(event["data"]["correlationKeys"], json!({"pet": "p1", "order": "o1"}));
}
