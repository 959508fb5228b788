//! `hotcell policy explain` and `hotcell policy schema`, and the example that the documentation teaches with.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::rig::{Ran, Rig};

fn house() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The command, in the folder in which everything stands.
fn hotcell(words: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotcell"));
    command.env("HOTCELL_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    Rig::ran(command.env_remove("HOTCELL_POLICY").current_dir(house()).args(words))
}

const EXAMPLE: [&str; 3] = ["examples/policy/workflow.yaml", "--policy", "examples/policy/policy.yaml"];

#[test]
fn the_effective_policy_of_a_call_is_explained_for_people() {
    let words = ["--tenant", "acme", "--task", "sign"];
    let ran = hotcell(&[&["policy", "explain"], &EXAMPLE[..], &words[..]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    let documentation = std::fs::read_to_string(house().join("docs/policy.md")).expect("the documentation");
    assert!(documentation.contains(&ran.output), "docs/policy.md shows something else:\n{}", ran.output);
}

#[test]
fn the_effective_policy_of_every_call_is_explained_for_programs() {
    let ran = hotcell(&[&["policy", "explain"], &EXAMPLE[..], &["--tenant", "acme", "--json"][..]].concat());
    let explained: Value = serde_json::from_str(&ran.output).expect("JSON");
    let call = &explained["calls"][0];
    assert_eq!((call["reference"].as_str(), call["call"].as_str()), (Some("/do/0/sign"), Some("run: script")));
    let limit = |name: &str| (call["limits"][name]["value"].clone(), call["limits"][name]["source"].clone());
    assert_eq!(limit("memory"), ("64MiB".into(), "tenant acme (line 22)".into()));
    assert_eq!(limit("wallTime"), ("2s".into(), "tenant acme, task sign (line 28)".into()));
    assert_eq!(limit("cpuTime"), ("5s".into(), "the operator (line 4)".into()));
    assert_eq!(limit("handles"), (1000.to_string().into(), "default".into()));
    assert_eq!(call["secrets"]["signingKey"]["granted"], true);
    assert_eq!(explained["limits"]["expressionTime"]["amount"], 500);
}

#[test]
fn a_request_that_would_be_denied_is_seen_before_anything_runs() {
    let tasks = "  - ask: { call: http, with: { method: post, endpoint: 'https://api.example.com/x' } }
  - wait: { timeout: { after: PT3S }, call: http, with: { method: get, endpoint: '${ .uri }' } }
";
    let rig = Rig::new(tasks, "hosts: [{ host: api.example.com, methods: [GET] }]");
    let ran = Rig::ran(&mut rig.command(&["policy", "explain", "workflow.yaml", "--policy", "policy.yaml", "--json"]));
    let explained: Value = serde_json::from_str(&ran.output).expect("JSON");
    let [ask, wait] = [&explained["calls"][0], &explained["calls"][1]];
    assert_eq!((&ask["host"]["allowed"], &ask["host"]["deniedBy"]), (&false.into(), &"the operator (line 1)".into()));
    assert_eq!(wait["host"]["asks"], "unknown");
    assert_eq!(wait["limits"]["wallTime"]["source"], "definition");
    assert_eq!(wait["hosts"][0]["hosts"][0], "api.example.com=GET");
}

#[test]
fn a_task_that_is_not_there_is_not_explained() {
    let ran = hotcell(&[&["policy", "explain"], &EXAMPLE[..], &["--task", "charge"][..]].concat());
    assert!(ran.code == 2 && ran.told.contains("no call in a task of this name or reference"), "{ran:?}");
}

#[test]
fn the_schema_is_that_of_the_documentation() {
    let committed = std::fs::read_to_string(house().join("docs/policy.schema.json")).expect("the schema");
    assert!(hotcell(&["policy", "schema"]).output == committed);
}

#[test]
fn the_example_of_the_documentation_runs() {
    let documentation = std::fs::read_to_string(house().join("docs/policy.md")).expect("the documentation");
    let policy = std::fs::read_to_string(house().join("examples/policy/policy.yaml")).expect("the policy");
    assert!(documentation.contains(&policy), "docs/policy.md shows another policy");
    let words = ["--tenant", "acme", "--secret", "signingKey=hunter2hunter2", "--input", r#"{"receipt":"A-17"}"#];
    let ran = hotcell(&[&["run"], &EXAMPLE[..], &words[..], &["--progress", "none"][..]].concat());
    ran.completed_with(r#"{"signed":"A-17 signed with 14 characters","refused":"Secret not granted"}"#);
}
