//! Lifecycle events over TLS, with an authority of one's own and a token.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hotcell_progress::{Definitions, EventLog, Lifecycle, Published, Publisher, PublisherOptions};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::events::execution;
use crate::running::{quick, soon};

/// A server on this machine whose certificate is for `localhost`. It ends with the test.
struct Server {
    port: u16,
    authority: CertificateDer<'static>,
    /// The header `authorization` of each request.
    asked: Arc<Mutex<Vec<String>>>,
}

async fn server() -> Server {
    let mut authority = CertificateParams::new(Vec::new()).expect("no names");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an issuer");
    let key = KeyPair::generate().expect("a key");
    let names = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let certificate = names.signed_by(&key, &authority).expect("a certificate");
    let configuration = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .expect("a pair");
    let acceptor = TlsAcceptor::from(Arc::new(configuration));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let books = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, books) = (acceptor.clone(), Arc::clone(&books));
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = service_fn(move |request: Request<Incoming>| {
                    let given =
                        request.headers().get("authorization").map(|value| value.to_str().expect("text").to_owned());
                    books.lock().expect("no panic").push(given.unwrap_or_default());
                    async { Ok::<_, String>(Response::new(http_body_util::Full::new(Bytes::new()))) }
                });
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    Server { port, authority: authority.der().clone(), asked }
}

fn trusting(issuers: &[CertificateDer<'static>]) -> Option<Arc<ClientConfig>> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(issuers.iter().cloned());
    let configuration = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(store)
        .with_no_client_auth();
    Some(Arc::new(configuration))
}

async fn publish(url: &str, tls: Option<Arc<ClientConfig>>, token: Option<&str>, grace: Duration) -> Published {
    let log = EventLog::new();
    let options =
        PublisherOptions { backoff: quick(), tls, token: token.map(Into::into), ..PublisherOptions::default() };
    let lifecycle = Lifecycle::new(Definitions::new());
    let publisher = Publisher::start(log.subscribe(), lifecycle, url, options).expect("a valid sink");
    log.append(execution("e", 1));
    log.close();
    soon(publisher.finish(grace)).await
}

#[tokio::test]
async fn events_go_over_tls_to_whoever_the_operator_trusts_and_with_the_token() {
    let server = server().await;
    let url = format!("https://localhost:{}/events", server.port);

    let tls = trusting(std::slice::from_ref(&server.authority));
    let published = publish(&url, tls, Some("t0ken"), Duration::from_secs(100)).await;

    assert!(published.is_complete(), "{published}");
    let asked = server.asked.lock().expect("no panic");
    assert_eq!(asked.len() as u64, published.delivered);
    assert!(asked.iter().all(|given| given == "Bearer t0ken"));
}

#[tokio::test]
async fn nothing_is_sent_to_whom_nobody_trusts_and_the_sentence_says_what_to_give() {
    let server = server().await;
    let url = format!("https://localhost:{}/events", server.port);

    let published = publish(&url, trusting(&[]), Some("t0ken"), Duration::from_millis(100)).await;

    assert_eq!(published.delivered, 0);
    assert!(published.to_string().contains("--ca-file"), "{published}");
    assert!(server.asked.lock().expect("no panic").is_empty());
}

#[tokio::test]
async fn a_certificate_for_another_host_is_not_taken() {
    let server = server().await;
    let url = format!("https://127.0.0.1:{}/events", server.port);

    let tls = trusting(std::slice::from_ref(&server.authority));
    let published = publish(&url, tls, None, Duration::from_millis(100)).await;

    assert_eq!(published.delivered, 0);
    assert!(published.to_string().contains("certificate"), "{published}");
}

#[test]
fn a_token_is_not_sent_where_others_can_read_it() {
    for (url, token, reason) in [
        ("http://sink.example/", "t0ken", "over https only"),
        ("http://127.0.0.1/", "t0 ken", "characters"),
        ("http://localhost/", "", "characters"),
    ] {
        let log = EventLog::new();
        let options = PublisherOptions { token: Some(token.into()), ..PublisherOptions::default() };
        let lifecycle = Lifecycle::new(Definitions::new());
        let error = Publisher::start(log.subscribe(), lifecycle, url, options).expect_err(url).to_string();
        assert!(error.contains(reason), "{url}: {error}");
        assert!(!error.contains("t0ken"), "{error}");
    }
}
