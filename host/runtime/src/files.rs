//! Files that a definition names, or an operator.

use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// The largest file that is read: 64 MiB.
const MAX_BYTES: u64 = 64 << 20;

/// A file, by a path that stays within the folder of the definition: which files a host has is not for documents to
/// explore.
pub(crate) fn locate(folder: &Path, name: &str) -> Option<PathBuf> {
    let path = Path::new(name);
    let stays = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    (!name.is_empty() && !name.contains('\0') && stays).then(|| folder.join(path))
}

/// Reads a whole file.
///
/// # Errors
/// Why it cannot be read.
pub(crate) async fn read(path: PathBuf) -> Result<Arc<[u8]>, String> {
    read_at_most(path, MAX_BYTES).await.map(Arc::from)
}

/// Reads a whole file that may have so many bytes.
///
/// # Errors
/// Why it cannot be read.
pub(crate) async fn read_at_most(path: PathBuf, limit: u64) -> Result<Vec<u8>, String> {
    let reading = tokio::task::spawn_blocking(move || read_now(&path, limit));
    reading.await.unwrap_or_else(|error| Err(error.to_string()))
}

fn read_now(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let explain = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    };
    // A pipe or a device would never end, or never answer.
    if !std::fs::metadata(path).map_err(explain)?.is_file() {
        return Err("this is not a file".into());
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(explain)?;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(explain)?;
    if bytes.len() as u64 > limit {
        return Err(format!("the file is larger than {} MiB", limit >> 20));
    }
    Ok(bytes)
}
