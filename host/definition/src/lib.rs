//! The Open Workflow DSL 1.0.3 as Rust types.
//!
//! A document, in YAML or JSON, is read into a tree that remembers where each value stood, and from there into
//! a [`Definition`]. Reading finds every problem at once: each [`Diagnostic`] has a stable code, a JSON Pointer,
//! a line and a column, and a sentence that says what to do.
//!
//! The crate does no I/O, and knows no other crate of hotcell. What it has read is plain data; expressions are
//! kept as they were written, for `hotcell-expression` to compile; [`Locations::check_expressions`] shows them, with where
//! they stand and which variables they have there, to whoever knows their language.

mod decode;
mod diagnostic;
mod expressions;
mod locations;
mod model;
mod parse;
mod place;
mod pointer;
mod problem;
mod problems;
mod reader;
mod reference;
mod schemas;
mod version;
mod yaml;

pub use diagnostic::{Code, Diagnostic, Related, Severity};
pub use expressions::{ExpressionSite, Fault, MAX_CHECKED_EXPRESSIONS, Proceed};
pub use locations::Locations;
pub use model::*;
pub use parse::{Checkable, Draft, Parsed, Refused, parse_data, parse_located_data};
pub use place::Place;
pub use problem::{ERROR_TYPE_ALIASES, ERROR_TYPE_PREFIX, ErrorKind, Problem, canonical_error_type};
pub use problems::{MAX_LISTED, quote, similar};
pub use reference::TaskReference;
pub use schemas::{MAX_CHECKED_SCHEMAS, SchemaFault};
pub use version::VersionRange;
pub use yaml::{
    MAX_ALIASES, MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_KEY_CHARACTERS, MAX_TASK_DATA, MAX_TEXT_BYTES, MAX_VALUES,
};
