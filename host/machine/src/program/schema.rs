//! Versions of JSON Schema.

use std::sync::Arc;

use serde_json::Value;

/// The versions that `format` can name behind `json:`, and what `$schema` calls them.
const VERSIONS: [(&[&str], &str); 5] = [
    (&["2020-12", "draft2020-12", "draft-2020-12"], "https://json-schema.org/draft/2020-12/schema"),
    (&["2019-09", "draft2019-09", "draft-2019-09"], "https://json-schema.org/draft/2019-09/schema"),
    (&["7", "draft7", "draft-7", "draft-07"], "http://json-schema.org/draft-07/schema#"),
    (&["6", "draft6", "draft-6", "draft-06"], "http://json-schema.org/draft-06/schema#"),
    (&["4", "draft4", "draft-4", "draft-04"], "http://json-schema.org/draft-04/schema#"),
];

/// The text of a schema that says which version it is. Chosen: its own `$schema` comes first, then the version of the
/// format, then the newest.
pub(super) fn with_version(schema: &Value, format: &str) -> Result<Arc<str>, String> {
    let Some((_, version)) = format.split_once(':') else { return Ok(schema.to_string().into()) };
    let Some((_, uri)) = VERSIONS.iter().find(|(names, _)| names.contains(&version)) else {
        let known: Vec<&str> = VERSIONS.iter().map(|(names, _)| names[0]).collect();
        return Err(format!(
            "there is no version {version:?} of JSON Schema; write json: and one of {}",
            known.join(", ")
        ));
    };
    match schema {
        Value::Object(members) if !members.contains_key("$schema") => {
            let mut members = members.clone();
            members.insert("$schema".into(), Value::from(*uri));
            Ok(Value::Object(members).to_string().into())
        }
        other => Ok(other.to_string().into()),
    }
}
