//! What built-in components ask of the outside: requests over HTTP, and what authenticating them needs. Plain data.

use serde::{Deserialize, Serialize};

/// The component that makes HTTP calls: prepare it like any other, and call it with a [`Host`](crate::Host) that answers
/// [`http`](crate::Host::http). Its input and output are the machine's.
pub const HTTP_CALLER: &[u8] = include_bytes!("../builtin/http.wasm");

/// A request.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// The method.
    pub method: String,
    /// An absolute URI.
    pub uri: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Vec<u8>>,
}

/// An answer, whatever its status. Redirects are not followed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no answer. Each comes with a sentence that a workflow's author can be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum HttpFailure {
    /// The operator does not allow it, or the call was not granted it.
    #[error("{0}")]
    Denied(String),
    /// It is not a request.
    #[error("{0}")]
    Invalid(String),
    /// There is no connection, or it broke.
    #[error("{0}")]
    Unreachable(String),
    /// No answer came in time.
    #[error("{0}")]
    Late(String),
    /// The request or the answer is larger than it may be.
    #[error("{0}")]
    TooLarge(String),
}

impl HttpFailure {
    /// The call holds no grant for anything outside.
    pub(crate) fn not_granted() -> Self {
        HttpFailure::Denied("the call was granted nothing that it could reach".into())
    }
}
