//! `hotcell run --workers` as users see it: the same as without, in other processes.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

fn hotcell() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotcell"));
    command.env("HOTCELL_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    command.env_remove("HOTCELL_LOG");
    command
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

/// A folder with a workflow of these tasks.
fn folder(tasks: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let document = format!("document: {{ dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }}\ndo:\n{tasks}");
    std::fs::write(folder.path().join("workflow.yaml"), document).expect("a file");
    folder
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("no output: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Processes whose parent this is.
fn children(process: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).expect("its threads");
    let of_each = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok());
    of_each.flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect()
}

/// Whether a process has used a fifth of a second of CPU time, which takes a guest that spins.
fn computes(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // What stands behind the name: the state, and ten fields more before the time in user mode, in hundredths.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_whitespace().nth(11).and_then(|ticks| ticks.parse::<u64>().ok()).is_some_and(|ticks| ticks > 20)
}

fn signal(name: &str, process: u32) {
    assert!(Command::new("kill").args([name, &process.to_string()]).status().expect("kill runs").success());
}

/// Reads events until this one.
fn wait_for(lines: &mut impl Iterator<Item = std::io::Result<String>>, event: &str) {
    lines.find(|line| line.as_ref().is_ok_and(|line| line.contains(event))).expect("the event comes").expect("UTF-8");
}

/// A run whose events can be read, of a script that never ends.
fn spinning() -> (tempfile::TempDir, Child) {
    let folder = folder("  - spin: { run: { script: { language: js, code: 'console.log(1); while (true) {}' } } }\n");
    let mut command = hotcell();
    command.arg("run").arg(folder.path().join("workflow.yaml")).args(["--workers", "1", "--progress", "json"]);
    let running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command runs");
    (folder, running)
}

#[test]
fn a_workflow_has_the_same_output_in_workers_as_without() {
    let run = |arguments: &[&str]| {
        let output = hotcell()
            .arg("run")
            .arg(example("hello/workflow.yaml"))
            .args(["--input", r#"{"name":"Ada"}"#])
            .args(arguments)
            .output();
        let output = output.expect("the command runs");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        json_of(&output)
    };
    assert_eq!(run(&["--workers", "2"]), run(&[]));
}

#[test]
fn scripts_run_in_workers_and_what_they_write_is_seen() {
    let folder = folder("  - say: { run: { script: { language: js, code: 'console.log(6 * 7)' } } }\n");
    let workflow = folder.path().join("workflow.yaml");
    let output = hotcell().arg("run").arg(workflow).args(["--workers", "2"]).output().expect("the command runs");
    assert_eq!(json_of(&output), json!("42"));
}

#[test]
fn ctrl_c_reaches_a_guest_that_spins_in_a_worker() {
    let (_folder, mut running) = spinning();
    let mut lines = BufReader::new(running.stderr.take().expect("a pipe")).lines();
    wait_for(&mut lines, "task_started");
    let workers = children(running.id());
    signal("-INT", running.id());
    wait_for(&mut lines, "workflow_cancelled");
    assert_eq!(running.wait().expect("it ends").code(), Some(130));
    assert_eq!(workers.len(), 1);
    // Not even the system has it any more, or has it only to be reaped by somebody else.
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", workers[0])).unwrap_or_default();
    assert!(stat.is_empty() || !stat.contains(") R "), "{stat}");
}

#[test]
fn a_worker_that_is_killed_in_the_middle_of_a_task_is_replaced_and_the_second_loss_is_a_problem() {
    let (_folder, mut running) = spinning();
    let mut lines = BufReader::new(running.stderr.take().expect("a pipe")).lines();
    wait_for(&mut lines, "task_started");
    let first = children(running.id());
    while !computes(first[0]) {
        std::thread::yield_now();
    }
    signal("-KILL", first[0]);
    let second = loop {
        match children(running.id())[..] {
            [other] if other != first[0] => break other,
            _ => std::thread::yield_now(),
        }
    };
    while !computes(second) {
        std::thread::yield_now();
    }
    signal("-KILL", second);
    wait_for(&mut lines, "Worker crashed");
    assert_eq!(running.wait().expect("it ends").code(), Some(1));
}

#[test]
fn the_timeout_of_a_task_reaches_into_workers() {
    let folder = folder(
        "  - spin:\n      run: { script: { language: js, code: 'while (true) {}' } }\n      timeout: { after: { milliseconds: 300 } }\n",
    );
    let workflow = folder.path().join("workflow.yaml");
    let output = hotcell().arg("run").arg(workflow).args(["--workers", "1", "--progress", "none"]).output();
    let output = output.expect("the command runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("timeout"), "{output:?}");
}

#[test]
fn doctor_tells_what_confines_workers() {
    let output = hotcell().arg("doctor").output().expect("the command runs");
    let told = String::from_utf8(output.stdout).expect("UTF-8");
    for measure in ["no_new_privs", "seccomp", "landlock", "rlimits"] {
        assert!(told.lines().any(|line| line.contains(measure)), "{told}");
    }
    // Any kernel that this is tested on has it.
    assert!(told.lines().any(|line| line.starts_with("on") && line.contains("seccomp")), "{told}");
}
