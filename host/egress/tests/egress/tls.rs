//! Connections over TLS, and whose certificates are trusted.

use std::io::Write;
use std::sync::Arc;

use hotcell_egress::{Egress, EgressError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::server::{get, options};

/// A private certificate authority, and a server with a certificate of it for these names.
struct Service {
    authority: tempfile::NamedTempFile,
    port: u16,
}

async fn service(names: &[&str]) -> Service {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let configuration = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(configuration));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else { return };
                    head.push(byte);
                }
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await;
                let _ = stream.shutdown().await;
            });
        }
    });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(authority.pem().as_bytes()).unwrap();
    Service { authority: file, port }
}

fn trusting(service: &Service) -> Egress {
    let mut options = options(&["localhost", "127.0.0.1"]);
    options.trust(service.authority.path()).unwrap();
    Egress::new(options)
}

#[tokio::test]
async fn a_private_authority_is_trusted_if_its_certificate_is_given() {
    let service = service(&["localhost", "127.0.0.1"]).await;
    let egress = trusting(&service);
    for host in ["localhost", "127.0.0.1"] {
        let response = get(&egress, &format!("https://{host}:{}/", service.port)).await;
        assert_eq!(response.unwrap().body, b"hi", "{host}");
    }
}

#[tokio::test]
async fn without_it_the_error_says_what_to_give() {
    let service = service(&["localhost"]).await;
    let error = get(&Egress::new(options(&["localhost"])), &format!("https://localhost:{}/", service.port)).await;
    assert!(error.err().unwrap().to_string().contains("--ca-file"));
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let service = service(&["other.example"]).await;
    let error = get(&trusting(&service), &format!("https://localhost:{}/", service.port)).await.err();
    assert!(matches!(error, Some(EgressError::Unreachable { .. })), "{error:?}");
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_unreachable() {
    let server = crate::server::answering("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let error = get(&Egress::new(options(&["127.0.0.1"])), &format!("https://{}/", server.address)).await.err();
    assert!(matches!(error, Some(EgressError::Unreachable { .. })), "{error:?}");
}

#[test]
fn a_file_without_certificates_is_refused_with_its_name() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for content in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        file.as_file_mut().set_len(0).unwrap();
        file.write_all(content.as_bytes()).unwrap();
        let error = options(&[]).trust(file.path()).unwrap_err().to_string();
        assert!(error.contains(&file.path().display().to_string()), "{error}");
    }
}
