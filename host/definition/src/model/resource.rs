//! Endpoints, external resources, catalogs, extensions.

use super::{Authentication, Expression, Reusable, TaskList, Template};

/// Where something is, and how to authenticate there.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// A URI, a URI template, or an expression that yields a URI.
    pub uri: Template,
    /// How to authenticate. Default: not at all.
    pub authentication: Option<Reusable<Authentication>>,
}

/// Something that is to be fetched.
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalResource {
    /// A name for it.
    pub name: Option<String>,
    /// Where it is.
    pub endpoint: Endpoint,
}

/// A catalog of functions.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalog {
    /// Its root.
    pub endpoint: Endpoint,
}

/// What is performed before and after tasks of a kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Extension {
    /// The kind of task: `call`, `composite`, `emit`, `for`, `listen`, `raise`, `run`, `set`, `switch`, `try`, `wait`, `all`.
    pub extend: String,
    /// Whether it applies. Default: always.
    pub when: Option<Expression>,
    /// What is performed before.
    pub before: Option<TaskList>,
    /// What is performed after.
    pub after: Option<TaskList>,
}
