//! What changes in folders.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use notify::{EventKind, RecursiveMode, Watcher};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::COMPONENT;

/// How long nothing may change before a change counts as done: editors write a file in several steps.
const QUIET: Duration = Duration::from_millis(100);
/// How long that is waited for at the most: something may write all the time.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many changed files are remembered. Beyond it nobody reads their names, and what they belong to is built anyhow.
const REMEMBERED: usize = 1_000;

/// Folders that tools fill, not people.
const FOLDERS_OF_TOOLS: &[&str] = &["target", "node_modules", ".venv", "__pycache__", ".git", ".hotcell"];
/// Files that tools write.
const FILES_OF_TOOLS: &[&str] = &["Cargo.lock", "package-lock.json", "go.sum"];

/// Watches folders.
pub(super) struct Watch {
    // It stops when this is dropped.
    _watcher: notify::RecommendedWatcher,
    changes: Arc<Changes>,
}

#[derive(Default)]
struct Changes {
    paths: Mutex<BTreeSet<PathBuf>>,
    happened: tokio::sync::Notify,
}

impl Watch {
    /// Watches these folders and all that is in them.
    ///
    /// # Errors
    /// The system cannot watch them.
    pub(super) fn begin(folders: &BTreeSet<PathBuf>) -> anyhow::Result<Self> {
        let changes = Arc::new(Changes::default());
        let noted = Arc::clone(&changes);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| match event {
            Ok(event) => noted.note(event),
            Err(error) => tracing::warn!(%error, "changes may have been missed"),
        })
        .context("this system cannot watch files")?;
        for folder in folders {
            watcher
                .watch(folder, RecursiveMode::Recursive)
                .with_context(|| format!("could not watch {}", folder.display()))?;
        }
        Ok(Watch { _watcher: watcher, changes })
    }

    /// Waits until something has changed, and until that is over; returns which files.
    pub(super) async fn next(&self) -> BTreeSet<PathBuf> {
        loop {
            self.changes.happened.notified().await;
            let end = Instant::now() + PATIENCE;
            let mut quiet = Instant::now() + QUIET;
            while quiet < end && timeout_at(quiet, self.changes.happened.notified()).await.is_ok() {
                quiet = Instant::now() + QUIET;
            }
            sleep_until(quiet.min(end)).await;
            let changed = self.forget();
            if !changed.is_empty() {
                return changed;
            }
        }
    }

    /// Forgets what has changed so far.
    pub(super) fn forget(&self) -> BTreeSet<PathBuf> {
        std::mem::take(&mut *self.changes.paths.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Changes {
    fn note(&self, event: notify::Event) {
        // Reading is no change.
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        let before = paths.len();
        paths.extend(event.paths.into_iter().filter(|path| is_peoples(path)).take(REMEMBERED.saturating_sub(before)));
        let something = !paths.is_empty();
        drop(paths);
        if something {
            self.happened.notify_one();
        }
    }
}

/// Whether people write this file, as far as one can tell by its name.
fn is_peoples(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let of_tools = path.components().any(|part| FOLDERS_OF_TOOLS.iter().any(|folder| part.as_os_str() == *folder));
    // Editors' own: `.task.py.swp`, `task.py~`, `4913`, `#task.py#`.
    let of_editor =
        name.starts_with(['.', '#']) || name.ends_with(['~', '#']) || name.bytes().all(|b| b.is_ascii_digit());
    !of_tools && !of_editor && !name.starts_with(COMPONENT) && !FILES_OF_TOOLS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_and_editors_leave_is_no_change() {
        for path in ["/w/src/task.ts", "/w/workflow.yaml", "/w/sdk/hotcell.h", "/w/Cargo.toml", "/w/targets/a.rs"] {
            assert!(is_peoples(Path::new(path)), "{path}");
        }
        for path in [
            "/w/target/release/x.rs",
            "/w/node_modules/a/index.js",
            "/w/.venv/bin/python",
            "/w/task.wasm",
            "/w/task.wasm.new",
            "/w/.task.py.swp",
            "/w/task.py~",
            "/w/4913",
            "/w/Cargo.lock",
        ] {
            assert!(!is_peoples(Path::new(path)), "{path}");
        }
    }

    #[tokio::test]
    async fn a_change_is_told_once_it_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let watch = Watch::begin(&BTreeSet::from([folder.path().to_owned()])).unwrap();
        let file = folder.path().join("task.py");
        for text in ["a", "ab", "abc"] {
            std::fs::write(&file, text).unwrap();
        }
        std::fs::write(folder.path().join("task.wasm"), "").unwrap();
        let changed = tokio::time::timeout(Duration::from_secs(20), watch.next()).await.unwrap();
        assert_eq!(changed.iter().map(|path| path.file_name().unwrap()).collect::<Vec<_>>(), ["task.py"]);
    }
}
