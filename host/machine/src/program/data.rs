//! What tasks do with data: transformations, schemas, expressions, and durations that may be expressions.

use std::sync::Arc;

use hotcell_definition as dsl;
use hotcell_definition::TaskReference;
use hotcell_expression::{Expression, ExpressionError, Mode, Template};
use serde_json::Value;

use super::compiler::Compiler;
use super::{DurationPlan, InputPlan, Loaded, LoadedSchema, Missing, OutputPlan, Wanted, schema};

impl<'d> Compiler<'d> {
    pub(super) fn template(&mut self, template: &dsl::Template, reference: &TaskReference) -> Template {
        self.compile(&template.0, reference)
    }

    fn compile(&mut self, value: &Value, reference: &TaskReference) -> Template {
        Template::parse(value, self.mode).unwrap_or_else(|error: ExpressionError| {
            self.refuse(reference, &error.to_string());
            Template::Literal(hotcell_expression::Data::null())
        })
    }

    fn transform(&mut self, transform: &dsl::Transform, reference: &TaskReference) -> Template {
        match transform {
            dsl::Transform::Expression(source) => match self.mode {
                Mode::Strict => Template::Expression(expression(source)),
                Mode::Loose => self.compile(&Value::from(source.0.as_str()), reference),
            },
            dsl::Transform::Template(template) => self.template(template, reference),
        }
    }

    pub(super) fn input(&mut self, input: Option<&dsl::Input>, reference: &TaskReference) -> Option<InputPlan> {
        let input = input?;
        let at = reference.join("input");
        Some(InputPlan {
            schema: self.schema(input.schema.as_ref(), &at),
            from: input.from.as_ref().map(|from| self.transform(from, &at.join("from"))),
        })
    }

    pub(crate) fn output(&mut self, output: Option<&dsl::Output>, reference: &TaskReference) -> Option<OutputPlan> {
        let output = output?;
        let at = reference.join("output");
        Some(OutputPlan {
            transform: output.transform.as_ref().map(|transform| self.transform(transform, &at.join("as"))),
            schema: self.schema(output.schema.as_ref(), &at),
        })
    }

    pub(crate) fn export(&mut self, export: Option<&dsl::Export>, reference: &TaskReference) -> Option<OutputPlan> {
        let export = export?;
        let at = reference.join("export");
        Some(OutputPlan {
            transform: export.transform.as_ref().map(|transform| self.transform(transform, &at.join("as"))),
            schema: self.schema(export.schema.as_ref(), &at),
        })
    }

    fn schema(&mut self, schema: Option<&dsl::Schema>, reference: &TaskReference) -> Option<Arc<str>> {
        let schema = schema?;
        let at = reference.join("schema");
        let text = match &schema.source {
            dsl::SchemaSource::Inline(document) if schema::refers_elsewhere(document) => {
                schema::loaded(&*self.references(document, &at)?, &schema.format)
            }
            dsl::SchemaSource::Inline(document) => schema::schema_text(document, &schema.format),
            dsl::SchemaSource::External(resource) => {
                schema::loaded(&*self.external_schema(resource, &at)?, &schema.format)
            }
        };
        let text = text.inspect_err(|message| self.refuse(&at.join("format"), message)).ok()?;
        if matches!(&schema.source, dsl::SchemaSource::External(_)) || text.starts_with('[') {
            let (pointer, _) = self.site.locate(&at);
            self.loaded_schemas.push((pointer, Arc::clone(&text)));
        }
        Some(text)
    }

    fn references(&mut self, document: &Value, at: &TaskReference) -> Option<Arc<LoadedSchema>> {
        let schema = document.to_string().into();
        self.loaded_schema(Wanted::References { schema, from: self.site.origin.clone() }, None, &at.join("document"))
    }

    fn external_schema(&mut self, resource: &dsl::ExternalResource, at: &TaskReference) -> Option<Arc<LoadedSchema>> {
        let at = at.join("resource");
        let Some(uri) = resource.endpoint.uri.0.as_str().filter(|uri| !uri.contains(['{', '}'])) else {
            let message = "schemas are loaded before the workflow starts, and no data is there yet; write the URI without \
                           an expression";
            self.refuse(&at.join("endpoint"), message);
            return None;
        };
        let wanted = Wanted::Schema { uri: uri.into(), from: self.site.origin.clone() };
        self.loaded_schema(wanted, Some(resource.endpoint.clone()), &at)
    }

    fn loaded_schema(
        &mut self,
        wanted: Wanted,
        endpoint: Option<dsl::Endpoint>,
        at: &TaskReference,
    ) -> Option<Arc<LoadedSchema>> {
        if let Some(Loaded::Schema(schema)) = self.links.get(&wanted) {
            return Some(Arc::clone(schema));
        }
        let (pointer, _) = self.site.locate(at);
        self.missing.push(Missing { wanted, endpoint, pointer });
        None
    }

    pub(super) fn timeout(&mut self, timeout: Option<&dsl::Reusable<dsl::Timeout>>) -> Option<DurationPlan> {
        let timeout = match timeout? {
            dsl::Reusable::Inline(timeout) => timeout,
            dsl::Reusable::Named(name) => {
                self.components.timeouts.get(name).expect("validation refuses names that `use.timeouts` does not have")
            }
        };
        Some(duration(&timeout.after))
    }
}

pub(super) fn expression(source: &dsl::Expression) -> Expression {
    Expression::parse(&source.0)
}

pub(super) fn duration(duration: &dsl::Duration) -> DurationPlan {
    match duration {
        dsl::Duration::Literal(span) => DurationPlan::Literal(*span),
        dsl::Duration::Expression(source) => DurationPlan::Expression(expression(source)),
    }
}
