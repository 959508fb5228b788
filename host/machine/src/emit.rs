//! `emit`: an event is made and published.

use hotcell_definition::{ErrorKind, Problem};
use hotcell_expression::{Data, Template};
use serde_json::{Map, Value};

use crate::bindings::Place;
use crate::machine::Run;
use crate::problem::expression_problem;
use crate::state::Step;
use crate::uri::UriPlan;
use crate::uri_syntax::{is_uri, is_uri_reference};
use crate::{CallId, CloudEvent, Command, cloud_event};

/// The attributes that are text. What an expression yields for one is written as text.
const TEXTS: [&str; 7] = ["id", "source", "type", "time", "subject", "datacontenttype", "dataschema"];

/// The attributes that say where something is: URIs, URI templates, or expressions that yield a URI.
const URIS: [&str; 2] = ["source", "dataschema"];

/// An event to be made.
#[derive(Debug)]
pub(crate) struct EmitPlan {
    /// All properties but those that are URIs.
    properties: Template,
    uris: Vec<(&'static str, UriPlan)>,
}

impl EmitPlan {
    /// The properties as the document has them. `template` reads a free-form value.
    pub(crate) fn new(properties: &Map<String, Value>, template: &mut impl FnMut(Value) -> Template) -> Self {
        let is_uri = |name: &str, value: &Value| URIS.contains(&name) && value.is_string();
        let uris =
            URIS.iter().filter_map(|name| Some((*name, properties.get(*name).filter(|value| value.is_string())?)));
        let uris = uris.map(|(name, value)| (name, UriPlan::new(&template(value.clone())))).collect();
        let others = properties.iter().filter(|(name, value)| !is_uri(name, value));
        let others = others.map(|(name, value)| (name.clone(), value.clone())).collect();
        EmitPlan { properties: template(Value::Object(others)), uris }
    }
}

impl Run<'_> {
    /// Publishes the event, and outputs it.
    pub(crate) fn emit(&mut self, id: u64, plan: &EmitPlan, input: &Data) -> Result<(), Problem> {
        let properties = self.evaluate(id, Place::TaskDefinition, "emit.event.with", &plan.properties, input)?;
        let given = properties.value().as_object().expect("validation refuses properties that are no object");
        let mut event = Map::from_iter([("specversion".to_owned(), Value::from("1.0"))]);
        for (name, value) in self.defaults(id) {
            event.insert(name.to_owned(), value);
        }
        for (name, value) in given {
            match value {
                Value::Null if name != "data" => {}
                Value::Number(_) | Value::Bool(_) if TEXTS.contains(&name.as_str()) => {
                    event.insert(name.clone(), value.to_string().into());
                }
                value => drop(event.insert(name.clone(), value.clone())),
            }
        }
        for (name, uri) in &plan.uris {
            // As for every attribute: what comes out as null is left out.
            if let Some(uri) = self.optional_uri(id, &format!("emit.event.with.{name}"), uri, input)? {
                check_uri(name, &uri)?;
                event.insert((*name).to_owned(), uri.into());
            }
        }
        let event =
            Data::new(Value::Object(event)).map_err(|error| expression_problem("emit.event.with", None, error))?;
        let event = CloudEvent::new(event).map_err(|error| {
            Problem::new(ErrorKind::Validation, "Invalid event", format!("`emit.event.with`: {error}"))
        })?;
        let output = event.envelope().clone();
        self.turn.commands.push(Command::Publish { event });
        self.state.agenda.push_back(Step::Complete { frame: id, output, flow: None });
        Ok(())
    }

    /// A URI, or nothing if its expression yields null.
    fn optional_uri(&mut self, id: u64, what: &str, plan: &UriPlan, input: &Data) -> Result<Option<String>, Problem> {
        if let UriPlan::Expression(expression) = plan {
            let yielded = self.expression(id, Place::TaskDefinition, what, expression, input)?;
            return Ok(match yielded.value() {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            });
        }
        self.uri(id, what, plan, input).map(Some)
    }

    /// What an event has if its author does not say otherwise. The same when it is emitted again.
    fn defaults(&self, id: u64) -> [(&'static str, Value); 4] {
        let identity = &self.program.identity;
        let source = format!("/{}/{}/{}", identity.namespace, identity.name, identity.version);
        [
            ("id", CallId::new(&self.state.execution, id).as_str().into()),
            ("source", source.into()),
            // Its author always says the type; it stands here for its place.
            ("type", Value::Null),
            ("time", self.now.to_string().into()),
        ]
    }
}

/// "Required Attributes" and "Optional Attributes" of CloudEvents 1.0: `source` is a URI reference, `dataschema` a URI.
fn check_uri(name: &str, uri: &str) -> Result<(), Problem> {
    let (fits, wanted) = match name {
        "source" => (is_uri_reference(uri), "a URI reference such as https://example.com/orders or /orders"),
        _ => (is_uri(uri), "a whole URI such as https://example.com/order.json"),
    };
    if fits {
        return Ok(());
    }
    let detail = format!("`emit.event.with.{name}` is {wanted}, not {:?}", cloud_event::brief_text(uri));
    Err(Problem::new(ErrorKind::Validation, "Invalid event", detail))
}
