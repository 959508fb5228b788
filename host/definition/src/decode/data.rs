//! What shapes data: input, output, export, schemas.

use std::sync::Arc;

use super::resource::external_resource;
use crate::problems::quote;
use crate::reader::Node;
use crate::{Code, Export, Input, Output, Schema, SchemaSource, Transform};

/// "Input"
pub(super) fn input(node: Node<'_>) -> Option<Input> {
    let input = node.object(&["schema", "from"])?;
    Some(Input { schema: input.optional("schema", schema), from: input.optional("from", transform) })
}

/// "Output"
pub(super) fn output(node: Node<'_>) -> Option<Output> {
    let output = node.object(&["schema", "as"])?;
    Some(Output { schema: output.optional("schema", schema), transform: output.optional("as", transform) })
}

/// "Export"
pub(super) fn export(node: Node<'_>) -> Option<Export> {
    let export = node.object(&["schema", "as"])?;
    Some(Export { schema: export.optional("schema", schema), transform: export.optional("as", transform) })
}

fn transform(node: Node<'_>) -> Option<Transform> {
    if node.is_object() {
        return Some(Transform::Template(node.template()?));
    }
    if node.as_str().is_none() {
        return node.wrong_type("a string that holds an expression, or an object");
    }
    Some(Transform::Expression(node.expression()?))
}

/// "Schema"
fn schema(node: Node<'_>) -> Option<Schema> {
    let schema = node.object(&["format", "document", "resource"])?;
    let format = schema.optional("format", format);
    let source = match schema.exactly_one(&["document", "resource"])? {
        ("document", document) if document.is_null() => document.wrong_type("a schema"),
        ("document", document) => {
            let schema = document.value();
            if schema.is_object() || schema.is_boolean() {
                document.remember_schema();
                Some(SchemaSource::Inline(Arc::new(schema)))
            } else {
                document.error(Code::InvalidSchema, || {
                    ("This is not a JSON Schema.".into(), "Write an object, `{ type: object }` for example.".into())
                })
            }
        }
        (_, resource) => external_resource(resource).map(SchemaSource::External),
    };
    Some(Schema { format: format.unwrap_or_else(|| "json".into()), source: source? })
}

/// The format of a schema: `json`, the only one, and behind a colon its version.
fn format(node: Node<'_>) -> Option<String> {
    let format = node.string()?;
    if format == "json" || format.strip_prefix("json:").is_some_and(|version| !version.is_empty()) {
        return Some(format.into());
    }
    node.error(Code::InvalidValue, || {
        (
            format!("`{}` is not a schema format that is supported.", quote(format)),
            "Use `json`, or leave it out.".into(),
        )
    })
}
