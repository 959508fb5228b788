//! Compiles schemas, keeps them, and validates data.

use std::collections::HashMap;
use std::error::Error;

use jsonschema::{PatternOptions, Retrieve, Uri, ValidationError, Validator};
use serde_json::{Map, Value};

/// The most violations that are told. People mend a few at a time.
pub const MAX_VIOLATIONS: usize = 32;
/// The longest message, in bytes. A message may quote the data.
const MAX_MESSAGE: usize = 300;
/// The longest pointer, in bytes. The names in it are data, too.
const MAX_POINTER: usize = 1_000;
/// How many schemas are kept. When there are more, all are forgotten.
const MAX_SCHEMAS: usize = 100;

/// One thing in data that does not fit its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where in the data: a JSON Pointer, empty for the data as a whole.
    pub pointer: String,
    /// What does not fit, as a sentence.
    pub message: String,
}

/// What became of a validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// What does not fit; nothing if the data is valid.
    Validated(Vec<Violation>),
    /// The schema is not one: why.
    InvalidSchema(String),
    /// The data is not JSON: why. The host's mistake.
    InvalidData(String),
}

/// Compiles schemas, keeps them, and validates data.
#[derive(Default)]
pub struct Schemas {
    validators: HashMap<Box<str>, Validator>,
}

impl Schemas {
    /// Validates data, a JSON text, against a schema, which is another.
    pub fn validate(&mut self, schema: &str, data: &[u8]) -> Outcome {
        let data: Value = match serde_json::from_slice(data) {
            Ok(data) => data,
            Err(error) => return Outcome::InvalidData(error.to_string()),
        };
        if !self.validators.contains_key(schema) {
            match compile(schema) {
                Ok(validator) => self.keep(schema, validator),
                Err(message) => return Outcome::InvalidSchema(message),
            }
        }
        let violations = self.validators[schema].iter_errors(&data).take(MAX_VIOLATIONS);
        Outcome::Validated(violations.map(|error| violation(&error)).collect())
    }

    fn keep(&mut self, schema: &str, validator: Validator) {
        if self.validators.len() == MAX_SCHEMAS {
            self.validators.clear();
        }
        self.validators.insert(schema.into(), validator);
    }
}

/// A schema is a JSON text. One that refers to other documents comes with them: an array of its own address, itself, and an
/// object of those documents by their addresses. A schema by itself is never an array.
fn compile(schema: &str) -> Result<Validator, String> {
    let schema: Value =
        serde_json::from_str(schema).map_err(|error| format!("the schema is not valid JSON: {error}"))?;
    // Without look-around and references back, and so in linear time.
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
    let built = match schema {
        Value::Array(parts) => {
            let Ok([Value::String(base), schema, Value::Object(documents)]) = <[Value; 3]>::try_from(parts) else {
                return Err("the schema is not valid: an array is no schema".to_owned());
            };
            options.with_base_uri(base).with_retriever(Documents(documents)).build(&schema)
        }
        schema => options.with_retriever(Documents(Map::new())).build(&schema),
    };
    built.map_err(|error| {
        let place = match error.instance_path().as_str() {
            "" => String::new(),
            pointer => format!(", at {}", shortened(pointer, MAX_POINTER)),
        };
        format!("the schema is not valid{place}: {}", shortened(&error.to_string(), MAX_MESSAGE))
    })
}

/// The documents that came with a schema. There are no others.
struct Documents(Map<String, Value>);

impl Retrieve for Documents {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn Error + Send + Sync>> {
        let uri = uri.as_str().trim_end_matches('#');
        self.0.get(uri).cloned().ok_or_else(|| format!("{uri} is not here").into())
    }
}

fn violation(error: &ValidationError<'_>) -> Violation {
    Violation {
        pointer: shortened(error.instance_path().as_str(), MAX_POINTER),
        message: shortened(&error.to_string(), MAX_MESSAGE),
    }
}

fn shortened(text: &str, bytes: usize) -> String {
    let short = &text[..text.floor_char_boundary(bytes)];
    if short.len() < text.len() { format!("{short}…") } else { short.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validate(schema: &str, data: &str) -> Outcome {
        Schemas::default().validate(schema, data.as_bytes())
    }

    fn violated(pointer: &str, message: &str) -> Outcome {
        Outcome::Validated(vec![Violation { pointer: pointer.to_owned(), message: message.to_owned() }])
    }

    #[test]
    fn valid_data_has_no_violations() {
        let schema = r#"{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}"#;
        assert_eq!(validate(schema, r#"{"id": 1.0}"#), Outcome::Validated(vec![]));
    }

    #[test]
    fn a_violation_says_where_and_what() {
        let schema = r#"{"properties": {"a/b": {"items": {"type": "string"}}}, "required": ["id"]}"#;
        assert_eq!(
            validate(schema, r#"{"id": 1, "a/b": ["x", 2]}"#),
            violated("/a~1b/1", "2 is not of type \"string\"")
        );
        assert_eq!(validate(schema, "{}"), violated("", "\"id\" is a required property"));
    }

    #[test]
    fn at_most_32_violations_are_told() {
        let data = format!("[{}0]", "0,".repeat(1000));
        match validate(r#"{"items": {"type": "string"}}"#, &data) {
            Outcome::Validated(violations) => assert_eq!(violations.len(), MAX_VIOLATIONS),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_schema_that_is_not_one_is_refused_with_the_reason() {
        for schema in ["{", "[]", r#"{"type": "text"}"#, r#"{"pattern": "("}"#, r#"{"$ref": "https://example.com/x"}"#]
        {
            assert!(matches!(validate(schema, "1"), Outcome::InvalidSchema(_)), "{schema}");
        }
    }

    #[test]
    fn a_schema_refers_to_documents_that_came_with_it() {
        let newest = r##"["file:///s/a.json", {"properties": {"b": {"$ref": "sub/b.json#/$defs/n"}, "c": {"$ref": "c.json#name"}}}, {
            "file:///s/sub/b.json": {"$defs": {"n": {"type": "integer", "allOf": [{"$ref": "../c.json"}]}}},
            "file:///s/c.json": {"$id": "c.json", "$defs": {"x": {"$anchor": "name", "const": "c"}}, "not": {"const": 13}}
        }]"##;
        assert_eq!(validate(newest, r#"{"b": 1, "c": "c"}"#), Outcome::Validated(vec![]));
        assert_eq!(validate(newest, r#"{"b": "x"}"#), violated("/b", "\"x\" is not of type \"integer\""));
        assert!(matches!(validate(newest, r#"{"b": 13, "c": 1}"#), Outcome::Validated(found) if found.len() == 2));
        let seventh = r##"["https://h/a", {"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "b#/definitions/n"}, {
            "https://h/b": {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"n": {"items": {"$ref": "a"}, "type": "array"}}}
        }]"##;
        assert_eq!(validate(seventh, "[[], [[]]]"), Outcome::Validated(vec![]));
        assert!(matches!(validate(seventh, "[[], [1]]"), Outcome::Validated(found) if found.len() == 1));
    }

    #[test]
    fn what_a_schema_refers_to_and_is_not_here_is_told() {
        for schema in [r#"{"$ref": "b.json"}"#, r#"["file:///s/a.json", {"$ref": "b.json"}, {}]"#] {
            assert!(matches!(validate(schema, "1"), Outcome::InvalidSchema(why) if why.contains("b.json")), "{schema}");
        }
    }

    #[test]
    fn the_draft_is_that_of_the_schema() {
        let exclusive =
            r#"{"$schema": "http://json-schema.org/draft-04/schema#", "maximum": 5, "exclusiveMaximum": true}"#;
        assert!(matches!(validate(exclusive, "5"), Outcome::Validated(violations) if violations.len() == 1));
        assert!(matches!(validate(r#"{"maximum": 5, "exclusiveMaximum": true}"#, "5"), Outcome::InvalidSchema(_)));
    }

    #[test]
    fn more_schemas_than_are_kept_are_all_used() {
        let mut schemas = Schemas::default();
        for number in 0..250 {
            let schema = format!("{{\"const\": {number}}}");
            assert_eq!(schemas.validate(&schema, number.to_string().as_bytes()), Outcome::Validated(vec![]));
        }
    }
}
