//! What a definition refers to and does not contain: functions and schemas that are elsewhere.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hotcell_definition as dsl;
use serde_json::Value;

use super::Unsupported;

/// Something that a definition refers to and does not contain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// A function: `name:version@catalog`, or a URL.
    Function(Arc<str>),
    /// What a schema in place refers to.
    References {
        /// The schema, as JSON text.
        schema: Arc<str>,
        /// The document that it stands in, if that is not the definition itself. A relative reference starts there.
        from: Option<Origin>,
    },
    /// A schema, with what it refers to.
    Schema {
        /// Its URI, as it is written.
        uri: Arc<str>,
        /// What refers to it, if that is not the definition itself. A relative URI starts there.
        from: Option<Origin>,
    },
}

/// Where something that was loaded came from, as text: a URL, or the path of a file.
pub type Origin = Arc<str>;

/// Something to load before a definition can be executed.
#[derive(Debug, Clone, PartialEq)]
pub struct Missing {
    /// What.
    pub wanted: Wanted,
    /// The endpoint that the definition has for it: of the catalog for a function, of the schema itself for a schema.
    /// None for a function of the default catalog and one that is named by its URL.
    pub endpoint: Option<dsl::Endpoint>,
    /// Where it is referred to: a JSON Pointer into the document.
    pub pointer: String,
}

/// What was loaded.
#[derive(Debug, Clone)]
pub enum Loaded {
    /// A function.
    Function {
        /// The task.
        task: Arc<dsl::Task>,
        /// Where its document is. Components and schemas are found relative to it.
        origin: Origin,
    },
    /// A JSON Schema.
    Schema(Arc<LoadedSchema>),
}

/// A JSON Schema that was loaded, with every document to which it and those documents refer.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedSchema {
    /// Its address, where relative references start: a URL.
    pub base: String,
    /// The schema.
    pub schema: Arc<Value>,
    /// The documents, by their URLs without fragments.
    pub documents: BTreeMap<String, Arc<Value>>,
}

/// Everything that was loaded for a definition.
pub type Links = HashMap<Wanted, Loaded>;

/// Why a definition cannot be executed (yet).
#[derive(Debug, Clone, PartialEq)]
pub enum LinkError {
    /// These are to be loaded first. What they refer to in turn is not known before.
    Missing(Vec<Missing>),
    /// Everything in it that this version does not run.
    Unsupported(Vec<Unsupported>),
}

impl Missing {
    /// What is said where nothing is loaded.
    pub(super) fn refused(self) -> Unsupported {
        let message = match &self.wanted {
            Wanted::Function(name) => format!("the function `{name}` is not here"),
            Wanted::References { .. } => "what this schema refers to is not here".to_owned(),
            Wanted::Schema { uri, .. } => format!("the schema {uri} is not here"),
        };
        Unsupported { pointer: self.pointer, message }
    }
}
