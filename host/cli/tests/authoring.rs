//! `hotcell new`, `build` and `run`, as somebody types them. What each language's tool makes of it, `scripts/sdks` tries.

use std::path::Path;
use std::process::{Command, Output};

fn hotcell(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hotcell"))
        .args(arguments)
        .current_dir(folder)
        .env("HOTCELL_CACHE", "")
        // No tool of any language.
        .env("PATH", folder)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_task_is_begun_and_a_run_before_it_is_built_says_how_to_build_it() {
    let folder = tempfile::tempdir().unwrap();
    let begun = hotcell(folder.path(), &["new", "price", "--language", "go"]);
    assert!(begun.status.success(), "{}", said(&begun));
    assert!(said(&begun).contains("hotcell build price && hotcell run price/workflow.yaml"), "{}", said(&begun));

    let run = hotcell(folder.path(), &["run", "price/workflow.yaml", "--input", "@price/order.json"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(said(&run).contains("it has not been built; run `hotcell build price`"), "{}", said(&run));
}

#[test]
fn a_folder_that_is_named_instead_of_what_is_built_from_it_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    assert!(hotcell(folder.path(), &["new", "price", "--language", "c"]).status.success());
    let workflow = folder.path().join("workflow.yaml");
    let text = std::fs::read_to_string(folder.path().join("price/workflow.yaml")).unwrap();
    std::fs::write(&workflow, text.replace("component: task.wasm", "component: price")).unwrap();
    let run = hotcell(folder.path(), &["run", "workflow.yaml"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(said(&run).contains("hotcell build price"), "{}", said(&run));
}

#[test]
fn a_tool_that_is_missing_is_named_with_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    for (language, words) in
        [("js", "Node.js 20"), ("python", "python3-venv"), ("go", "https://go.dev/dl"), ("c", "wasi-libc")]
    {
        assert!(hotcell(folder.path(), &["new", language, "--language", language]).status.success());
        let built = hotcell(folder.path(), &["build", language]);
        assert_eq!(built.status.code(), Some(2), "{language}");
        assert!(said(&built).contains(words), "{language}: {}", said(&built));
    }
}

#[test]
fn what_is_there_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("price")).unwrap();
    std::fs::write(folder.path().join("price/task.py"), "mine").unwrap();
    let begun = hotcell(folder.path(), &["new", "price", "--language", "python"]);
    assert_eq!(begun.status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(folder.path().join("price/task.py")).unwrap(), "mine");
}
