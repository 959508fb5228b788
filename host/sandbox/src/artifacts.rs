//! Compiled components, kept between runs.

#![expect(unsafe_code, reason = "wasmtime cannot check machine code that it is asked to load")]

use std::fs::DirBuilder;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use crate::Digest;

/// Which way core modules are made components of. A component is known by the digest of the module that it was made of: whoever changes how
/// counts this up.
const ADAPTATION: u32 = 1;

/// What an entry begins with: which layout it has.
const MAGIC: &[u8; 8] = b"hotcell2";
/// The code that authenticates the entry's name and all that follows it.
const CODE_LENGTH: usize = 32;
const HEADER_LENGTH: usize = MAGIC.len() + CODE_LENGTH;
/// The file with the key of these codes.
const KEY: &str = "key";
const KEY_LENGTH: usize = 32;

/// A folder with compiled components.
///
/// Compiling costs seconds for a Python or JavaScript interpreter, loading what was compiled milliseconds. An entry is
/// known by the component's digest, the exact version of wasmtime and the configuration of the engine, as machine
/// code from another compiler may not be used: it could have a bug that this one has not.
///
/// Entries are machine code, and whoever can write them can run code as hotcell. The folder is therefore hotcell's
/// own, accessible to its user only, and each entry has a code (HMAC-SHA256) over its name and its content, with a key that
/// stands in the folder. It finds what was damaged, what was put under another name, and what comes from elsewhere: a file that
/// someone was talked into copying there. Against someone who can read the user's files it does nothing: that is
/// the user. Never point this at a folder that tenants can write to.
pub(crate) struct Artifacts {
    folder: PathBuf,
    suffix: String,
    key: [u8; KEY_LENGTH],
}

impl Artifacts {
    /// Opens the folder, which is made if it is not there, for artifacts of this engine.
    pub(crate) fn open(folder: PathBuf, engine: &Engine) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
            builder.mode(0o700).create(&folder)?;
            // It may have been there before, with other permissions.
            std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700))?;
        }
        #[cfg(not(unix))]
        builder.create(&folder)?;
        let mut configuration = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut configuration);
        ADAPTATION.hash(&mut configuration);
        let suffix = format!("{}-{:016x}", wasmtime_environ::VERSION, configuration.finish());
        let key = key(&folder)?;
        Ok(Artifacts { folder, suffix, key })
    }

    /// What was compiled from the bytes of this digest, if there is an entry for it that is whole. One that is not is
    /// removed.
    pub(crate) fn load<C: Compiled>(&self, engine: &Engine, digest: &Digest) -> Option<C> {
        let artifact = self.read(digest)?;
        // SAFETY: the bytes have to be what `serialize` returned, unchanged. They come from the folder that
        // only this user can write to, into which only `store` and `keep` write; the code has just shown that they are
        // what was written. wasmtime itself compares its exact version and the configuration of the engine with
        // those that are written in them. They are copied to memory of their own, which no file backs.
        let compiled = unsafe { C::deserialize(engine, &artifact) };
        if compiled.is_none() {
            self.discard(digest);
        }
        compiled
    }

    /// Whether there is an entry for the bytes of this digest.
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        self.path(digest).is_file()
    }

    /// The bytes of an entry that is whole. The whole file is read before it is checked and used, so that nothing can change in
    /// between.
    pub(crate) fn read(&self, digest: &Digest) -> Option<Vec<u8>> {
        let path = self.path(digest);
        let mut entry = std::fs::read(&path).ok()?;
        if !self.is_whole(&path, &entry) {
            self.discard(digest);
            return None;
        }
        entry.drain(..HEADER_LENGTH);
        Some(entry)
    }

    fn discard(&self, digest: &Digest) {
        let path = self.path(digest);
        tracing::warn!(path = %path.display(), "a compiled component was damaged; it is compiled again");
        let _ = std::fs::remove_file(&path);
    }

    /// Keeps a compiled component. That it cannot be kept is no reason to fail: it will be compiled again.
    pub(crate) fn store(&self, digest: &Digest, component: &impl Compiled) {
        match component.serialize() {
            Ok(artifact) => self.keep(digest, &artifact),
            Err(error) => tracing::warn!(%digest, %error, "a compiled component could not be kept"),
        }
    }

    /// Keeps what a compiler made of the component of this digest.
    pub(crate) fn keep(&self, digest: &Digest, artifact: &[u8]) {
        let path = self.path(digest);
        if let Err(error) = self.write(&path, artifact) {
            tracing::warn!(path = %path.display(), %error, "a compiled component could not be kept");
        }
    }

    /// Writes an entry under another name and then renames it, so that nobody ever sees half of one.
    fn write(&self, path: &Path, artifact: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(MAGIC)?;
        file.write_all(&self.code(path, artifact).finalize().into_bytes())?;
        file.write_all(artifact)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Whether an entry is what was once written under this name.
    fn is_whole(&self, path: &Path, entry: &[u8]) -> bool {
        let Some((header, artifact)) = entry.split_at_checked(HEADER_LENGTH) else { return false };
        let Some(code) = header.strip_prefix(MAGIC) else { return false };
        self.code(path, artifact).verify_slice(code).is_ok()
    }

    fn code(&self, path: &Path, artifact: &[u8]) -> Hmac<Sha256> {
        let mut code = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        let name = path.file_name().map_or(&[][..], |name| name.as_encoded_bytes());
        code.update(&(name.len() as u64).to_le_bytes());
        code.update(name);
        code.update(artifact);
        code
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{}-{}.cwasm", digest.hex(), self.suffix))
    }
}

/// What can be kept: a compiled component, or one of hotcell's own modules.
pub(crate) trait Compiled: Sized {
    fn serialize(&self) -> Result<Vec<u8>, String>;

    /// # Safety
    /// The bytes are what `serialize` returned, unchanged.
    unsafe fn deserialize(engine: &Engine, artifact: &[u8]) -> Option<Self>;
}

impl Compiled for Component {
    fn serialize(&self) -> Result<Vec<u8>, String> {
        Component::serialize(self).map_err(|error| error.to_string())
    }

    unsafe fn deserialize(engine: &Engine, artifact: &[u8]) -> Option<Self> {
        // SAFETY: the caller says what the bytes are.
        unsafe { Component::deserialize(engine, artifact) }.ok()
    }
}

impl Compiled for Module {
    fn serialize(&self) -> Result<Vec<u8>, String> {
        Module::serialize(self).map_err(|error| error.to_string())
    }

    unsafe fn deserialize(engine: &Engine, artifact: &[u8]) -> Option<Self> {
        // SAFETY: the caller says what the bytes are.
        unsafe { Module::deserialize(engine, artifact) }.ok()
    }
}

/// The key of this folder, which is made with its first use. Two processes may do that at the same time: one of them wins.
fn key(folder: &Path) -> io::Result<[u8; KEY_LENGTH]> {
    let path = folder.join(KEY);
    for _ in 0..2 {
        match std::fs::read(&path) {
            Ok(key) => {
                if let Ok(key) = key.try_into() {
                    return Ok(key);
                }
                // Without its key, every entry is compiled again.
                std::fs::remove_file(&path)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut key = [0; KEY_LENGTH];
        getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
        // Only its user can read a temporary file.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&key)?;
        match file.persist_noclobber(&path) {
            Ok(_) => return Ok(key),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.error),
        }
    }
    Err(io::Error::other("the key of the folder of compiled components changes while it is read"))
}

/// A component that the host compiled and handed over in a file that nobody can change.
#[cfg(target_os = "linux")]
pub(crate) fn given(engine: &Engine, artifact: &std::fs::File) -> Result<Component, String> {
    let bytes = crate::workers::read_artifact(artifact).map_err(|error| error.to_string())?;
    // SAFETY: the bytes have to be what `serialize` returned, unchanged. The host sent them, in a sealed file, after it had
    // taken them from its own compiler or checked their code; they are as it sent them. A worker takes
    // files from nobody else.
    unsafe { Component::deserialize(engine, &bytes) }.map_err(|error| format!("{error:#}"))
}
