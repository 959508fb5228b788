//! A policy as it was read: levels, each of which narrows those above it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hotcell_definition::VersionRange;
use serde::{Serialize, Serializer};

use crate::host::HostRule;
use crate::limit::Limit;
use crate::pattern::{Pattern, TaskPattern};

/// What calls may use and reach, for an operator, its tenants, and tasks. The default, where there is no policy, has the
/// default limits and leaves hosts and secrets to whoever grants them otherwise.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    pub(crate) operator: Arc<Level>,
    pub(crate) rules: Vec<Arc<Rule>>,
    pub(crate) tenants: BTreeMap<String, Tenant>,
}

/// What a policy says of a tenant.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub(crate) level: Arc<Level>,
    pub(crate) rules: Vec<Arc<Rule>>,
}

/// What one level says. What it says nothing of is as the levels above have it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Level {
    pub(crate) source: Source,
    /// By [`Limit::index`].
    pub(crate) limits: [Option<Said<u64>>; Limit::ALL.len()],
    pub(crate) hosts: Option<Said<Vec<HostRule>>>,
    pub(crate) secrets: Option<Said<Vec<Pattern>>>,
}

/// Something that is said, and in which line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Said<T> {
    pub(crate) value: T,
    pub(crate) line: u32,
}

impl Level {
    /// The level, and the line in it that decides.
    pub(crate) fn source_at(&self, line: u32) -> Source {
        match &self.source {
            Source::Policy { name, .. } => Source::Policy { name: Arc::clone(name), line },
            other => other.clone(),
        }
    }
}

/// What is said of some tasks.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) workflow: Option<Pattern>,
    pub(crate) version: Option<VersionRange>,
    pub(crate) task: Option<TaskPattern>,
    pub(crate) level: Arc<Level>,
}

/// Which level decided something.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// None: hotcell's own default.
    #[default]
    Default,
    /// A place in the policy.
    Policy {
        /// What stands there: `the operator`, `tenant acme`, `tenant acme, task charge`.
        name: Arc<str>,
        /// The line, from 1.
        line: u32,
    },
    /// The definition itself asks for no more.
    Definition,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => f.write_str("default"),
            Source::Policy { name, line } => write!(f, "{name} (line {line})"),
            Source::Definition => f.write_str("definition"),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Rule {
    /// Whether it is about tasks of this workflow.
    pub(crate) fn is_about(&self, workflow: &Workflow<'_>) -> bool {
        let named = self.workflow.as_ref().is_none_or(|pattern| match pattern.as_str().contains('/') {
            true => pattern.matches(&format!("{}/{}", workflow.namespace, workflow.name)),
            // Without a namespace, the name in any.
            false => pattern.matches(workflow.name),
        });
        let version = || semver::Version::parse(workflow.version).ok();
        named
            && self.version.as_ref().is_none_or(|range| {
                // A version that cannot be read is meant by every rule: none may be escaped in that way.
                version().is_none_or(|version| range.highest([&version].into_iter()).is_some())
            })
    }
}

/// By what a workflow is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workflow<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
}
