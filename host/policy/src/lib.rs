//! What calls may use and reach.
//!
//! A policy is one file, in YAML or JSON. At its top stands what the operator allows every call: limits, hosts with ports and
//! methods, secrets by name. Beneath that it says what holds for tenants, and for single workflows and tasks. A level can
//! lower and narrow what those above it allow, and nothing else: [`Policy::read`] refuses a level that would raise
//! something, and [`Effective`] takes the least of all levels, whatever they say.
//!
//! The crate does no I/O. Whoever runs calls asks it what holds for each ([`WorkflowPolicy::task`]) and sees to it.

mod amount;
mod asks;
mod effective;
mod host;
mod level;
mod limit;
mod pattern;
mod read;
mod schema;

pub use asks::{Ask, Asks, HostAsk, asks};
pub use effective::{Decided, Effective, HostDenied, TenantPolicy, UnknownTenant, WorkflowPolicy};
pub use host::{Asked, HostRule, Reach};
pub use level::{Policy, Source, Workflow};
pub use limit::{Limit, Scope};
pub use pattern::{Pattern, TaskPattern};
pub use schema::schema;
