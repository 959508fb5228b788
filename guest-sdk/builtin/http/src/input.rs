//! What the machine says of a call. Everything in it has been evaluated.

use hotcell::Value;
use serde::Deserialize;
use serde_json::Map;

/// A call.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// What is called.
    pub(crate) call: Call,
    /// How to authenticate: an object with one member, the scheme. It may hold secrets, which no message may repeat;
    /// hence it is read by hand.
    #[serde(default)]
    pub(crate) authentication: Option<Value>,
    /// What the output is.
    #[serde(default)]
    pub(crate) output: OutputForm,
    /// Whether redirects are followed rather than errors.
    #[serde(default)]
    pub(crate) redirect: bool,
    /// Whether the authorization that was used is told beside the output, for `$authorization`.
    #[serde(default)]
    pub(crate) tell_authorization: bool,
}

/// What is called.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Call {
    /// `call: http`
    Http(HttpCall),
    /// `call: openapi`
    #[serde(rename = "openapi")]
    OpenApi(OpenApiCall),
}

/// `call: http`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpCall {
    pub(crate) method: String,
    /// An absolute URI.
    pub(crate) endpoint: String,
    #[serde(default)]
    pub(crate) headers: Option<Map<String, Value>>,
    #[serde(default)]
    pub(crate) query: Option<Map<String, Value>>,
    /// Null is no body.
    #[serde(default)]
    pub(crate) body: Value,
}

/// `call: openapi`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenApiCall {
    pub(crate) document: Place,
    pub(crate) operation_id: String,
    /// The operation's parameters, by name.
    #[serde(default)]
    pub(crate) parameters: Option<Map<String, Value>>,
}

/// Where a document is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    /// An absolute URI, or a path from the definition.
    pub(crate) endpoint: String,
    /// How to authenticate there.
    #[serde(default)]
    pub(crate) authentication: Option<Value>,
}

/// What the output is.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OutputForm {
    /// The content in base64.
    Raw,
    /// The content.
    #[default]
    Content,
    /// The request and the whole answer.
    Response,
}
