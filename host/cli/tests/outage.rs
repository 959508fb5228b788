//! A progress sink that is killed and started again in the middle of a run of 10,000 tasks, with the programs that a user
//! has: `hotcell run`, `hotcell progress serve` and `hotcell progress watch`.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// 5,000 iterations of two tasks, and a pause among them, in which the run is sure to go on.
const WORKFLOW: &str = r"
document: { dsl: '1.0.3', namespace: test, name: outage, version: '1.0.0' }
do:
  - count:
      for: { in: '[range(5000)]', at: index }
      do:
        - first: { set: { n: '${ $index }' } }
        - second:
            set: { n: '${ .n }' }
  - pause: { wait: { seconds: 1 } }
";

fn hotcell() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotcell"));
    command.env("HOTCELL_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    command.env_remove("HOTCELL_LOG");
    command
}

/// A process that ends with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // SIGKILL. An error says that it is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a sink. Returns where it listens. Its standard error has to stay open.
fn sink(store: &Path, listen: &str) -> (Running, String, BufReader<ChildStderr>) {
    let mut child = hotcell()
        .args(["progress", "serve", "--listen", listen, "--store"])
        .arg(store)
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut said = BufReader::new(child.stderr.take().expect("a pipe"));
    let sink = Running(child);
    let mut line = String::new();
    said.read_line(&mut line).expect("text");
    let address = line.split("http://").nth(1).and_then(|rest| rest.split(',').next());
    (sink, address.unwrap_or_else(|| panic!("it does not say where it listens: {line}")).to_owned(), said)
}

fn parsed(lines: impl IntoIterator<Item = String>) -> Vec<Value> {
    lines
        .into_iter()
        .map(|line| serde_json::from_str(&line).unwrap_or_else(|_| panic!("not an event: {line}")))
        .collect()
}

/// How long the tasks took, by the events.
fn duration(events: &[Value]) -> Duration {
    let time = |name: &str| {
        let event = events.iter().find(|event| event["event"] == name).unwrap_or_else(|| panic!("no {name}"));
        event["time"].as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time")
    };
    time("workflow_completed").duration_since(time("workflow_executing")).unsigned_abs()
}

#[test]
fn a_sink_that_is_killed_in_the_middle_of_10000_tasks_has_every_event_once_and_does_not_delay_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let definition = folder.path().join("workflow.yaml");
    std::fs::write(&definition, WORKFLOW).expect("a file");
    let store = folder.path().join("events.db");
    let run = |arguments: &[&str]| {
        let mut command = hotcell();
        command.arg("run").arg(&definition).args(["--progress", "json"]).args(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        Running(command.spawn().expect("it starts"))
    };
    let lines = |running: &mut Running| {
        BufReader::new(running.0.stderr.take().expect("a pipe")).lines().map(|line| line.expect("a line"))
    };
    // Twice: what is compiled once for all is compiled first.
    let alone = [(); 2].map(|()| duration(&parsed(lines(&mut run(&[])))))[1];

    let (first, address, said) = sink(&store, "127.0.0.1:0");
    let url = format!("http://{address}");
    let mut reported = run(&["--report-to", &url, "--report-grace", "100"]);
    let mut told = lines(&mut reported);
    let mut events = parsed(told.by_ref().take(1));
    let execution = events[0]["execution"].as_str().expect("an id").to_owned();
    // Others read what the run tells, so that it is not held up.
    let rest = std::thread::spawn(move || told.collect::<Vec<_>>());
    let mut watch = hotcell()
        .args(["progress", "watch", &url, &execution, "--progress", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map(Running)
        .expect("it starts");
    let mut watched = BufReader::new(watch.0.stdout.take().expect("a pipe")).lines().map(|line| line.expect("a line"));
    let mut seen: Vec<String> = watched.by_ref().take(2_000).collect();
    assert_eq!(seen.len(), 2_000, "the sink has some of the events");

    drop((first, said));
    assert_eq!(reported.0.try_wait().expect("a child"), None, "the run goes on when the sink is killed");
    let (_second, _, _said) = sink(&store, &address);

    // The same watch, across the outage.
    seen.extend(watched);
    events.extend(parsed(rest.join().expect("no panic")));
    assert!(reported.0.wait().expect("it ends").success());
    let numbers: Vec<u64> = events.iter().map(|event| event["sequence"].as_u64().expect("a number")).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>(), "the run tells every event once");
    assert!(events.len() > 40_000, "there are only {}", events.len());
    assert!(parsed(seen) == events, "a watcher that stayed saw something else");
    let again =
        hotcell().args(["progress", "watch", &url, &execution, "--progress", "json"]).output().expect("it runs");
    let again = String::from_utf8(again.stdout).expect("UTF-8");
    assert!(parsed(again.lines().map(str::to_owned)) == events, "the sink has stored something else");

    let with_reporter = duration(&events);
    println!(
        "{} events; tasks took {alone:?} alone, {with_reporter:?} with a reporter whose sink was killed",
        events.len()
    );
    // The rest of what it takes is the processes around it, which share the machine.
    assert!(with_reporter < alone * 2 + Duration::from_secs(1), "{alone:?} became {with_reporter:?}");
}
