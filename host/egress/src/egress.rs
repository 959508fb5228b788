//! Requests and their answers.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::{Method, Uri};
use hyper_util::rt::TokioIo;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::EgressError;
use crate::allow::{Allowed, AllowedHost, Trust, allowed};
use crate::connect::{Stream, addresses, connect, unreachable};
use crate::narrow::{self, Narrow};
use crate::resolve::{Resolve, SystemNames};
use crate::target::Target;
use crate::trusted::{self, InvalidCertificates};

/// A request.
#[derive(Clone, Default)]
pub struct Request {
    /// The method, in upper case.
    pub method: String,
    /// An absolute URI, `http` or `https`, without a user name.
    pub uri: String,
    /// Headers. `host` and `content-length` are added; others that concern the connection are refused.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Vec<u8>>,
}

/// An answer, whatever its status.
#[derive(Clone)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, in the order in which they came, names in lower case. Bytes beyond ASCII are read as ISO 8859-1.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A document that was fetched.
#[derive(Clone)]
pub struct Document {
    /// Where it was in the end.
    pub uri: String,
    /// What it says it is: the header `content-type`.
    pub content_type: Option<String>,
    /// The document.
    pub bytes: Vec<u8>,
}

/// What the owner of a request was granted, beside what the operator allows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Grant {
    /// Nothing.
    #[default]
    Nothing,
    /// The hosts and ports of these absolute URIs. What is no URI grants nothing.
    HostsOf(Vec<String>),
    /// Whatever the operator allows.
    Allowed,
}

/// What one request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EgressLimits {
    /// Bytes of a request's body and of its headers, each. Default 8 MiB.
    pub request: usize,
    /// Bytes of an answer's body. Default 8 MiB: against a server that sends without end. Its headers have 64 KiB.
    pub response: usize,
    /// From the first address that is tried until one is connected, each, and the TLS handshake. Default 10 s.
    pub connect: Duration,
    /// From the request to the last byte of the answer. Default 60 s: against a server that sends a byte now and then.
    pub total: Duration,
    /// How many redirects [`Egress::get`] follows. Default 5.
    pub redirects: u32,
}

impl Default for EgressLimits {
    fn default() -> Self {
        EgressLimits {
            request: 8 << 20,
            response: 8 << 20,
            connect: Duration::from_secs(10),
            total: Duration::from_secs(60),
            redirects: 5,
        }
    }
}

/// How far headers of an answer may go, in bytes and in number: against a server that sends headers without end.
const RESPONSE_HEADER_BYTES: usize = 64 << 10;
const RESPONSE_HEADERS: usize = 200;

/// Headers that concern the connection, which is the host's, or that would say other things about the request than
/// what was checked.
const REFUSED_HEADERS: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// How to set up [`Egress`].
pub struct EgressOptions {
    /// The hosts that requests may go to. Default none.
    pub allowed: Vec<AllowedHost>,
    /// What a request may take.
    pub limits: EgressLimits,
    /// What looks names up. Default: the system.
    pub names: Arc<dyn Resolve>,
    /// Certificates of issuers that are trusted besides those of the system.
    issuers: Vec<CertificateDer<'static>>,
}

impl Default for EgressOptions {
    fn default() -> Self {
        let (allowed, limits, issuers) = (Vec::new(), EgressLimits::default(), Vec::new());
        EgressOptions { allowed, limits, names: Arc::new(SystemNames), issuers }
    }
}

impl EgressOptions {
    /// Allows these hosts and no other.
    pub fn allowing(allowed: Vec<AllowedHost>) -> Self {
        EgressOptions { allowed, ..Self::default() }
    }

    /// Trusts the issuers whose certificates are in this file, in PEM form, besides those of the system.
    ///
    /// # Errors
    /// The file cannot be read, or there is no certificate in it.
    pub fn trust(&mut self, file: &Path) -> Result<(), InvalidCertificates> {
        self.issuers.extend(trusted::read(file)?);
        Ok(())
    }
}

/// The one way out. Needs a tokio runtime with time and I/O enabled.
#[derive(Clone)]
pub struct Egress {
    allowed: Vec<AllowedHost>,
    limits: EgressLimits,
    names: Arc<dyn Resolve>,
    issuers: Vec<CertificateDer<'static>>,
    /// Made for the first connection that needs it: reading the system's certificates takes milliseconds.
    tls: Arc<OnceLock<Arc<ClientConfig>>>,
    /// What has to allow a request besides.
    narrower: Vec<Arc<dyn Narrow>>,
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress").field("allowed", &self.allowed).field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Default for Egress {
    /// Nothing can be reached.
    fn default() -> Self {
        Egress::new(EgressOptions::default())
    }
}

impl Egress {
    /// Sets it up. Nothing is connected or looked up yet.
    pub fn new(options: EgressOptions) -> Self {
        let EgressOptions { allowed, limits, names, issuers } = options;
        Egress { allowed, limits, names, issuers, tls: Arc::default(), narrower: Vec::new() }
    }

    /// The same way out, to fewer places: what is allowed has to be allowed by this, too.
    #[must_use]
    pub fn narrowed(&self, by: Arc<dyn Narrow>) -> Self {
        let narrower = self.narrower.iter().cloned().chain([by]).collect();
        Egress { narrower, ..self.clone() }
    }

    /// The same way out, with other limits: for the host's own requests, components of 64 MiB for example.
    #[must_use]
    pub fn with_limits(&self, limits: EgressLimits) -> Self {
        Egress { limits, ..self.clone() }
    }

    /// Sends a request and waits for the whole answer. Redirects are not followed. Dropping the future ends the connection.
    ///
    /// # Errors
    /// It is not allowed, there is no answer, or a limit was passed.
    pub async fn send(&self, request: Request, grant: &Grant) -> Result<Response, EgressError> {
        let target = Target::parse(&request.uri)?;
        let trust = self.check(&target, &request.method, grant)?;
        let trust = narrow::narrowed(&self.narrower, &target, &request.method, trust)?;
        let limit = self.limits.total;
        let exchange = self.exchange(&target, trust, request);
        let late = |_| EgressError::Late { authority: target.authority(), limit };
        tokio::time::timeout(limit, exchange).await.map_err(late)?
    }

    /// Fetches a document, following redirects, each of which is checked like the first request.
    ///
    /// # Errors
    /// Those of [`send`](Self::send), and an answer with another status than 200 to 299.
    pub async fn get(&self, uri: &str, headers: &[(String, String)]) -> Result<Document, EgressError> {
        let mut uri = uri.to_owned();
        let mut headers = headers.to_vec();
        let limit = self.limits.total;
        let fetch = async {
            for _ in 0..=self.limits.redirects {
                let request = Request { method: "GET".into(), uri: uri.clone(), headers: headers.clone(), body: None };
                let response = self.send(request, &Grant::Allowed).await?;
                let header = |name: &str| {
                    let found = response.headers.iter().find(|(header, _)| header == name);
                    found.map(|(_, value)| value.clone())
                };
                let authority = Target::parse(&uri)?.authority();
                match (response.status, header("location")) {
                    (200..=299, _) => {
                        return Ok(Document {
                            content_type: header("content-type"),
                            uri: uri.clone(),
                            bytes: response.body,
                        });
                    }
                    (301 | 302 | 303 | 307 | 308, Some(location)) => {
                        let next = url::Url::parse(&uri).and_then(|base| base.join(&location));
                        let next = next.map_err(|_| EgressError::Status { authority, status: response.status })?;
                        // What authenticates at one host is not for another.
                        if Target::parse(next.as_str())?.authority() != Target::parse(&uri)?.authority() {
                            headers.retain(|(name, _)| {
                                !name.eq_ignore_ascii_case("authorization") && !name.eq_ignore_ascii_case("cookie")
                            });
                        }
                        uri = next.into();
                    }
                    (status, _) => return Err(EgressError::Status { authority, status }),
                }
            }
            Err(EgressError::Invalid { reason: format!("more than {} redirects", self.limits.redirects) })
        };
        let result = tokio::time::timeout(limit, fetch).await;
        result.unwrap_or_else(|_| Err(EgressError::Late { authority: uri_authority(&uri), limit }))
    }

    /// How connections over TLS are made: whose certificates are trusted. For what is the operator's own, and goes out without
    /// being checked.
    pub fn tls(&self) -> Arc<ClientConfig> {
        Arc::clone(self.tls.get_or_init(|| trusted::configuration(&self.issuers)))
    }

    /// Whether a GET request to this absolute URI would be allowed, as far as that can be told without looking its name up.
    ///
    /// # Errors
    /// Why it is not.
    pub fn allows(&self, uri: &str) -> Result<(), EgressError> {
        let target = Target::parse(uri)?;
        let trust = self.check(&target, "GET", &Grant::Allowed)?;
        narrow::narrowed(&self.narrower, &target, "GET", trust).map(|_| ())
    }

    /// Before anything is looked up: names that are not allowed are not told to anybody, name servers included.
    fn check(&self, target: &Target, method: &str, grant: &Grant) -> Result<Trust, EgressError> {
        let authority = || target.authority();
        let trust = match allowed(&self.allowed, target, method) {
            Allowed::Yes(trust) => trust,
            // What is no method at all is refused as that.
            Allowed::OtherMethods if Method::from_bytes(method.as_bytes()).is_ok() => {
                return Err(EgressError::MethodNotAllowed { authority: authority(), method: method.into() });
            }
            Allowed::No | Allowed::OtherMethods => return Err(EgressError::NotAllowed { authority: authority() }),
        };
        let is_granted = match grant {
            Grant::Nothing => false,
            Grant::Allowed => true,
            Grant::HostsOf(uris) => uris.iter().filter_map(|uri| Target::parse(uri).ok()).any(|granted| {
                (granted.host, granted.port, granted.is_tls) == (target.host.clone(), target.port, target.is_tls)
            }),
        };
        match is_granted {
            true => Ok(trust),
            false => Err(EgressError::NotAsked { authority: authority() }),
        }
    }

    async fn exchange(&self, target: &Target, trust: Trust, request: Request) -> Result<Response, EgressError> {
        let request = compose(target, request, self.limits.request)?;
        let addresses = addresses(target, trust, &*self.names).await;
        let addresses = addresses.map_err(|error| narrow::explained(error, !self.narrower.is_empty()))?;
        let stream = connect(target, &addresses, || self.tls(), self.limits.connect).await?;
        converse(target, stream, request, self.limits.response).await
    }
}

fn uri_authority(uri: &str) -> String {
    Target::parse(uri).map(|target| target.authority()).unwrap_or_default()
}

/// The request as it goes over the line.
fn compose(target: &Target, request: Request, limit: usize) -> Result<hyper::Request<Full<Bytes>>, EgressError> {
    let invalid = |reason: String| EgressError::Invalid { reason };
    let too_large = EgressError::TooLarge { what: "the request", limit };
    let method = Method::from_bytes(request.method.as_bytes())
        .ok()
        .filter(|method| ![Method::CONNECT, Method::TRACE].contains(method))
        .ok_or_else(|| invalid(format!("{:?} is not a method that requests can have", request.method)))?;
    let body = request.body.unwrap_or_default();
    let header_bytes: usize = request.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if body.len() > limit || header_bytes > limit {
        return Err(too_large);
    }
    let uri: Uri = target.path.parse().map_err(|_| invalid("the path of the URI is not valid".into()))?;
    let mut composed = hyper::Request::new(Full::new(Bytes::from(body)));
    *composed.method_mut() = method;
    *composed.uri_mut() = uri;
    let headers = composed.headers_mut();
    for (name, value) in request.headers {
        let parsed = HeaderName::try_from(name.as_str())
            .map_err(|_| invalid(format!("{name:?} is not the name of a header")))?;
        if REFUSED_HEADERS.contains(&parsed.as_str()) {
            return Err(invalid(format!("the header {parsed:?} concerns the connection and cannot be set")));
        }
        let value = HeaderValue::try_from(value).map_err(|_| {
            invalid(format!("the value of the header {parsed:?} has characters that headers cannot have"))
        })?;
        headers.append(parsed, value);
    }
    let host = HeaderValue::try_from(target.authority()).map_err(|_| invalid("the host is not valid".into()))?;
    headers.insert(HOST, host);
    Ok(composed)
}

/// Sends the request and reads the answer, on a connection that ends with it.
async fn converse(
    target: &Target,
    stream: Box<dyn Stream>,
    request: hyper::Request<Full<Bytes>>,
    limit: usize,
) -> Result<Response, EgressError> {
    let broke = |error: hyper::Error| unreachable(target, &explain(&error));
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(RESPONSE_HEADER_BYTES)
        .max_headers(RESPONSE_HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broke)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(broke)?;
        let (head, mut body) = response.into_parts();
        let too_large = || EgressError::TooLarge { what: "the answer", limit };
        if body.size_hint().lower() > limit as u64 {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(broke)?.into_data() else { continue };
            if bytes.len() + data.len() > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&data);
        }
        let headers = head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), latin1(value.as_bytes())));
        Ok(Response { status: head.status.as_u16(), headers: headers.collect(), body: bytes })
    };
    tokio::pin!(exchange, connection);
    let mut is_open = true;
    loop {
        tokio::select! {
            answer = &mut exchange => return answer,
            // What it ended with, the exchange learns as well.
            _ = &mut connection, if is_open => is_open = false,
        }
    }
}

fn explain(error: &hyper::Error) -> String {
    if error.is_parse_too_large() {
        return format!("its answer has more than {} KiB or {RESPONSE_HEADERS} headers", RESPONSE_HEADER_BYTES >> 10);
    }
    if error.is_parse() {
        return "it does not speak HTTP/1.1".into();
    }
    format!("the connection broke: {error}")
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
