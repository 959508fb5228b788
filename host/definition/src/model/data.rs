//! Expressions, free-form values, and what shapes data on its way through a task: input, output, export, schema.

use std::sync::Arc;

use serde_json::Value;

use super::ExternalResource;

/// A field that the reference types as a runtime expression (`if`, `when`, `in`, …): the jq source as it was
/// written, without an enclosing `${ }` and without blanks around it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Expression(pub String);

/// A free-form value: strings in it that contain `${ … }` are evaluated, everything else is data.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(pub Arc<Value>);

/// What `input.from`, `output.as` and `export.as` hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Transform {
    /// A string: a runtime expression, bare or in `${ }`.
    Expression(Expression),
    /// An object: a free-form value.
    Template(Template),
}

/// `input`: how the input of a workflow or task is validated and transformed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Input {
    /// Validates the raw input.
    pub schema: Option<Schema>,
    /// Transforms the raw input. Default: identity.
    pub from: Option<Transform>,
}

/// `output`: how the output of a workflow or task is transformed and validated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Output {
    /// Validates the transformed output.
    pub schema: Option<Schema>,
    /// Transforms the raw output. Default: identity.
    pub transform: Option<Transform>,
}

/// `export`: what becomes the context after a task.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Export {
    /// Validates the new context.
    pub schema: Option<Schema>,
    /// Yields the new context from the transformed output. Default: the context stays.
    pub transform: Option<Transform>,
}

/// A schema for data.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// The format and, after a colon, its version. Default: `json`.
    pub format: String,
    /// The schema itself, or where it is.
    pub source: SchemaSource,
}

/// Where a schema comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum SchemaSource {
    /// `document`: written in place.
    Inline(Arc<Value>),
    /// `resource`: to be fetched.
    External(ExternalResource),
}
