//! Whether a definition calls what its components export.

use std::collections::HashMap;
use std::path::Path;

use hotcell_definition::{Code, Diagnostic, Locations, Severity};
use hotcell_machine::Program;
use hotcell_sandbox::Inspection;

use crate::inspect;

/// How many files are looked into.
const MAX_FILES: usize = 100;

/// Looks into the components that are files beside the definition. What is not there is not yet built, which is no mistake
/// of the definition.
pub(crate) fn check(program: &Program, locations: &Locations, definition: &Path) -> Vec<Diagnostic> {
    let folder = definition.parent().unwrap_or(Path::new(""));
    let mut files: HashMap<&str, Option<Result<Inspection, String>>> = HashMap::new();
    let mut found = Vec::new();
    for component in program.components() {
        let path = component.name.split("@sha256:").next().unwrap_or_default();
        if component.origin.is_some() || path.contains("://") || Path::new(path).is_absolute() {
            continue;
        }
        if files.len() == MAX_FILES && !files.contains_key(path) {
            break;
        }
        let inspection = files.entry(path).or_insert_with(|| {
            let bytes = inspect::read(&folder.join(path)).ok()?;
            Some(hotcell_sandbox::inspect(&bytes).map_err(|error| error.to_string()))
        });
        let reason = match inspection {
            None => continue,
            Some(Err(reason)) => reason.clone(),
            Some(Ok(inspection)) => match inspection.find(component.export) {
                Ok(_) => continue,
                Err(reason) => reason,
            },
        };
        let export = component.export.map_or("component", |_| "export");
        let pointer = format!("{}/with/{export}", component.pointer);
        found.push(Diagnostic {
            severity: Severity::Error,
            code: Code::ComponentNotCallable,
            place: locations.pointer(&pointer),
            pointer,
            message: format!("`{path}` cannot be called like this: {reason}."),
            help: format!("`hotcell component inspect {path}` shows what can be called."),
            related: None,
        });
    }
    found
}
