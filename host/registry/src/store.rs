//! What was fetched, by content.

use std::io::Write;
use std::path::{Path, PathBuf};

use hotcell_sandbox::Digest;

/// A folder of files, each named by the digest of what is in it: `sha256/HEX`. Several processes may use one at the same time.
#[derive(Debug, Clone)]
pub struct ContentStore {
    folder: PathBuf,
}

impl ContentStore {
    /// A store in this folder, which is made when something is put there.
    pub fn new(folder: &Path) -> Self {
        ContentStore { folder: folder.join("sha256") }
    }

    /// What has this digest, if it is there, whole and unchanged. What was changed is removed.
    pub async fn get(&self, digest: &Digest) -> Option<Vec<u8>> {
        let (path, digest) = (self.folder.join(digest.hex()), *digest);
        let read = move || {
            let bytes = std::fs::read(&path).ok()?;
            if Digest::of(&bytes) == digest {
                return Some(bytes);
            }
            tracing::warn!(file = %path.display(), "a stored component was changed; it is fetched anew");
            std::fs::remove_file(&path).ok();
            None
        };
        tokio::task::spawn_blocking(read).await.ok().flatten()
    }

    /// Keeps what has this digest. If it cannot be kept, that is said and nothing more: it is only fetched again.
    pub async fn put(&self, digest: &Digest, bytes: &[u8]) {
        let (folder, name, bytes) = (self.folder.clone(), digest.hex(), bytes.to_vec());
        let write = move || -> std::io::Result<()> {
            std::fs::create_dir_all(&folder)?;
            let mut file = tempfile::NamedTempFile::new_in(&folder)?;
            file.write_all(&bytes)?;
            file.as_file().sync_data()?;
            // Whoever reads sees all of it or nothing.
            file.persist(folder.join(name))?;
            Ok(())
        };
        let written =
            tokio::task::spawn_blocking(write).await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        if let Err(error) = written {
            tracing::warn!(folder = %self.folder.display(), %error, "a component is not kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_put_is_found_until_somebody_changes_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = ContentStore::new(folder.path());
        let digest = Digest::of(b"component");
        assert_eq!(store.get(&digest).await, None);
        store.put(&digest, b"component").await;
        store.put(&digest, b"component").await;
        assert_eq!(store.get(&digest).await.as_deref(), Some(&b"component"[..]));

        let file = folder.path().join("sha256").join(digest.hex());
        std::fs::write(&file, b"Component").unwrap();
        assert_eq!(store.get(&digest).await, None);
        assert!(!file.exists(), "what was changed is gone");
        assert_eq!(std::fs::read_dir(folder.path().join("sha256")).unwrap().count(), 0, "no temporary file is left");
    }
}
