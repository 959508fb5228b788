//! `emit`: an event is made and published.

use hotcell_definition::{ErrorKind, Problem};
use hotcell_expression::{Data, Template};
use serde_json::{Map, Value};

use crate::bindings::Place;
use crate::machine::Run;
use crate::problem::expression_problem;
use crate::state::Step;
use crate::{CallId, CloudEvent, Command};

/// The attributes that are text. What an expression yields for one is written as text.
const TEXTS: [&str; 7] = ["id", "source", "type", "time", "subject", "datacontenttype", "dataschema"];

impl Run<'_> {
    /// Publishes the event, and outputs it.
    pub(crate) fn emit(&mut self, id: u64, properties: &Template, input: &Data) -> Result<(), Problem> {
        let properties = self.evaluate(id, Place::TaskDefinition, "emit.event.with", properties, input)?;
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
