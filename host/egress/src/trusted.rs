//! Whose certificates are trusted.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

/// A file of certificates cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {reason}")]
pub struct InvalidCertificates {
    file: String,
    reason: String,
}

/// Reads the certificates of a file in PEM form, of which there has to be one at least.
pub(crate) fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, InvalidCertificates> {
    let invalid = |reason: String| InvalidCertificates { file: file.display().to_string(), reason };
    let found: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| invalid(format!("the certificates in it cannot be read: {error}")))?;
    if found.is_empty() {
        return Err(invalid("there is no certificate in it; it has to be in PEM form".into()));
    }
    let mut store = RootCertStore::empty();
    for certificate in &found {
        store
            .add(certificate.clone())
            .map_err(|error| invalid(format!("a certificate in it is not valid: {error}")))?;
    }
    Ok(found)
}

/// How connections over TLS are made: by the certificates of the system (or of `SSL_CERT_FILE` and `SSL_CERT_DIR`), those of
/// Mozilla where the system has none, and these.
pub(crate) fn configuration(more: &[CertificateDer<'static>]) -> Arc<ClientConfig> {
    let mut store = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "some of the system's certificates cannot be used");
    }
    store.add_parsable_certificates(native.certs);
    if store.is_empty() {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    store.add_parsable_certificates(more.iter().cloned());
    let provider = Arc::new(crypto::ring::default_provider());
    let mut configuration = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has the default versions")
        .with_root_certificates(store)
        .with_no_client_auth();
    configuration.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Nothing of one connection is remembered for the next.
    configuration.resumption = tokio_rustls::rustls::client::Resumption::disabled();
    Arc::new(configuration)
}
