//! Compiled components, kept between runs.

#![expect(unsafe_code, reason = "wasmtime cannot check machine code that it is asked to load")]

use std::fs::DirBuilder;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use crate::Digest;

/// Which way core modules are made components of. A component is known by the digest of the module that it was made of: whoever changes how
/// counts this up.
const ADAPTATION: u32 = 1;

/// What an entry begins with: which layout it has.
const MAGIC: &[u8; 8] = b"hotcell1";
/// The digest of all that follows it.
const DIGEST_LENGTH: usize = 32;
const HEADER_LENGTH: usize = MAGIC.len() + DIGEST_LENGTH;

/// A folder with compiled components.
///
/// Compiling costs seconds for a Python or JavaScript interpreter, loading what was compiled milliseconds. An entry is
/// known by the component's digest, the exact version of wasmtime and the configuration of the engine, as machine
/// code from another compiler may not be used: it could have a bug that this one has not.
///
/// Entries are machine code, and whoever can write them can run code as hotcell. The folder is therefore hotcell's
/// own, accessible to its user only; the digest in each entry finds what was damaged, not what was forged:
/// someone who can write to the user's folders already is that user. Never point this at a folder that tenants can
/// write to.
pub(crate) struct Artifacts {
    folder: PathBuf,
    suffix: String,
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
        Ok(Artifacts { folder, suffix })
    }

    /// What was compiled from the bytes of this digest, if there is an entry for it that is whole. One that is not is
    /// removed.
    pub(crate) fn load<C: Compiled>(&self, engine: &Engine, digest: &Digest) -> Option<C> {
        let path = self.path(digest);
        // The whole file is read before it is checked and used, so that nothing can change in between.
        let entry = std::fs::read(&path).ok()?;
        let compiled = checked(&entry).and_then(|artifact| {
            // SAFETY: the bytes have to be what `serialize` returned, unchanged. They come from the folder that
            // only this user can write to, into which only `store` writes; the digest has just shown that they are
            // what it wrote. wasmtime itself compares its exact version and the configuration of the engine with
            // those that are written in them. They are copied to memory of their own, which no file backs.
            unsafe { C::deserialize(engine, artifact) }
        });
        if compiled.is_none() {
            tracing::warn!(path = %path.display(), "a compiled component was damaged; it is compiled again");
            let _ = std::fs::remove_file(&path);
        }
        compiled
    }

    /// Whether there is an entry for the bytes of this digest.
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        self.path(digest).is_file()
    }

    /// Keeps a compiled component. That it cannot be kept is no reason to fail: it will be compiled again.
    pub(crate) fn store(&self, digest: &Digest, component: &impl Compiled) {
        let path = self.path(digest);
        if let Err(error) = self.write(&path, component) {
            tracing::warn!(path = %path.display(), %error, "a compiled component could not be kept");
        }
    }

    /// Writes an entry under another name and then renames it, so that nobody ever sees half of one.
    fn write(&self, path: &Path, component: &impl Compiled) -> io::Result<()> {
        let artifact = component.serialize().map_err(io::Error::other)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(MAGIC)?;
        file.write_all(&Sha256::digest(&artifact))?;
        file.write_all(&artifact)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
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

/// The artifact in an entry, if it is what was once written.
fn checked(entry: &[u8]) -> Option<&[u8]> {
    let (header, artifact) = entry.split_at_checked(HEADER_LENGTH)?;
    let digest = header.strip_prefix(MAGIC)?;
    (digest == Sha256::digest(artifact).as_slice()).then_some(artifact)
}
