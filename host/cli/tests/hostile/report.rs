//! What is known of an attack after it was carried out: between processes, and in `target/…/hostile`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::attack::Way;
use crate::process::Has;

/// What became of an attack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) attack: String,
    pub(crate) way: Way,
    /// How it ended, in a line.
    pub(crate) ended: String,
    /// How long that took, in milliseconds.
    pub(crate) took: u64,
    pub(crate) before: Has,
    /// What the process had again when it had settled.
    pub(crate) after: Has,
    /// The most memory that it had, in bytes.
    pub(crate) peak: u64,
    /// How many executions ran beside it, each from its start to the right output.
    pub(crate) beside: usize,
    /// The slowest of them, in milliseconds.
    pub(crate) slowest: u64,
    /// What was not as it should be.
    pub(crate) wrong: Vec<String>,
}

impl Report {
    /// Writes it where the table is made from.
    pub(crate) fn keep(&self) {
        let path = path(&self.attack, self.way);
        std::fs::create_dir_all(path.parent().expect("it stands in a folder")).expect("a folder for results");
        let text = serde_json::to_string_pretty(self).expect("a report is JSON");
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// What was kept of an attack.
    pub(crate) fn of(attack: &str, way: Way) -> Option<Report> {
        let text = std::fs::read_to_string(path(attack, way)).ok()?;
        serde_json::from_str(&text).ok()
    }
}

fn path(attack: &str, way: Way) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile").join(format!("{attack}.{}.json", way.name()))
}
