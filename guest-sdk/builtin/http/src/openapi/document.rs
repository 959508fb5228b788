//! The document: which version it is, its references, its operations.

use hotcell::{Problem, Value};
use url::Url;

use super::operation::Operation;
use super::{members, name_of, unusable};

/// How many references may follow each other. Answers documents whose references run in a circle.
const MAX_REFERENCES: usize = 16;

/// The methods that a path item can have.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// A description of a service.
pub(super) struct Document {
    pub(super) root: Value,
    pub(super) version: Version,
    /// Where it is, if that is at a URI.
    pub(super) base: Option<Url>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// Swagger 2.0
    Two,
    /// OpenAPI 3.0 and 3.1, which differ in nothing that a request needs.
    Three,
}

impl Document {
    /// Reads a document in JSON or YAML.
    pub(super) fn parse(text: &str, base: Option<Url>) -> Result<Self, Problem> {
        let name = name_of(base.as_ref());
        let root: Value = match serde_json::from_str(text) {
            Ok(root) => root,
            Err(_) => serde_saphyr::from_str(text)
                .map_err(|error| unusable(format!("{name} is neither JSON nor YAML: {error}")))?,
        };
        let is = |member: &str, prefix: &str| match &root[member] {
            Value::String(version) => version.starts_with(prefix),
            // YAML without quotes.
            Value::Number(version) => version.to_string().starts_with(prefix),
            _ => false,
        };
        let version = if is("swagger", "2") {
            Version::Two
        } else if is("openapi", "3.") {
            Version::Three
        } else {
            return Err(unusable(format!(
                "{name} is neither OpenAPI 3.0 or 3.1 nor Swagger 2.0: it has no `openapi: 3.…`"
            )));
        };
        Ok(Document { root, version, base })
    }

    /// The operation of this id.
    pub(super) fn operation(&self, id: &str) -> Result<Operation<'_>, Problem> {
        let mut known = Vec::new();
        for (path, item) in members(&self.root["paths"]) {
            let item = self.resolve(item)?;
            for method in METHODS {
                let Some(operation) = item.get(method) else { continue };
                match operation["operationId"].as_str() {
                    Some(found) if found == id => {
                        return Ok(Operation { document: self, path, method, item, operation });
                    }
                    Some(other) => known.push(other),
                    None => {}
                }
            }
        }
        let shown = known.iter().take(10).copied().collect::<Vec<_>>().join(", ");
        let more = if known.len() > 10 { ", …" } else { "" };
        Err(unusable(format!("{} has no operation {id:?}; it has: {shown}{more}", name_of(self.base.as_ref()))))
    }

    /// What a value is, or what it refers to.
    pub(super) fn resolve<'d>(&'d self, mut value: &'d Value) -> Result<&'d Value, Problem> {
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return Ok(value) };
            let missing = || unusable(format!("{reference:?} refers to nothing in {}", name_of(self.base.as_ref())));
            let Some(pointer) = reference.strip_prefix('#') else {
                return Err(unusable(format!(
                    "{reference:?} refers to another document; put what it means into this one"
                )));
            };
            let pointer = percent_encoding::percent_decode_str(pointer).decode_utf8().map_err(|_| missing())?;
            value = self.root.pointer(&pointer).ok_or_else(missing)?;
        }
        Err(unusable(format!("the references of {} run in a circle", name_of(self.base.as_ref()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_json_or_yaml() {
        let yaml = "openapi: 3.1.0\npaths:\n  /a:\n    get:\n      operationId: a\n      responses: { 200: { description: ok } }\n";
        let json = r#"{"swagger": "2.0", "paths": {"/a": {"get": {"operationId": "a"}}}}"#;
        assert_eq!(Document::parse(yaml, None).unwrap().version, Version::Three);
        assert_eq!(Document::parse("swagger: 2.0\n", None).unwrap().version, Version::Two);
        assert_eq!(Document::parse(json, None).unwrap().operation("a").unwrap().method, "get");
        assert!(Document::parse("openapi: 4.0.0", None).is_err());
        assert!(Document::parse("- [", None).is_err());
    }

    #[test]
    fn an_operation_that_is_not_there_is_named_with_those_that_are() {
        let document = Document::parse(r#"{"openapi": "3.0.3", "paths": {"/a": {"get": {"operationId": "a"}}}}"#, None);
        let problem = document.unwrap().operation("b").err().unwrap();
        assert!(problem.detail.unwrap().ends_with("has no operation \"b\"; it has: a"));
    }

    #[test]
    fn references_within_the_document_are_followed_but_not_in_circles() {
        let text = r##"{"openapi": "3.0.3", "a~b": {"c d": 7}, "x": {"$ref": "#/y"}, "y": {"$ref": "#/x"},
            "z": {"$ref": "#/a~0b/c%20d"}, "o": {"$ref": "other.json#/a"}, "m": {"$ref": "#/missing"}}"##;
        let document = Document::parse(text, None).unwrap();
        assert_eq!(document.resolve(&document.root["z"]).unwrap(), 7);
        for member in ["x", "o", "m"] {
            assert!(document.resolve(&document.root[member]).is_err(), "{member}");
        }
    }
}
