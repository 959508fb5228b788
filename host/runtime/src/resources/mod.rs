//! What definitions refer to and do not contain: functions of catalogs and at URLs, and schemas.
//!
//! It is loaded before an execution starts, so that what is missing is told before anything runs, and so that an
//! execution does not change when a document elsewhere does.

mod address;
mod credentials;
mod fetch;
mod loader;
mod references;
mod schemas;

pub use fetch::{Fetch, FetchRequest};
pub use loader::Loader;
