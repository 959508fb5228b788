//! Schemas as evaluators take them: with their version, and with what they refer to.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::LoadedSchema;

/// The versions that `format` can name behind `json:`, and what `$schema` calls them.
const VERSIONS: [(&[&str], &str); 5] = [
    (&["2020-12", "draft2020-12", "draft-2020-12"], "https://json-schema.org/draft/2020-12/schema"),
    (&["2019-09", "draft2019-09", "draft-2019-09"], "https://json-schema.org/draft/2019-09/schema"),
    (&["7", "draft7", "draft-7", "draft-07"], "http://json-schema.org/draft-07/schema#"),
    (&["6", "draft6", "draft-6", "draft-06"], "http://json-schema.org/draft-06/schema#"),
    (&["4", "draft4", "draft-4", "draft-04"], "http://json-schema.org/draft-04/schema#"),
];

/// How large a schema may be with everything to which it refers, as JSON text: 1 MiB, what an evaluator takes.
const MAX_BYTES: usize = 1 << 20;

/// The text of a schema that says which version it is. Chosen: its own `$schema` comes first, then the version of the
/// format, then the newest.
///
/// # Errors
/// The format names no version that there is.
pub fn schema_text(schema: &Value, format: &str) -> Result<Arc<str>, String> {
    Ok(versioned(schema, version(format)?).to_string().into())
}

/// The same for one that was loaded. Documents that do not say their version have that of the schema which refers to them.
pub(super) fn loaded(schema: &LoadedSchema, format: &str) -> Result<Arc<str>, String> {
    let LoadedSchema { base, schema, documents } = schema;
    let version = version(format)?;
    let text = if documents.is_empty() {
        versioned(schema, version).to_string()
    } else {
        let own = schema.get("$schema").and_then(Value::as_str).or(version);
        let documents: Map<String, Value> =
            documents.iter().map(|(uri, document)| (uri.clone(), versioned(document, own))).collect();
        Value::Array(vec![base.as_str().into(), versioned(schema, version), documents.into()]).to_string()
    };
    if text.len() > MAX_BYTES {
        return Err(format!(
            "the schema has more than {} KiB with everything to which it refers; split it, or shorten it",
            MAX_BYTES >> 10
        ));
    }
    Ok(text.into())
}

/// Whether a schema refers to anything outside itself, as far as that can be told without reading it as one. Most do not.
pub fn refers_elsewhere(schema: &Value) -> bool {
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                let is_reference = |name: &str| ["$ref", "$dynamicRef", "$recursiveRef"].contains(&name);
                if members.iter().any(|(name, value)| {
                    is_reference(name) && value.as_str().is_some_and(|text| !text.is_empty() && !text.starts_with('#'))
                }) {
                    return true;
                }
                open.extend(members.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    false
}

/// What a format says about the version: the URI of the version's own schema.
fn version(format: &str) -> Result<Option<&'static str>, String> {
    let Some((_, version)) = format.split_once(':') else { return Ok(None) };
    match VERSIONS.iter().find(|(names, _)| names.contains(&version)) {
        Some((_, uri)) => Ok(Some(uri)),
        None => {
            let known: Vec<&str> = VERSIONS.iter().map(|(names, _)| names[0]).collect();
            Err(format!("there is no version {version:?} of JSON Schema; write json: and one of {}", known.join(", ")))
        }
    }
}

fn versioned(schema: &Value, version: Option<&str>) -> Value {
    match (schema, version) {
        (Value::Object(members), Some(uri)) if !members.contains_key("$schema") => {
            let mut members = members.clone();
            members.insert("$schema".into(), Value::from(uri));
            Value::Object(members)
        }
        (other, _) => other.clone(),
    }
}
