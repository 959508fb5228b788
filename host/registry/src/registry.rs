//! Fetching and pushing components.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hotcell_egress::{Egress, EgressLimits};
use hotcell_sandbox::{Digest, MAX_COMPONENT_SIZE};

use crate::manifest::{ACCEPTED, Content, Descriptor, MANIFEST, Manifest};
use crate::session::{Ask, Session, header};
use crate::{ComponentReference, ContentStore, Credentials, OciReference, RegistryError, UrlReference};

/// The largest manifest that is read: 4 MiB, as the OCI distribution specification has it.
const MAX_MANIFEST: usize = 4 << 20;
/// How long one request may take: a component of 64 MiB over a slow line.
const MAX_TIME: Duration = Duration::from_secs(300);

/// Where components come from that are not files beside a definition.
pub struct Registry {
    egress: Egress,
    store: Option<ContentStore>,
    credentials: Credentials,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("store", &self.store).finish_non_exhaustive()
    }
}

/// A component that was fetched.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Its bytes.
    pub component: Arc<[u8]>,
    /// The reference that means these bytes and no others from now on.
    pub pinned: ComponentReference,
}

/// A component that was pushed.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// The reference that means what was pushed and nothing else.
    pub pinned: ComponentReference,
    /// The digest of the component.
    pub component: Digest,
}

impl Registry {
    /// Asks through this egress, to hosts that it allows. Without a store, everything is fetched every time.
    pub fn new(egress: &Egress, store: Option<ContentStore>, credentials: Credentials) -> Self {
        let limits = EgressLimits {
            request: MAX_COMPONENT_SIZE,
            response: MAX_COMPONENT_SIZE,
            total: MAX_TIME,
            ..EgressLimits::default()
        };
        Registry { egress: egress.with_limits(limits), store, credentials }
    }

    /// Fetches a component, unless the store has what the reference pins. A tag is asked for each time.
    ///
    /// # Errors
    /// It is not there, not what its digest says, not WebAssembly, or cannot be reached.
    pub async fn fetch(&self, reference: &ComponentReference) -> Result<Fetched, RegistryError> {
        match reference {
            ComponentReference::Oci(reference) => self.pull(reference).await,
            ComponentReference::Url(reference) => {
                let component = self.download(reference).await?;
                Ok(Fetched { component, pinned: ComponentReference::Url(reference.clone()) })
            }
        }
    }

    async fn download(&self, reference: &UrlReference) -> Result<Arc<[u8]>, RegistryError> {
        if let Some(stored) = self.stored(&reference.digest).await {
            return Ok(stored.into());
        }
        let document = self.egress.get(reference.url.as_str(), &[]).await?;
        let bytes = document.bytes.to_vec();
        self.keep(reference.url.as_str(), &reference.digest, &bytes).await?;
        Ok(bytes.into())
    }

    async fn pull(&self, reference: &OciReference) -> Result<Fetched, RegistryError> {
        let mut session = Session::new(&self.egress, &self.credentials, reference)?;
        let none = |reason: String| RegistryError::NoComponent { reference: reference.to_string(), reason };
        let (mut manifest, digest) = self.manifest(&mut session, reference.target(), reference.digest).await?;
        let pinned = OciReference { digest: Some(digest), ..reference.clone() };
        // An index leads to a manifest, a manifest to the component.
        for _ in 0..2 {
            match manifest.content().map_err(none)? {
                Content::Component(layer) => {
                    let component = self.layer(&mut session, &layer).await?;
                    return Ok(Fetched { component, pinned: ComponentReference::Oci(pinned) });
                }
                Content::Manifest(Descriptor { digest, .. }) => {
                    manifest = self.manifest(&mut session, digest.to_string(), Some(digest)).await?.0;
                }
            }
        }
        Err(none("it is an index of indexes".into()))
    }

    /// A manifest, and its digest.
    async fn manifest(
        &self,
        session: &mut Session<'_>,
        target: String,
        expected: Option<Digest>,
    ) -> Result<(Manifest, Digest), RegistryError> {
        let stored = match &expected {
            Some(digest) => self.stored(digest).await,
            None => None,
        };
        let bytes = match stored {
            Some(bytes) => bytes,
            None => {
                let to = format!("manifests/{target}");
                let response = session.follow(Ask::get(&to).with("accept", ACCEPTED)).await?;
                if response.status != 200 {
                    return Err(session.status(&response));
                }
                if response.body.len() > MAX_MANIFEST {
                    return Err(session.odd(format!("the manifest is larger than {} MiB", MAX_MANIFEST >> 20)));
                }
                let digest = expected.unwrap_or_else(|| Digest::of(&response.body));
                self.keep(&format!("the manifest {target}"), &digest, &response.body).await?;
                response.body
            }
        };
        let manifest = serde_json::from_slice(&bytes)
            .map_err(|error| session.odd(format!("what stands at {target} is no manifest: {error}")))?;
        Ok((manifest, Digest::of(&bytes)))
    }

    async fn layer(&self, session: &mut Session<'_>, layer: &Descriptor) -> Result<Arc<[u8]>, RegistryError> {
        if let Some(stored) = self.stored(&layer.digest).await {
            return Ok(stored.into());
        }
        if layer.size > MAX_COMPONENT_SIZE as u64 {
            return Err(session.odd(format!(
                "the component has {} bytes, and may have {} MiB",
                layer.size,
                MAX_COMPONENT_SIZE >> 20
            )));
        }
        let response = session.follow(Ask::get(&format!("blobs/{}", layer.digest))).await?;
        if response.status != 200 {
            return Err(session.status(&response));
        }
        self.keep("the component", &layer.digest, &response.body).await?;
        Ok(response.body.into())
    }

    async fn stored(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.store.as_ref()?.get(digest).await
    }

    /// Keeps what came, if it is what was asked for.
    async fn keep(&self, what: &str, expected: &Digest, bytes: &[u8]) -> Result<(), RegistryError> {
        let found = Digest::of(bytes);
        if found != *expected {
            return Err(RegistryError::Digest { what: what.into(), expected: *expected, found });
        }
        if let Some(store) = &self.store {
            store.put(expected, bytes).await;
        }
        Ok(())
    }

    /// Pushes a component, or a WASI module, to where a reference with a tag says. What the registry has already is not sent again.
    ///
    /// # Errors
    /// It is not WebAssembly, or the registry does not take it.
    pub async fn push(&self, component: &[u8], reference: &OciReference) -> Result<Pushed, RegistryError> {
        let (manifest, config) = Manifest::of(component).map_err(RegistryError::NotWasm)?;
        let mut session = Session::new(&self.egress, &self.credentials, reference)?;
        for blob in [component, &config] {
            self.push_blob(&mut session, blob).await?;
        }
        let digest = Digest::of(&manifest);
        let target = reference.tag.clone().unwrap_or_else(|| digest.to_string());
        let to = format!("manifests/{target}");
        let ask = Ask { method: "PUT", body: Some(manifest), ..Ask::get(&to) }.with("content-type", MANIFEST);
        let response = session.ask(ask).await?;
        if response.status != 201 {
            return Err(session.status(&response));
        }
        let pinned = OciReference { digest: Some(digest), ..reference.clone() };
        Ok(Pushed { pinned: ComponentReference::Oci(pinned), component: Digest::of(component) })
    }

    async fn push_blob(&self, session: &mut Session<'_>, blob: &[u8]) -> Result<(), RegistryError> {
        let digest = Digest::of(blob);
        let there = format!("blobs/{digest}");
        if session.ask(Ask { method: "HEAD", ..Ask::get(&there) }).await?.status == 200 {
            return Ok(());
        }
        let begin = Ask { method: "POST", body: Some(Vec::new()), ..Ask::get("blobs/uploads/") };
        let begun = session.ask(begin).await?;
        if begun.status != 202 {
            return Err(session.status(&begun));
        }
        let location =
            header(&begun, "location").ok_or_else(|| session.odd("it does not say where to upload to".into()))?;
        let separator = if location.contains('?') { '&' } else { '?' };
        // The colon may stand as it is, but not everything between hosts and clients agrees.
        let at = format!("{location}{separator}digest=sha256%3A{}", digest.hex());
        let upload = Ask { method: "PUT", body: Some(blob.to_vec()), ..Ask::get(&at) };
        let done = session.ask(upload.with("content-type", "application/octet-stream")).await?;
        match done.status {
            201 => Ok(()),
            _ => Err(session.status(&done)),
        }
    }
}
