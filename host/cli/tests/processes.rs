//! `run: script`, `run: shell` and `run: container` as users of the command see them.

use std::path::Path;
use std::process::{Command, Output};

/// Runs a workflow of one task, with arguments and without a Python interpreter.
fn run(process: &str, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("workflow.yaml");
    let document = format!(
        "document: {{ dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }}\n\
         do:\n  - first: {{ set: {{ text: first }} }}\n  - process: {{ run: {process} }}\n"
    );
    std::fs::write(&file, document).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotcell"));
    command.env("HOTCELL_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    command.env("HOTCELL_RUNTIMES", folder.path());
    command.arg("run").arg(&file).args(arguments).output().expect("the command runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

#[test]
fn a_script_in_javascript_needs_nothing_but_the_binary() {
    let output = run("{ script: { language: js, code: 'console.log(1 + 1)' } }", &[]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "\"2\"\n"), "{}", stderr(&output));
}

#[test]
fn without_the_python_interpreter_a_workflow_is_refused_with_how_to_get_it() {
    let output = run("{ script: { language: python, code: 'print(1)' } }", &["--progress", "none"]);
    assert_eq!(output.status.code(), Some(2));
    let told = stderr(&output);
    assert!(told.contains("python.wasm: there is no such file") && told.contains("scripts/runtimes python"), "{told}");
    assert!(told.contains("/do/1/process"), "{told}");
}

#[test]
fn shell_commands_and_containers_are_refused_before_anything_runs() {
    for (process, advice) in
        [("{ shell: { command: 'echo 1' } }", "--allow-host-shell"), ("{ container: { image: alpine } }", "call: wasm")]
    {
        let output = run(process, &[]);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""));
        let told = stderr(&output);
        assert!(told.contains("workflow.yaml:4:") && told.contains("/do/1/process/run"), "{told}");
        assert!(told.contains(advice) && !told.contains("first"), "{told}");
    }
}

#[test]
fn the_operator_of_a_machine_may_allow_its_shell_but_not_containers() {
    let allowed = ["--allow-host-shell"];
    let output = run("{ shell: { command: 'echo $((1 + 1)); pwd >&2' } }", &allowed);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "\"2\"\n"), "{}", stderr(&output));
    assert_eq!(run("{ container: { image: alpine } }", &allowed).status.code(), Some(2));
}
