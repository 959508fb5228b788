//! Events to a server, one request each.

use std::error::Error;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::PublisherError;
use super::session::Outgoing;

/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of an answer is read, so that its connection can be used again. What it says does not matter.
const MAX_ANSWER: usize = 64 << 10;

/// A server that takes events.
pub(super) struct HttpSink {
    client: Client<HttpConnector, Full<Bytes>>,
    uri: Uri,
    answer_timeout: Duration,
}

impl HttpSink {
    pub(super) fn new(url: &str, answer_timeout: Duration) -> Result<Self, PublisherError> {
        let invalid = |reason: String| PublisherError::Invalid { sink: url.to_owned(), reason };
        let uri: Uri = url.parse().map_err(|error| invalid(format!("{error}")))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some(scheme) => {
                return Err(invalid(format!(
                    "`{scheme}` is not supported; for TLS, put a proxy or a tunnel before it"
                )));
            }
            None => return Err(invalid("it has no scheme".to_owned())),
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(invalid("it names no host".to_owned()));
        }
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(invalid("it carries credentials, which would not be sent".to_owned()));
        }
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(HttpSink { client, uri, answer_timeout })
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
        let request = Request::post(self.uri.clone())
            .header(CONTENT_TYPE, "application/cloudevents+json")
            .header(USER_AGENT, concat!("hotcell/", env!("CARGO_PKG_VERSION")))
            .body(Full::new(body))
            .map_err(|error| error.to_string())?;
        let answer = self.client.request(request).await.map_err(|error| {
            format!("could not reach {}: {}; is a server running there?", self.uri, deepest(&error))
        })?;
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
