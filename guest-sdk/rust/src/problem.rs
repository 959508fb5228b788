//! Why a task could not do its work.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// The kinds of problems that the specification names (DSL reference, "Standard error types"). A task may use any
/// other URI reference for kinds of its own.
pub mod kind {
    /// The definition or the host is set up wrongly; by convention status 400.
    pub const CONFIGURATION: &str = "https://open-workflow-specification.org/spec/1.0.0/errors/configuration";
    /// The data does not fit; by convention status 400.
    pub const VALIDATION: &str = "https://open-workflow-specification.org/spec/1.0.0/errors/validation";
    /// An expression failed; by convention status 400.
    pub const EXPRESSION: &str = "https://open-workflow-specification.org/spec/1.0.0/errors/expression";
    /// Somebody did not say who they are; by convention status 401.
    pub const AUTHENTICATION: &str = "https://open-workflow-specification.org/spec/1.0.0/errors/authentication";
    /// Somebody may not do that; by convention status 403.
    pub const AUTHORIZATION: &str = "https://open-workflow-specification.org/spec/1.0.0/errors/authorization";
    /// It took too long; by convention status 408.
    pub const TIMEOUT: &str = "https://open-workflow-specification.org/spec/1.0.0/errors/timeout";
    /// Another service could not be reached or answered badly; by convention status 500 or what the service said.
    pub const COMMUNICATION: &str = "https://open-workflow-specification.org/spec/1.0.0/errors/communication";
    /// Anything else that went wrong while a task ran; by convention status 500.
    pub const RUNTIME: &str = "https://open-workflow-specification.org/spec/1.0.0/errors/runtime";
}

/// Why a task could not do its work: problem details ([RFC 9457]). The workflow can catch it by any of its members.
///
/// ```
/// use hotcell::Problem;
///
/// let problem = Problem::new("the customer owes more than 30 days")
///     .kind("https://shop.example/problems/refused")
///     .status(422)
///     .title("Order refused")
///     .with("customer", "C-1001");
/// assert_eq!(problem.status, Some(422));
/// ```
///
/// Any [`Error`] becomes a problem with `?`, of the kind [`kind::RUNTIME`] with status 500 and with the error's text,
/// and that of its sources, as detail. Where a status or a kind matters to the workflow, say it with `map_err`, or give
/// the function an error type of your own that is *not* an [`Error`], and implement `From<YourError> for Problem`.
///
/// [RFC 9457]: https://www.rfc-editor.org/rfc/rfc9457
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Problem {
    /// The member `type`: a URI reference that identifies the kind of problem. `None` means [`kind::RUNTIME`].
    pub kind: Option<String>,
    /// The status that describes the problem best, an HTTP status where there is one. `None` means 500.
    pub status: Option<u16>,
    /// A short summary that is the same for every problem of the kind.
    pub title: Option<String>,
    /// What happened this time, and what to do about it.
    pub detail: Option<String>,
    /// Any other members.
    pub extensions: BTreeMap<String, Value>,
}

impl Problem {
    /// A problem of the kind [`kind::RUNTIME`], status 500, with a sentence that says what happened this time.
    pub fn new(detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::default() }
    }

    /// A problem of the kind [`kind::VALIDATION`], status 400, with a sentence that says what does not fit.
    pub fn validation(detail: impl Into<String>) -> Self {
        Self::new(detail).kind(kind::VALIDATION).status(400)
    }

    /// Says which kind of problem this is: one of [`kind`], or a URI reference of your own.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Sets the status, an HTTP status where there is one.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Sets the summary, the same for every problem of the kind.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets what happened this time.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds a member of your own, which the workflow sees beside `type`, `status`, `title` and `detail` (these have
    /// methods of their own). A value that JSON cannot hold, a map whose keys are not strings, is replaced by a
    /// sentence that says so.
    #[must_use]
    pub fn with(mut self, member: impl Into<String>, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value)
            .unwrap_or_else(|error| Value::String(format!("this member cannot be told in JSON: {error}")));
        self.extensions.insert(member.into(), value);
        self
    }
}

/// How many sources of an error are told. Chains are short; one that runs in a circle must end, too.
const SOURCES_TOLD: usize = 16;

// `Problem` itself is deliberately no `Error`: this implementation would then contradict `From<T> for T`.
impl<E: Error> From<E> for Problem {
    fn from(error: E) -> Self {
        let mut detail = error.to_string();
        let mut source = error.source();
        for _ in 0..SOURCES_TOLD {
            let Some(error) = source else { break };
            let text = error.to_string();
            // Some errors already tell their source.
            if !detail.contains(&text) {
                detail.push_str(": ");
                detail.push_str(&text);
            }
            source = error.source();
        }
        Self::new(detail)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = self.title.as_deref().or(self.kind.as_deref()).unwrap_or("Problem");
        write!(formatter, "{title} ({})", self.status.unwrap_or(500))?;
        match &self.detail {
            Some(detail) => write!(formatter, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = formatter.debug_struct("Problem");
        let texts = [("kind", &self.kind), ("title", &self.title), ("detail", &self.detail)];
        for (name, text) in texts {
            if let Some(text) = text {
                fields.field(name, text);
            }
        }
        if let Some(status) = self.status {
            fields.field("status", &status);
        }
        if !self.extensions.is_empty() {
            fields.field("extensions", &self.extensions);
        }
        fields.finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);

    impl fmt::Display for Outer {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("the quantity cannot be read")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn an_error_becomes_a_problem_that_tells_its_sources() {
        let read = || -> Result<u32, Problem> { Ok("three".parse::<u32>().map_err(Outer)?) };
        let detail = read().unwrap_err().detail;
        assert_eq!(detail.as_deref(), Some("the quantity cannot be read: invalid digit found in string"));
    }

    #[test]
    fn members_of_ones_own_are_kept_as_json() {
        let problem = Problem::new("no").with("order", "O-1").with("lines", [1, 2]);
        assert_eq!(problem.extensions["order"], json!("O-1"));
        assert_eq!(problem.extensions["lines"], json!([1, 2]));
    }

    #[test]
    fn a_problem_prints_as_a_sentence() {
        let problem = Problem::new("no stock left").status(409).title("Order refused");
        assert_eq!(problem.to_string(), "Order refused (409): no stock left");
    }

    /// Clippy warns of larger errors, and it would warn in every task.
    #[test]
    fn a_problem_is_small_enough_to_be_returned() {
        assert!(size_of::<Problem>() < 128);
    }
}
