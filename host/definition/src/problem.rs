//! What went wrong, as the specification has it: RFC 9457 problem details.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The standard error types of the specification ("Standard Error Types" in the reference).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Incorrect or invalid settings. Status 400.
    Configuration,
    /// Data that does not fit its schema. Status 400.
    Validation,
    /// A runtime expression that failed. Status 400.
    Expression,
    /// Who asks could not be established. Status 401.
    Authentication,
    /// Who asks may not have it, a secret that was not granted included. Status 403.
    Authorization,
    /// Something took longer than it was allowed. Status 408.
    Timeout,
    /// An external service that failed or could not be reached. Status 500, or the one that it sent.
    Communication,
    /// Anything else that went wrong while a task ran, a trap or a limit included. Status 500.
    Runtime,
}

/// The prefix of every standard error type that hotcell emits.
pub const ERROR_TYPE_PREFIX: &str = "https://open-workflow-specification.org/spec/1.0.0/errors/";

/// The other prefixes under which the specification's own texts name the same types. A `catch` filter that
/// uses one of them matches as well.
pub const ERROR_TYPE_ALIASES: [&str; 3] = [
    "https://open-workflow-specification.org/dsl/errors/types/",
    "https://serverlessworkflow.io/spec/1.0.0/errors/",
    "https://serverlessworkflow.io/dsl/errors/types/",
];

impl ErrorKind {
    /// Every kind, in the order of the specification's table.
    pub const ALL: [ErrorKind; 8] = [
        ErrorKind::Configuration,
        ErrorKind::Validation,
        ErrorKind::Expression,
        ErrorKind::Authentication,
        ErrorKind::Authorization,
        ErrorKind::Timeout,
        ErrorKind::Communication,
        ErrorKind::Runtime,
    ];

    /// The last segment of the type, `timeout` for example.
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::Configuration => "configuration",
            ErrorKind::Validation => "validation",
            ErrorKind::Expression => "expression",
            ErrorKind::Authentication => "authentication",
            ErrorKind::Authorization => "authorization",
            ErrorKind::Timeout => "timeout",
            ErrorKind::Communication => "communication",
            ErrorKind::Runtime => "runtime",
        }
    }

    /// The type as a URI, `https://open-workflow-specification.org/spec/1.0.0/errors/timeout` for example.
    pub fn uri(self) -> String {
        format!("{ERROR_TYPE_PREFIX}{}", self.name())
    }

    /// The default status of the specification's table.
    pub fn status(self) -> u16 {
        match self {
            ErrorKind::Configuration | ErrorKind::Validation | ErrorKind::Expression => 400,
            ErrorKind::Authentication => 401,
            ErrorKind::Authorization => 403,
            ErrorKind::Timeout => 408,
            ErrorKind::Communication | ErrorKind::Runtime => 500,
        }
    }
}

/// An error of a workflow or a task: problem details (RFC 9457).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// A URI reference that identifies the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status code that describes the problem best, an HTTP status where there is one.
    pub status: u16,
    /// A short summary that names the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What happened this time, and what to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The JSON Pointer of the task in which the problem arose. The machine sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Members beyond the standard ones (RFC 9457, section 3.2), kept as they came.
    #[serde(flatten)]
    pub extensions: serde_json::Map<String, Value>,
}

impl Problem {
    /// A problem of a standard kind with its default status.
    pub fn new(kind: ErrorKind, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Problem {
            kind: kind.uri(),
            status: kind.status(),
            title: Some(title.into()),
            detail: Some(detail.into()),
            instance: None,
            extensions: serde_json::Map::new(),
        }
    }

    /// The same problem with another status.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Whether the problem is of this standard kind, under any of the names that the specification uses.
    pub fn is(&self, kind: ErrorKind) -> bool {
        canonical_error_type(&self.kind) == kind.uri()
    }

    /// The problem as JSON, as expressions see it.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("a problem has string keys only")
    }
}

/// The name of an error type that hotcell emits, for any of the names that the specification uses for it.
/// Any other type is returned as it is.
pub fn canonical_error_type(uri: &str) -> std::borrow::Cow<'_, str> {
    ERROR_TYPE_ALIASES
        .iter()
        .find_map(|prefix| uri.strip_prefix(prefix))
        .map_or(uri.into(), |name| format!("{ERROR_TYPE_PREFIX}{name}").into())
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.title, &self.detail) {
            (Some(title), Some(detail)) => write!(f, "{title}: {detail}")?,
            (Some(text), None) | (None, Some(text)) => write!(f, "{text}")?,
            (None, None) => write!(f, "{}", self.kind)?,
        }
        // An empty one is the workflow as a whole.
        if let Some(instance) = self.instance.as_ref().filter(|instance| !instance.is_empty()) {
            write!(f, " (at {instance})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_the_specification_uses_for_a_standard_type_is_the_same_type() {
        for prefix in ERROR_TYPE_ALIASES {
            assert_eq!(canonical_error_type(&format!("{prefix}timeout")), ErrorKind::Timeout.uri());
        }
        assert_eq!(canonical_error_type("https://example.com/errors/timeout"), "https://example.com/errors/timeout");
    }

    #[test]
    fn a_problem_keeps_the_members_that_it_does_not_know() {
        let text = r#"{"type":"about:blank","status":422,"title":"Bad order","orderId":17}"#;
        let problem: Problem = serde_json::from_str(text).unwrap();
        assert_eq!(problem.extensions["orderId"], 17);
        assert_eq!(serde_json::to_string(&problem).unwrap(), text);
    }
}
