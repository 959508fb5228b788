//! The address of a sink, and how a connection to it is made.

use std::error::Error;
use std::time::Duration;

use tonic::Status;
use tonic::transport::{Channel, Endpoint, Uri};

use crate::proto::progress_service_client::ProgressServiceClient;
use crate::sink::MAX_MESSAGE_BYTES;

/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a connection on which nothing happens is probed, and how long the answer may take. Without, a sink whose
/// machine lost power would be waited for until TCP gives up, a quarter of an hour later.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// The longest part of a foreign error's text that is repeated to a user.
const MAX_MESSAGE: usize = 2_000;

/// The URL of a sink is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL.
    #[error("{url:?} is not the URL of a progress sink: {reason}; expected one such as http://127.0.0.1:7070")]
    Invalid {
        /// What was given.
        url: String,
        /// Why it is none.
        reason: String,
    },
    /// A scheme other than `http`.
    #[error(
        "progress cannot be sent to {url}: `{scheme}` is not supported, only `http` is; \
         for TLS, put a proxy in front of the sink or a tunnel before it"
    )]
    Scheme {
        /// What was given.
        url: String,
        /// Its scheme.
        scheme: String,
    },
    /// The operating system gives no thread to the reporter.
    #[error("no thread for reporting progress could be started: {reason}; raise the limit of processes and threads")]
    Thread {
        /// What the operating system said.
        reason: String,
    },
}

/// Where a sink is.
#[derive(Debug, Clone)]
pub(crate) struct SinkAddress {
    endpoint: Endpoint,
    url: String,
}

impl SinkAddress {
    /// Parses a URL; `host:port` alone means `http://host:port`.
    pub(crate) fn parse(text: &str) -> Result<Self, EndpointError> {
        let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let invalid = |reason: String| EndpointError::Invalid { url: text.to_owned(), reason };
        let uri: Uri = url.parse().map_err(|error| invalid(format!("{error}")))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some(scheme) => return Err(EndpointError::Scheme { url: url.clone(), scheme: scheme.to_owned() }),
            None => return Err(invalid("it has no scheme".to_owned())),
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(invalid("it names no host".to_owned()));
        }
        if uri.path_and_query().is_some_and(|path| path.as_str() != "/") {
            return Err(invalid("it has a path or a query".to_owned()));
        }
        let endpoint = Endpoint::from(uri)
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE)
            .keep_alive_while_idle(true)
            .user_agent(concat!("hotcell/", env!("CARGO_PKG_VERSION")))
            .map_err(|error| invalid(error.to_string()))?;
        Ok(SinkAddress { endpoint, url })
    }

    /// The URL, for people.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Connects, once. The error is a sentence that says what to do.
    pub(crate) async fn connect(&self) -> Result<ProgressServiceClient<Channel>, String> {
        let channel = self.endpoint.connect().await.map_err(|error| {
            format!(
                "could not reach {}: {}; is `hotcell progress serve`, or another progress sink, running there?",
                self.url,
                deepest(&error)
            )
        })?;
        Ok(ProgressServiceClient::new(channel)
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES))
    }

    /// What a status means, as a sentence that says what to do.
    pub(crate) fn explain(&self, status: &Status) -> String {
        use tonic::Code;
        let url = &self.url;
        let message: String = match status.source() {
            Some(source) => deepest(source),
            None => status.message().to_owned(),
        };
        let message: String = message.chars().take(MAX_MESSAGE).collect();
        match status.code() {
            Code::Unimplemented => {
                format!("{url} answers, but is not a progress sink (it has no hotcell.progress.v1.ProgressService)")
            }
            Code::Unavailable | Code::Unknown | Code::Cancelled => format!("the connection to {url} broke: {message}"),
            Code::Internal if status.source().is_some() => format!("the connection to {url} broke: {message}"),
            _ => format!("{url} refused: {message}"),
        }
    }
}

/// The innermost cause, which is the one that says something: `connection refused` rather than `transport error`.
fn deepest(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_a_port_are_enough() {
        let address = SinkAddress::parse("localhost:7070").expect("valid");

        assert_eq!(address.url(), "http://localhost:7070");
    }

    #[test]
    fn what_is_no_url_of_a_sink_is_refused_with_an_example() {
        for text in ["", "http://", "http:// x", "http://a/b", "::"] {
            let error = SinkAddress::parse(text).expect_err(text).to_string();

            assert!(error.contains("http://127.0.0.1:7070"), "{error}");
        }
    }

    #[test]
    fn tls_is_refused_by_name() {
        let error = SinkAddress::parse("https://sink.example").expect_err("not supported").to_string();

        assert!(error.contains("https://sink.example") && error.contains("TLS"), "{error}");
    }
}
