//! Loads the documents to which a JSON Schema refers, and those to which they refer.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use hotcell_machine::{Loaded, LoadedSchema};
use serde_json::Value;

use super::address::Address;
use super::loader::{Loader, MAX_DOCUMENTS, MAX_ROUNDS, MAX_TOTAL_BYTES, Source};
use super::references::{Reference, find};

/// A document that was loaded, and whose references are to be followed.
struct Open {
    document: Arc<Value>,
    /// Where it is.
    at: Address,
    /// By which address it was asked for.
    url: url::Url,
    /// How many documents refer to each other up to this one.
    depth: usize,
}

impl Loader {
    /// A schema of so many bytes that was found at an address, with everything to which it refers. They may refer to each
    /// other in circles.
    pub(super) async fn with_references(
        &self,
        schema: Arc<Value>,
        mut bytes: usize,
        at: &Address,
        source: &Source<'_>,
    ) -> Result<(Loaded, usize), String> {
        let base = at.url().ok_or_else(|| format!("{at} has no address"))?;
        let mut documents: BTreeMap<String, Arc<Value>> = BTreeMap::new();
        let mut known: HashSet<String> = HashSet::from([base.to_string()]);
        let mut open = vec![Open { document: Arc::clone(&schema), at: at.clone(), url: base.clone(), depth: 0 }];
        while let Some(Open { document, at: from, url, depth }) = open.pop() {
            let found = find(&document, &url);
            known.extend(found.ids);
            if let Some(alias) = found.alias
                && depth > 0
            {
                documents.insert(alias.to_string(), Arc::clone(&document));
            }
            for reference in found.references {
                if !known.insert(reference.url.to_string()) {
                    continue;
                }
                if depth == MAX_ROUNDS {
                    return Err(format!("{from}: schemas refer to others more than {MAX_ROUNDS} levels deep"));
                }
                if documents.len() >= MAX_DOCUMENTS {
                    return Err(format!("{from}: more than {MAX_DOCUMENTS} documents would be loaded for it"));
                }
                let (document, length, place) = self.referred(&reference, &from, at, source).await?;
                bytes += length;
                if bytes > MAX_TOTAL_BYTES {
                    return Err(format!("{from}: more than {} MiB would be loaded for it", MAX_TOTAL_BYTES >> 20));
                }
                documents.insert(reference.url.to_string(), Arc::clone(&document));
                open.push(Open { document, at: place, url: reference.url, depth: depth + 1 });
            }
        }
        Ok((Loaded::Schema(Arc::new(LoadedSchema { base: base.into(), schema, documents })), bytes))
    }

    /// The document to which another one refers, how many bytes it has, and where it was. `first` is where the schema
    /// stands for which everything is loaded: its credentials are for its host, and no other.
    async fn referred(
        &self,
        reference: &Reference,
        from: &Address,
        first: &Address,
        source: &Source<'_>,
    ) -> Result<(Arc<Value>, usize, Address), String> {
        let mut reasons = Vec::new();
        for place in reference.places(from) {
            let loading = async {
                // A document that came over the network does not look into this machine.
                if matches!((from, &place), (Address::Url(_), Address::File(_))) {
                    return Err(format!("{place}: files are not read for a document from the network"));
                }
                if reference.is_path() {
                    self.stays(from, &place)?;
                }
                let same_host =
                    matches!((first, &place), (Address::Url(a), Address::Url(b)) if a.origin() == b.origin());
                let source = Source { policy: source.policy.filter(|_| same_host), ..*source };
                self.document(&place, &source).await
            };
            match loading.await {
                Ok((document, bytes)) => return Ok((document, bytes, place)),
                Err(error) => reasons.push(error),
            }
        }
        if reasons.is_empty() {
            reasons.push(format!("nothing is loaded by {}; write https, or a relative path", reference.url.scheme()));
        }
        Err(format!("{from} refers to {:?}: {}", reference.written, reasons.join("; ")))
    }
}
