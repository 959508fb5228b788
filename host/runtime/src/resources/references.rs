//! What JSON Schemas refer to: `$ref` and its relatives that lead to other documents.
//!
//! A reference is resolved as the drafts say: against the nearest `$id` around it, or the address of its document. Only
//! documents are found here; what a fragment points at in them is the validator's to find.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;
use url::Url;

use super::address::Address;

/// The keywords that refer to schemas.
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];

/// The keywords whose members are schemas by name; what they are called is no keyword.
const BY_NAME: [&str; 6] =
    ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];

/// The keywords that hold data.
const DATA: [&str; 5] = ["const", "enum", "default", "examples", "example"];

/// A reference to a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reference {
    /// The address of the document, without a fragment: by what the validator will ask for it.
    pub(super) url: Url,
    /// How it was written.
    pub(super) written: String,
}

/// What stands in a document.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Found {
    /// The documents to which it refers. One of them may be itself.
    pub(super) references: BTreeSet<Reference>,
    /// The addresses of the schemas in it that have a `$id`, its own included.
    pub(super) ids: HashSet<String>,
    /// Its own `$id`, if it is another address than that from which it was loaded.
    pub(super) alias: Option<Url>,
}

/// Looks through a document that was loaded from an address.
pub(super) fn find(document: &Value, address: &Url) -> Found {
    let mut found = Found::default();
    let mut open = vec![(document, address.clone(), Reading::Schema)];
    let mut is_root = true;
    while let Some((value, mut base, reading)) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, base.clone(), Reading::Schema))),
            Value::Object(members) if reading == Reading::Names => {
                open.extend(members.values().map(|member| (member, base.clone(), Reading::Schema)));
            }
            Value::Object(members) => {
                // `id` is what draft 4 calls it. One that is only a fragment names a place, and no document.
                let id = members.get("$id").or_else(|| members.get("id")).and_then(Value::as_str);
                if let Some(id) = id.filter(|id| !id.starts_with('#')).and_then(|id| base.join(id).ok()) {
                    base = without_fragment(id);
                    found.ids.insert(base.to_string());
                    if is_root && base != *address {
                        found.alias = Some(base.clone());
                    }
                }
                for (name, member) in members {
                    match member {
                        Value::String(written) if REFERENCES.contains(&name.as_str()) => {
                            if let Some(url) = refer(&base, written) {
                                found.references.insert(Reference { url, written: written.clone() });
                            }
                        }
                        _ if DATA.contains(&name.as_str()) => {}
                        _ if BY_NAME.contains(&name.as_str()) => open.push((member, base.clone(), Reading::Names)),
                        _ => open.push((member, base.clone(), Reading::Schema)),
                    }
                }
            }
            _ => {}
        }
        is_root = false;
    }
    found
}

/// How an object is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Schema,
    Names,
}

/// The document that a reference leads to. None if that is the one that it stands in, or the schema of a draft, which
/// every validator knows; what is no URI the validator tells.
fn refer(base: &Url, written: &str) -> Option<Url> {
    if written.is_empty() || written.starts_with('#') {
        return None;
    }
    let url = without_fragment(base.join(written).ok()?);
    let is_draft = url.host_str() == Some("json-schema.org") && url.path().starts_with("/draft");
    (!is_draft).then_some(url)
}

fn without_fragment(mut url: Url) -> Url {
    url.set_fragment(None);
    url
}

impl Reference {
    /// Where the document may be, the first place first. A `$id` names a schema and need not be where it is: next to the
    /// document that refers to it comes before the address that the `$id` gives.
    pub(super) fn places(&self, document: &Address) -> Vec<Address> {
        let mut places = Vec::new();
        let is_relative = Url::parse(&self.written).is_err();
        if let Some(beside) = document.url().and_then(|url| url.join(&self.written).ok())
            && is_relative
        {
            places.push(without_fragment(beside));
        }
        if !places.contains(&self.url) {
            places.push(self.url.clone());
        }
        places.into_iter().filter_map(Address::of_url).collect()
    }

    /// Whether it is written as a path, and not as a whole URL.
    pub(super) fn is_path(&self) -> bool {
        Url::parse(&self.written).is_err()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(document: &Value) -> (Vec<String>, Vec<String>) {
        let Found { references, ids, .. } = find(document, &Url::parse("https://h/s/a.json").unwrap());
        let mut ids: Vec<String> = ids.into_iter().collect();
        ids.sort();
        (references.into_iter().map(|reference| reference.url.to_string()).collect(), ids)
    }

    #[test]
    fn references_lead_from_the_nearest_id() {
        let document = json!({
            "$ref": "b.json#/x",
            "properties": { "$ref": { "$ref": "#here" }, "p": { "items": [{ "$dynamicRef": "../c.json#n" }] } },
            "$defs": { "other": { "$id": "https://o/t/", "allOf": [{ "$ref": "d" }] }, "const": { "$ref": "e" } },
        });
        let (references, ids) = found(&document);
        assert_eq!(references, ["https://h/c.json", "https://h/s/b.json", "https://h/s/e", "https://o/t/d"]);
        assert_eq!(ids, ["https://o/t/"]);
    }

    #[test]
    fn data_and_the_schemas_of_drafts_refer_to_nothing() {
        let document = json!({
            "const": { "$ref": "b" }, "enum": [{ "$ref": "b" }], "default": { "$ref": "b" }, "examples": [{ "$ref": "b" }],
            "properties": { "a": { "$ref": "http://json-schema.org/draft-07/schema#" }, "b": { "$ref": 5 } },
        });
        assert_eq!(found(&document), (vec![], vec![]));
    }

    #[test]
    fn a_document_with_an_id_is_looked_for_beside_the_one_that_refers_to_it_first() {
        let document = json!({ "$id": "https://example.com/order", "$ref": "common.json" });
        let found = find(&document, &Url::parse("file:///s/order.json").unwrap());
        assert_eq!(found.alias.map(|url| url.to_string()).as_deref(), Some("https://example.com/order"));
        let reference = found.references.first().unwrap();
        let places = reference.places(&Address::File("/s/order.json".into()));
        let places: Vec<String> = places.iter().map(ToString::to_string).collect();
        assert_eq!(places, ["/s/common.json", "https://example.com/common.json"]);
    }
}
