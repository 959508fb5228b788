//! The JSON Schemas of a document, for whoever can check them.

use serde_json::Value;

use crate::locations::Locations;
use crate::reader::pointer;
use crate::{Code, Diagnostic, Severity};

/// How many schemas are remembered: 10,000. What stands behind them is used all the same, and is not checked before.
pub const MAX_CHECKED_SCHEMAS: usize = 10_000;

/// What is wrong with a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFault {
    /// Where in the schema: a JSON Pointer.
    pub pointer: String,
    /// What is wrong, in one sentence.
    pub message: String,
}

impl Locations {
    /// How many schemas there are to check.
    pub fn schemas(&self) -> usize {
        self.expressions.schemas.len()
    }

    /// Has every schema that is written in place checked, with the format that is given for it, and returns what is wrong as
    /// errors, in the order in which it stands. `source` is the document as data. The check says what is wrong with one, or `None` when it does not want to go on.
    pub fn check_schemas(
        &self,
        source: &Value,
        mut check: impl FnMut(&Value, &str) -> Option<Result<(), SchemaFault>>,
    ) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        for path in &self.expressions.schemas {
            let at = pointer(&self.tree, &self.expressions.steps, *path);
            let Some(schema) = source.pointer(&at) else { continue };
            let format = at.strip_suffix("/document").and_then(|schema| source.pointer(schema)?.get("format"));
            let format = format.and_then(Value::as_str).unwrap_or("json");
            let Some(result) = check(schema, format) else { break };
            if let Err(SchemaFault { pointer, message }) = result {
                let pointer = format!("{at}{pointer}");
                diagnostics.push(Diagnostic {
                    severity: Severity::Error,
                    code: Code::InvalidSchema,
                    place: self.pointer(&pointer),
                    pointer,
                    message,
                    help: "Correct the schema; it is a JSON Schema, of 2020-12 unless `$schema` or `format` says otherwise.".into(),
                    related: None,
                });
                if diagnostics.len() == crate::MAX_LISTED {
                    break;
                }
            }
        }
        diagnostics
    }
}
