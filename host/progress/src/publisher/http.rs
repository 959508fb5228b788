//! Events to a server, one request each.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::session::Outgoing;
use super::{PublisherError, PublisherOptions};

/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of an answer is read, so that its connection can be used again. What it says does not matter.
const MAX_ANSWER: usize = 64 << 10;

/// A server that takes events.
pub(super) struct HttpSink {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    uri: Uri,
    authorization: Option<HeaderValue>,
    answer_timeout: Duration,
}

impl HttpSink {
    pub(super) fn new(url: &str, options: &PublisherOptions) -> Result<Self, PublisherError> {
        let invalid = |reason: &str| PublisherError::Invalid { sink: url.to_owned(), reason: reason.to_owned() };
        let uri: Uri = url.parse().map_err(|error: hyper::http::uri::InvalidUri| invalid(&error.to_string()))?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(scheme) => return Err(invalid(&format!("`{scheme}` is not supported"))),
            None => return Err(invalid("it has no scheme")),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| invalid("it names no host"))?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(invalid("it carries credentials, which would not be sent; give a token instead"));
        }
        let authorization = match &options.token {
            None => None,
            // Whoever listens on the way would have it.
            Some(_) if !is_tls && !is_this_machine(host) => {
                return Err(invalid("a token is sent over https only, or to this machine"));
            }
            Some(token) => Some(bearer(token).ok_or_else(|| invalid("its token has characters that no token has"))?),
        };
        let tls = match &options.tls {
            Some(tls) => (**tls).clone(),
            None if is_tls => return Err(invalid("there are no certificates to trust")),
            None => without_issuers(),
        };
        Ok(HttpSink { client: client(tls), uri, authorization, answer_timeout: options.answer_timeout })
    }

    /// Sends what waits, one after the other, until something goes wrong. The error is a sentence.
    pub(super) async fn send(&mut self, outgoing: &mut Outgoing) -> Result<(), String> {
        while let Some(event) = outgoing.waiting.front() {
            let body = serde_json::to_vec(event).map_err(|error| format!("{}: {error}", event.id))?;
            let answer = tokio::time::timeout(self.answer_timeout, self.post(body.into())).await;
            let status = answer.map_err(|_| format!("{} did not answer for {:?}", self.uri, self.answer_timeout))??;
            match status {
                status if status.is_success() => outgoing.delivered += 1,
                // The sink understood it and does not want it; that will not change.
                StatusCode::BAD_REQUEST
                | StatusCode::PAYLOAD_TOO_LARGE
                | StatusCode::UNSUPPORTED_MEDIA_TYPE
                | StatusCode::UNPROCESSABLE_ENTITY => {
                    let refusal = format!("{} refused event {} with {status}", self.uri, event.id);
                    if outgoing.refused == 0 {
                        tracing::warn!("{refusal}");
                    }
                    outgoing.refused += 1;
                    outgoing.refusal = Some(refusal);
                }
                status => return Err(format!("{} answered {status}", self.uri)),
            }
            outgoing.waiting.pop_front();
        }
        Ok(())
    }

    async fn post(&self, body: Bytes) -> Result<StatusCode, String> {
        let mut request = Request::post(self.uri.clone())
            .header(CONTENT_TYPE, "application/cloudevents+json")
            .header(USER_AGENT, concat!("hotcell/", env!("CARGO_PKG_VERSION")))
            .body(Full::new(body))
            .map_err(|error| error.to_string())?;
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let answer = self
            .client
            .request(request)
            .await
            .map_err(|error| format!("could not reach {}: {}", self.uri, explain(&deepest(&error))))?;
        let status = answer.status();
        // An answer that is too long, or breaks off, only costs the connection.
        let _ = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
        Ok(status)
    }
}

/// The innermost cause, which is the one that says something.
fn deepest(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn client(mut tls: ClientConfig) -> Client<HttpsConnector<HttpConnector>, Full<Bytes>> {
    // The connector says itself what it speaks.
    tls.alpn_protocols.clear();
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    connector.set_nodelay(true);
    connector.enforce_http(false);
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(connector);
    Client::builder(TokioExecutor::new()).build(connector)
}

/// For a connector that is never asked for TLS.
fn without_issuers() -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has the default versions")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth()
}

/// The header of a token (RFC 6750), which is not shown in what is logged of a request.
fn bearer(token: &str) -> Option<HeaderValue> {
    let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok().filter(|_| is_token)?;
    value.set_sensitive(true);
    Some(value)
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// What to do about it, where that is known.
fn explain(cause: &str) -> String {
    if cause.contains("UnknownIssuer") {
        return "its certificate was issued by somebody who is not trusted; give the issuer's certificate with \
                --ca-file, or in SSL_CERT_FILE"
            .into();
    }
    if cause.contains("invalid peer certificate") {
        return cause.into();
    }
    format!("{cause}; is a server running there?")
}
