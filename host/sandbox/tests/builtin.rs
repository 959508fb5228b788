//! The embedded modules are made of the sources that stand in the repository.
#![cfg(unix)]

use std::path::Path;
use std::process::Command;

#[test]
fn the_embedded_modules_are_made_of_the_sources_as_they_stand() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let check = Command::new("bash").arg("scripts/guests").arg("--check").current_dir(root).output();
    let output = check.expect("bash can be run");
    let said = String::from_utf8_lossy(&output.stderr);
    for module in ["jq.wasm", "schema.wasm", "http.wasm"].map(|name| format!("host/sandbox/builtin/{name}")) {
        let line = said.lines().find(|line| line.starts_with(&module));
        let line = line.unwrap_or_else(|| panic!("scripts/guests --check says nothing of {module}:\n{said}"));
        assert!(!line.contains("NOT"), "{line}; run scripts/guests jq schema http");
    }
}
