//! What cases need that may not run yet. Whether it does is tried once, with a small document for each.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::from_yaml;
use crate::run::{hotcell, run_within};

/// The exit code of what is refused before it runs.
const REFUSED: i32 = 2;

/// What cases may need, by name, and whether this version runs it.
pub(crate) struct Requirements(BTreeMap<String, bool>);

impl Requirements {
    /// Reads the documents and tries them.
    ///
    /// # Panics
    /// If one of them is not valid: then it says nothing about what runs.
    pub(crate) fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let documents: BTreeMap<String, String> =
            from_yaml(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        Requirements(documents.into_iter().map(|(name, document)| (name.clone(), runs(&name, &document))).collect())
    }

    /// Whether all of these run.
    ///
    /// # Panics
    /// If one of them is not known: a typing error must not skip anything.
    pub(crate) fn meets(&self, names: &[String]) -> bool {
        names.iter().all(|name| *self.0.get(name).unwrap_or_else(|| panic!("requires.yaml does not have {name:?}")))
    }

    /// What does not run yet.
    pub(crate) fn missing(&self) -> String {
        let missing: Vec<&str> = self.0.iter().filter(|(_, runs)| !**runs).map(|(name, _)| name.as_str()).collect();
        missing.join(", ")
    }
}

/// A valid document that is refused does not run yet. However else it ends, it runs, and cases that need it must pass.
fn runs(name: &str, document: &str) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("workflow.yaml");
    std::fs::write(&file, document).expect("a file");
    let validated = hotcell().arg("validate").arg(&file).output().expect("the command runs");
    assert!(
        validated.status.success(),
        "requires.yaml, {name}: is not valid: {}{}",
        String::from_utf8_lossy(&validated.stdout),
        String::from_utf8_lossy(&validated.stderr)
    );
    let mut command = hotcell();
    command.arg("run").arg(&file).args(["--progress", "none"]).stdin(Stdio::null());
    let (status, ..) = run_within(&mut command, Duration::from_secs(5)).expect("the command runs");
    status.and_then(|status| status.code()) != Some(REFUSED)
}
