//! Where components are: files beside the definition, registries, and URLs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use hotcell_definition::{ErrorKind, Problem};
use hotcell_machine::Origin;
use hotcell_registry::{ComponentReference, Registry};
use hotcell_sandbox::{Cells, Digest};

use crate::{files, sources};

/// Finds components by their path relative to a folder, and remembers what they are.
#[derive(Debug)]
pub struct ComponentFolder {
    folder: PathBuf,
    prepared: Mutex<HashMap<Key, Digest>>,
}

/// The name of a component, and the document that names it if it is not the definition.
type Key = (Option<Origin>, String);

/// Why a component cannot be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ComponentNotFound(String);

impl ComponentNotFound {
    /// The problem of a task that names the component.
    pub fn to_problem(&self) -> Problem {
        Problem::new(ErrorKind::Configuration, "Component not available", self.0.clone())
    }
}

impl ComponentFolder {
    /// Components are found relative to this folder.
    pub fn new(folder: &Path) -> Self {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        ComponentFolder { folder: folder.to_owned(), prepared: Mutex::default() }
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the component of this name is known by, if it has been prepared.
    pub(crate) fn known(&self, name: &str, origin: Option<&Origin>) -> Option<Digest> {
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        prepared.get(&(origin.cloned(), name.to_owned())).copied()
    }

    /// Reads and prepares a component, unless that has been done. A path is relative to the definition or, if it is
    /// a function that names it, to the function's document. What has a scheme comes from the registry. Either may end in the
    /// digest that it must have, `@sha256:…`.
    ///
    /// # Errors
    /// It is not there, or not a component that hotcell can call; the message says what to do.
    pub async fn prepare(
        &self,
        name: &str,
        origin: Option<&Origin>,
        cells: &dyn Cells,
        registry: Option<&Registry>,
    ) -> Result<Digest, ComponentNotFound> {
        if let Some(digest) = self.known(name, origin) {
            return Ok(digest);
        }
        let (at, bytes) = if ComponentReference::is_one(name) {
            (name.to_owned(), fetch(name, registry).await?)
        } else {
            self.read(name, origin).await?
        };
        let digest = cells.prepare(bytes).await.map_err(|error| ComponentNotFound(format!("{at}: {error}")))?;
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).insert((origin.cloned(), name.to_owned()), digest);
        Ok(digest)
    }

    /// The file of this name, and what is in it.
    async fn read(&self, name: &str, origin: Option<&Origin>) -> Result<(String, Arc<[u8]>), ComponentNotFound> {
        let (named, pinned) = match name.rsplit_once("@sha256:") {
            Some((named, digits)) => {
                let digest = format!("sha256:{digits}").parse::<Digest>();
                (named, Some(digest.map_err(|error| ComponentNotFound(format!("{name}: {error}")))?))
            }
            None => (name, None),
        };
        let (folder, path) = self.locate(named, origin)?;
        let at = path.display().to_string();
        let read = files::read_within(&folder, path.clone(), files::MAX_BYTES).await;
        let bytes = read.map_err(|reason| ComponentNotFound(format!("{at}: {}", advise(&path, reason))))?;
        let is = Digest::of(&bytes);
        match pinned.filter(|pinned| *pinned != is) {
            Some(pinned) => Err(ComponentNotFound(format!(
                "{at} has the digest {is}, not {pinned}: it was changed since that was written; build it again, or correct the digest"
            ))),
            None => Ok((at, bytes.into())),
        }
    }

    /// A file, by a path that starts at the definition and stays within its folder, and that folder: which files a host has is
    /// not for documents to explore.
    fn locate(&self, name: &str, origin: Option<&Origin>) -> Result<(PathBuf, PathBuf), ComponentNotFound> {
        let folder = match origin {
            Some(origin) if origin.contains("://") => {
                return Err(ComponentNotFound(format!(
                    "{name}: components beside {origin} are not fetched yet; put the function into a folder"
                )));
            }
            Some(origin) => Path::new(&**origin).with_file_name(""),
            None => self.folder.clone(),
        };
        match files::locate(&folder, name) {
            Some(path) => Ok((folder, path)),
            None => Err(ComponentNotFound(format!(
                "{name:?} is not a path within the folder of the definition; write, for example, \
                 `component: components/price.wasm`"
            ))),
        }
    }
}

/// Why a file cannot be read, and what to do about it.
fn advise(path: &Path, reason: String) -> String {
    match reason.as_str() {
        "there is no such file" => sources::not_built(path).unwrap_or_else(|| {
            format!("{reason}; build the component, or correct the path, which is relative to the definition")
        }),
        "this is not a file" => sources::not_built(path).unwrap_or(reason),
        _ => reason,
    }
}

/// A component from elsewhere.
async fn fetch(name: &str, registry: Option<&Registry>) -> Result<Arc<[u8]>, ComponentNotFound> {
    let failed = |error: &dyn std::fmt::Display| ComponentNotFound(format!("{name}: {error}"));
    let reference: ComponentReference = name.parse().map_err(|error| ComponentNotFound(format!("{error}")))?;
    let registry =
        registry.ok_or_else(|| failed(&"nothing is fetched over the network here; give the path of a file"))?;
    let fetched = registry.fetch(&reference).await.map_err(|error| failed(&error))?;
    tracing::info!(component = name, pinned = %fetched.pinned, "fetched");
    Ok(fetched.component)
}
