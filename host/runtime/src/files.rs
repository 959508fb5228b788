//! Files that a definition names, or an operator.

use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// The largest file that is read: 64 MiB.
pub(crate) const MAX_BYTES: u64 = 64 << 20;

/// A file, by a path that stays within the folder of the definition: which files a host has is not for documents to
/// explore.
pub(crate) fn locate(folder: &Path, name: &str) -> Option<PathBuf> {
    let path = Path::new(name);
    let stays = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    (!name.is_empty() && !name.contains('\0') && stays).then(|| folder.join(path))
}

/// Reads a whole file that [`locate`] found in this folder. Symbolic links lead nowhere else either: a folder may have come
/// from somebody who wants to know what is in the files of this host.
///
/// # Errors
/// Why it cannot be read.
pub(crate) async fn read_within(folder: &Path, file: PathBuf, limit: u64) -> Result<Vec<u8>, String> {
    let folder = folder.to_owned();
    let reading = tokio::task::spawn_blocking(move || {
        if leads_out_of(&folder, &file) {
            return Err("this is a link out of the folder of the definition; put the file itself there".into());
        }
        read_now(&file, limit)
    });
    reading.await.unwrap_or_else(|error| Err(error.to_string()))
}

/// Whether a link on the way to the file leaves the folder. What is not there leads nowhere.
fn leads_out_of(folder: &Path, file: &Path) -> bool {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match (folder.canonicalize(), file.canonicalize()) {
        (Ok(folder), Ok(file)) => !file.starts_with(folder),
        _ => false,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_within_its_folder() {
        let folder = Path::new("/definitions");
        assert_eq!(locate(folder, "scripts/./a.js"), Some("/definitions/scripts/./a.js".into()));
        for name in ["", "..", "../a.js", "scripts/../../a.js", "/etc/passwd", "a\0.js"] {
            assert_eq!(locate(folder, name), None, "{name:?}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_stays_within_its_folder() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "s3cret").unwrap();
        let inside = tempfile::tempdir().unwrap();
        std::fs::write(inside.path().join("own"), "own").unwrap();
        let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, inside.path().join(name)).unwrap();
        link(&outside.path().join("secret"), "file");
        link(outside.path(), "folder");
        link(Path::new("own"), "alias");
        let read = async |name: &str| read_within(inside.path(), locate(inside.path(), name).unwrap(), MAX_BYTES).await;
        assert!(read("file").await.unwrap_err().contains("link out of the folder"));
        assert!(read("folder/secret").await.unwrap_err().contains("link out of the folder"));
        assert_eq!(read("missing").await.unwrap_err(), "there is no such file");
        assert_eq!(read("alias").await.unwrap(), b"own");
    }
}
