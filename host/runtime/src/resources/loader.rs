//! Loads what a definition refers to, until nothing is missing.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hotcell_definition::{Authentication, Definition, Refused, Reusable, Severity, Task, parse_data};
use hotcell_machine::{HostShell, LinkError, Links, Loaded, Missing, Program, Unsupported, Wanted};
use serde_json::{Map, Value};

use super::address::Address;
use super::credentials::Vault;
use super::{Fetch, FetchRequest};
use crate::files;

/// The largest document that is loaded: 1 MiB.
const MAX_BYTES: u64 = 1 << 20;

/// How large all documents may be together: 8 MiB. What is read from them takes many times as much memory.
pub(super) const MAX_TOTAL_BYTES: usize = 8 << 20;

/// How many documents are loaded for one definition, those to which they refer included.
pub(super) const MAX_DOCUMENTS: usize = 256;

/// How deep documents may refer to documents.
pub(super) const MAX_ROUNDS: usize = 16;

/// How long loading may take, all documents together.
const MAX_TIME: Duration = Duration::from_secs(60);

/// Loads what a definition refers to and does not contain.
///
/// Relative URIs are found from the folder of the definition, or from the document that they stand in. `file:` URLs
/// name any file of this machine. `https:` URLs need something that fetches; without, they are refused.
#[derive(Clone)]
pub struct Loader {
    folder: PathBuf,
    catalog: Option<PathBuf>,
    secrets: Arc<Map<String, Value>>,
    fetch: Option<Arc<dyn Fetch>>,
}

impl Loader {
    /// Loads files, for a definition that is in this folder.
    pub fn new(folder: &Path) -> Self {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        Loader { folder: folder.to_owned(), catalog: None, secrets: Arc::default(), fetch: None }
    }

    /// With the folder of the catalog that is meant by `@default`: `functions/NAME/VERSION/function.yaml` within.
    #[must_use]
    pub fn with_catalog(mut self, catalog: Option<&Path>) -> Self {
        self.catalog = catalog.map(Path::to_owned);
        self
    }

    /// With the secrets that the operator grants, for credentials. Those that the definition does not declare are not used.
    #[must_use]
    pub fn with_secrets(mut self, secrets: Arc<Map<String, Value>>) -> Self {
        self.secrets = secrets;
        self
    }

    /// With what gets documents over HTTP.
    #[must_use]
    pub fn with_fetch(mut self, fetch: Arc<dyn Fetch>) -> Self {
        self.fetch = Some(fetch);
        self
    }

    /// The folder of the definition.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes a definition ready, with everything to which it refers.
    ///
    /// # Errors
    /// Everything that cannot be loaded; if that is nothing, everything that this version does not run.
    pub async fn link(&self, definition: Arc<Definition>, shell: HostShell) -> Result<Program, Vec<Unsupported>> {
        let ends_at = tokio::time::Instant::now() + MAX_TIME;
        let mut links = Links::new();
        let mut bytes = 0;
        for _ in 0..=MAX_ROUNDS {
            let mut missing = match Program::link(Arc::clone(&definition), &links, shell) {
                Ok(program) => return Ok(program),
                Err(LinkError::Unsupported(unsupported)) => return Err(unsupported),
                Err(LinkError::Missing(missing)) => missing,
            };
            let mut seen = HashSet::new();
            missing.retain(|missing| seen.insert(missing.wanted.clone()));
            if documents(&links) + missing.len() > MAX_DOCUMENTS {
                return Err(too_many(missing.swap_remove(0).pointer));
            }
            let mut failed = Vec::new();
            for missing in missing {
                let loading = tokio::time::timeout_at(ends_at, self.load(&missing, &definition));
                let late = || Err(format!("loading took more than {} seconds", MAX_TIME.as_secs()));
                match loading.await.unwrap_or_else(|_| late()) {
                    Ok((_, length)) if bytes + length > MAX_TOTAL_BYTES => {
                        let message = format!("more than {} MiB would be loaded for it", MAX_TOTAL_BYTES >> 20);
                        return Err(refuse(Some(&missing), message));
                    }
                    Ok((loaded, length)) => {
                        bytes += length;
                        links.insert(missing.wanted, loaded);
                        if documents(&links) > MAX_DOCUMENTS {
                            return Err(too_many(missing.pointer));
                        }
                    }
                    Err(message) => failed.push(Unsupported { pointer: missing.pointer, message }),
                }
            }
            if !failed.is_empty() {
                return Err(failed);
            }
        }
        Err(refuse(None, format!("functions from elsewhere refer to others more than {MAX_ROUNDS} levels deep")))
    }

    /// What is missing, and how many bytes it has.
    async fn load(&self, missing: &Missing, definition: &Definition) -> Result<(Loaded, usize), String> {
        match &missing.wanted {
            Wanted::Function(name) => {
                let address = self.function_address(name, missing)?;
                let source = Source { policy: policy(missing), definition };
                let bytes = self.read(&address, &source).await.map_err(|error| format!("{name}: {error}"))?;
                let task =
                    Task::parse(&bytes).map_err(|refused| format!("{name}: {}", first_error(&address, &refused)))?;
                let loaded = Loaded::Function { task: Arc::new(task), origin: address.to_string().into() };
                Ok((loaded, bytes.len()))
            }
            Wanted::Schema { uri, from } => {
                let folder = from.as_deref().map_or_else(|| self.here(), Address::folder_of);
                let address = folder.refer(uri)?;
                if !uri.contains("://") && !uri.starts_with("file:/") {
                    self.stays(&folder, &address)?;
                }
                let source = Source { policy: policy(missing), definition };
                let (schema, bytes) = self.document(&address, &source).await?;
                self.with_references(schema, bytes, &address, &source).await
            }
            Wanted::References { schema, from } => {
                // What stands in place is at no address of its own: it stands beside what is in the same folder.
                let folder = from.as_deref().map_or_else(|| self.here(), Address::folder_of);
                let schema = serde_json::from_str(schema).map_err(|error| error.to_string())?;
                let source = Source { policy: None, definition };
                self.with_references(Arc::new(schema), 0, &folder.join("schema.json")?, &source).await
            }
        }
    }

    fn here(&self) -> Address {
        Address::File(self.folder.clone())
    }

    /// A JSON Schema, and how many bytes it has.
    pub(super) async fn document(&self, address: &Address, source: &Source<'_>) -> Result<(Arc<Value>, usize), String> {
        let bytes = self.read(address, source).await?;
        let schema = parse_data(&bytes).map_err(|refused| first_error(address, &refused))?;
        if !schema.is_object() && !schema.is_boolean() {
            return Err(format!("{address}: this is not a JSON Schema, which is an object"));
        }
        Ok((Arc::new(schema), bytes.len()))
    }

    /// A path does not lead out of the folder of the definition, nor from there anywhere but into the catalog.
    pub(super) fn stays(&self, from: &Address, to: &Address) -> Result<(), String> {
        let catalog = self.catalog.as_ref().is_some_and(|catalog| to.is_within(catalog));
        if matches!(to, Address::Url(_)) || !from.is_within(&self.folder) || to.is_within(&self.folder) || catalog {
            return Ok(());
        }
        Err(format!("{to}: this is not a path within the folder of the definition; put the document there"))
    }

    fn function_address(&self, name: &str, missing: &Missing) -> Result<Address, String> {
        let here = self.here();
        if name.contains("://") {
            return here.refer(name)?.function();
        }
        let (function, catalog) = name.rsplit_once('@').ok_or_else(|| format!("{name} is not in a catalog"))?;
        let (function, version) = function.split_once(':').ok_or_else(|| format!("{name} has no version"))?;
        let is_segment = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_alphanumeric())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+'))
        };
        if !is_segment(function) || !is_segment(version) {
            return Err(format!("{name}: names and versions of functions have letters, digits, and - _ . + in them"));
        }
        let root = match &missing.endpoint {
            Some(endpoint) => {
                let uri = endpoint.uri.0.as_str().filter(|uri| !uri.contains(['{', '}'])).ok_or_else(|| {
                    format!("the catalog `{catalog}` is read before the workflow starts; write its URI without an expression")
                })?;
                here.refer(uri)?
            }
            None => Address::File(self.catalog.clone().ok_or_else(|| {
                format!("{name}: there is no default catalog; give the folder that it is in with `--catalog`")
            })?),
        };
        root.join(&format!("functions/{function}/{version}/function.yaml"))
    }

    async fn read(&self, address: &Address, source: &Source<'_>) -> Result<Vec<u8>, String> {
        match address {
            Address::File(path) => {
                let read = match address.is_within(&self.folder) {
                    true => files::read_within(&self.folder, path.clone(), MAX_BYTES).await,
                    // What a `file:` URL names, or a catalog.
                    false => files::read_at_most(path.clone(), MAX_BYTES).await,
                };
                read.map_err(|error| format!("{address}: {error}"))
            }
            Address::Url(url) => {
                let Some(fetch) = &self.fetch else {
                    return Err(format!(
                        "{url}: nothing is fetched over the network here; put the document into a folder"
                    ));
                };
                let vault = Vault { secrets: &self.secrets, components: &source.definition.components };
                let authentication = source.policy.map(|policy| vault.policy(policy)).transpose();
                let authentication = authentication.map_err(|error| format!("{url}: {error}"))?;
                let bytes = fetch
                    .get(FetchRequest { url, authentication, limit: MAX_BYTES })
                    .await
                    .map_err(|error| format!("{url}: {error}"))?;
                if bytes.len() as u64 > MAX_BYTES {
                    return Err(format!("{url}: the document is larger than {} KiB", MAX_BYTES >> 10));
                }
                Ok(bytes)
            }
        }
    }
}

/// How many documents there are, those to which schemas refer included.
fn documents(links: &Links) -> usize {
    let referred = links.values().map(|loaded| match loaded {
        Loaded::Schema(schema) => schema.documents.len(),
        Loaded::Function { .. } => 0,
    });
    links.len() + referred.sum::<usize>()
}

fn too_many(pointer: String) -> Vec<Unsupported> {
    vec![Unsupported { pointer, message: format!("more than {MAX_DOCUMENTS} documents would be loaded for it") }]
}

/// For whom something is loaded, and how to authenticate where it is.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) policy: Option<&'a Reusable<Authentication>>,
    pub(super) definition: &'a Definition,
}

fn policy(missing: &Missing) -> Option<&Reusable<Authentication>> {
    missing.endpoint.as_ref().and_then(|endpoint| endpoint.authentication.as_ref())
}

fn refuse(at: Option<&Missing>, message: String) -> Vec<Unsupported> {
    vec![Unsupported { pointer: at.map(|missing| missing.pointer.clone()).unwrap_or_default(), message }]
}

fn first_error(address: &Address, refused: &Refused) -> String {
    let mut errors = refused.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let first = errors.next().map(|error| {
        let place = error.place;
        format!("{address}:{}:{}: {} {}", place.line, place.column, error.message, error.help)
    });
    let more = match errors.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    first.unwrap_or_default() + &more
}
