//! Shell commands, where the operator allows them.

use std::path::Path;
use std::time::{Duration, Instant};

use hotcell_definition::ErrorKind;
use serde_json::{Value, json};

use crate::bench::{Ran, bench, strict, wait};

fn task(command: &str, more: &Value) -> Value {
    let mut run = json!({"shell": {"command": command}});
    for (name, value) in more.as_object().into_iter().flatten() {
        match name.as_str() {
            "return" | "await" => run[name] = value.clone(),
            _ => run["shell"][name] = value.clone(),
        }
    }
    json!([{"shell": {"run": run}}])
}

fn shell(command: &str, more: Value) -> Ran {
    bench().run(task(command, &more), json!({"name": "Ada"}))
}

#[test]
fn a_command_gets_arguments_environment_and_stdin() {
    let given = json!({"arguments": ["Foo", "${ .name }"], "environment": {"BAR": "bar"}, "stdin": "${ .name }"});
    let ran = shell("read line || true; echo \"$line $1 $2 $BAR\"; echo careful >&2", given);
    assert_eq!(ran.lines().len(), 2);
    assert_eq!(ran.output(), json!("Ada Foo Ada bar"));
}

#[test]
fn return_chooses_what_the_output_is_and_other_codes_are_errors() {
    let all = shell("echo out; echo err >&2; exit 3", json!({"return": "all"})).output();
    assert_eq!(all, json!({"code": 3, "stdout": "out", "stderr": "err"}));
    let problem = shell("echo err >&2; exit 3", json!({})).problem();
    assert!(problem.is(ErrorKind::Runtime));
    assert_eq!(problem.title.as_deref(), Some("Command failed"));
    assert_eq!(shell("kill -TERM $$", json!({"return": "code"})).output(), json!(128 + 15));
}

#[test]
fn the_environment_of_hotcell_is_kept_from_a_command() {
    // Cargo sets variables for every test.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    assert_eq!(shell("echo \"[$CARGO_MANIFEST_DIR]\"", json!({})).output(), json!("[]"));
}

#[test]
fn a_command_that_nobody_waits_for_outputs_the_tasks_input() {
    assert_eq!(shell("exit 7", json!({"await": false})).output(), json!({"name": "Ada"}));
}

#[test]
fn what_a_command_leaves_behind_is_killed_with_it() {
    let begun = Instant::now();
    let pid = shell("sleep 1000 & echo $!", json!({})).output();
    assert!(begun.elapsed() < Duration::from_secs(100), "its end is not waited for");
    assert!(is_gone(pid.as_str().unwrap()), "{pid}");
}

#[test]
fn a_command_is_killed_with_its_children_when_the_task_times_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut tasks = task("sleep 1000 & echo $! > pid; wait", &json!({}));
    tasks[0]["shell"]["timeout"] = json!({"after": {"seconds": 1}});
    let problem = bench().run_in(tasks, json!({}), folder.path()).problem();
    assert_eq!(problem.status, 408);
    assert!(is_gone(std::fs::read_to_string(folder.path().join("pid")).unwrap().trim()));
}

#[test]
fn a_command_is_killed_when_the_workflow_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let mut execution =
        bench().start(task("echo $$ > new; mv new pid; exec sleep 1000", &json!({})), json!({}), folder.path());
    while !pid.exists() {
        std::thread::yield_now();
    }
    execution.cancel(None);
    wait(execution.end());
    assert!(is_gone(std::fs::read_to_string(pid).unwrap().trim()));
}

#[test]
fn a_command_that_writes_without_end_is_killed_at_the_payload_limit() {
    let problem = strict().run(task("yes", &json!({})), json!({})).problem();
    assert_eq!(problem.title.as_deref(), Some("Payload limit"));
}

/// Whether a process has ended, or does so now: a signal takes its time.
fn is_gone(pid: &str) -> bool {
    let status = Path::new("/proc").join(pid).join("stat");
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(10) {
        match std::fs::read_to_string(&status) {
            // Killed, and not yet waited for by whoever inherited it.
            Ok(stat) if stat.contains(") Z ") => return true,
            Ok(_) => std::thread::yield_now(),
            Err(_) => return true,
        }
    }
    false
}
