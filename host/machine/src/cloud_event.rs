//! CloudEvents 1.0: what workflows emit, and what they listen for.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hotcell_definition::ReadAs;
use hotcell_expression::{Data, ExpressionError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A valid event in the JSON format of CloudEvents 1.0. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Data", into = "Data")]
pub struct CloudEvent {
    envelope: Data,
}

/// Why something is no CloudEvent: what is expected, and what stands there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidCloudEvent(String);

/// The attributes that every event has.
const REQUIRED: [&str; 3] = ["id", "source", "type"];

/// The attributes of the specification that are text and may be left out.
const TEXTS: [&str; 3] = ["subject", "datacontenttype", "dataschema"];

impl CloudEvent {
    /// How large all attributes may be together, in bytes as JSON: 64 KiB. Filters read them with every event.
    pub const MAX_ATTRIBUTE_BYTES: u64 = 64 * 1024;

    /// Takes an event in. Attributes that are null count as absent and are left out.
    ///
    /// # Errors
    /// What is wrong with it, for its author.
    pub fn new(envelope: Data) -> Result<Self, InvalidCloudEvent> {
        let Value::Object(members) = envelope.value() else {
            return invalid("an event is a JSON object");
        };
        let unset = |(name, value): (&String, &Value)| value.is_null() && name != "data";
        let envelope = if members.iter().any(unset) {
            let set = members.iter().filter(|member| !unset(*member));
            let set: Map<String, Value> = set.map(|(name, value)| (name.clone(), value.clone())).collect();
            Data::new(Value::Object(set)).map_err(|error| InvalidCloudEvent(error.to_string()))?
        } else {
            envelope
        };
        check(envelope.value().as_object().expect("it is an object"))?;
        Ok(CloudEvent { envelope })
    }

    /// Parses the JSON format.
    ///
    /// # Errors
    /// If it is not JSON, too much, or not an event.
    pub fn from_json(text: &str) -> Result<Self, InvalidCloudEvent> {
        CloudEvent::new(Data::from_json(text).map_err(|error| InvalidCloudEvent(error.to_string()))?)
    }

    /// The whole event, attributes and data.
    pub fn envelope(&self) -> &Data {
        &self.envelope
    }

    /// Its `id`.
    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// Its `source`. Together with the id it is unique.
    pub fn source(&self) -> &str {
        self.text("source")
    }

    /// Its `type`.
    pub fn kind(&self) -> &str {
        self.text("type")
    }

    /// A context attribute, if the event has it.
    pub fn attribute(&self, name: &str) -> Option<&Value> {
        if ["data", "data_base64"].contains(&name) { None } else { self.envelope.value().get(name) }
    }

    /// Its data; null if it has none. Binary data that is declared to be JSON is parsed, other binary data is the
    /// base64 text.
    ///
    /// # Errors
    /// [`ExpressionError::DataLimit`] if data that was encoded is too much.
    pub fn data(&self) -> Result<Data, ExpressionError> {
        if let Some(data) = self.envelope.value().get("data") {
            return Data::new(data.clone());
        }
        let Some(Value::String(encoded)) = self.envelope.value().get("data_base64") else { return Ok(Data::null()) };
        if self.is_json()
            && let Ok(bytes) = STANDARD.decode(encoded)
            && let Ok(text) = std::str::from_utf8(&bytes)
        {
            match Data::from_json(text) {
                Err(ExpressionError::Failed(_)) => {}
                parsed => return parsed,
            }
        }
        Data::new(Value::String(encoded.clone()))
    }

    /// The event as a `listen` reads it. Raw data is text: the data as JSON, text that is not declared to be JSON as it
    /// is, and binary data in base64.
    ///
    /// # Errors
    /// [`ExpressionError::DataLimit`] if it is too much.
    pub fn read(&self, how: ReadAs) -> Result<Data, ExpressionError> {
        match how {
            ReadAs::Envelope => Ok(self.envelope.clone()),
            ReadAs::Data => self.data(),
            ReadAs::Raw => {
                let envelope = self.envelope.value();
                let raw = match (envelope.get("data"), envelope.get("data_base64")) {
                    (Some(Value::String(text)), _) if !self.is_json() => text.clone(),
                    (Some(data), _) => data.to_string(),
                    (None, Some(Value::String(encoded))) => encoded.clone(),
                    (None, _) => return Ok(Data::null()),
                };
                Data::new(Value::String(raw))
            }
        }
    }

    /// Whether the data is JSON, as it is unless `datacontenttype` says otherwise.
    fn is_json(&self) -> bool {
        let Some(Value::String(kind)) = self.envelope.value().get("datacontenttype") else { return true };
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        kind.ends_with("/json") || kind.ends_with("+json")
    }

    fn text(&self, name: &str) -> &str {
        self.envelope.value()[name].as_str().expect("it was checked when the event was made")
    }
}

impl TryFrom<Data> for CloudEvent {
    type Error = InvalidCloudEvent;

    fn try_from(envelope: Data) -> Result<Self, InvalidCloudEvent> {
        CloudEvent::new(envelope)
    }
}

impl From<CloudEvent> for Data {
    fn from(event: CloudEvent) -> Data {
        event.envelope
    }
}

/// Which events are of interest at all, as far as that can be told without evaluating anything. What brings events need
/// not bring others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interest {
    /// All that come.
    Everything,
    /// Those of these types.
    Types(Vec<Arc<str>>),
}

impl Interest {
    /// Whether events of this type are of interest.
    pub fn includes(&self, kind: &str) -> bool {
        match self {
            Interest::Everything => true,
            Interest::Types(types) => types.iter().any(|known| **known == *kind),
        }
    }
}

fn check(members: &Map<String, Value>) -> Result<(), InvalidCloudEvent> {
    match members.get("specversion") {
        Some(Value::String(version)) if version == "1.0" => {}
        Some(other) => return invalid(format!("`specversion` is \"1.0\", not {}", brief(other))),
        None => return invalid("the event has no `specversion`; add \"specversion\": \"1.0\""),
    }
    for name in REQUIRED {
        match members.get(name) {
            Some(Value::String(text)) if !text.is_empty() => {}
            Some(other) => return invalid(format!("`{name}` is a text that is not empty, not {}", brief(other))),
            None => return invalid(format!("the event has no `{name}`; every event has one")),
        }
    }
    let mut bytes = 0;
    for (name, value) in members {
        match (name.as_str(), value) {
            ("data", _) => continue,
            ("data_base64", Value::String(encoded)) => {
                if members.contains_key("data") {
                    return invalid("an event has `data` or `data_base64`, not both");
                }
                if STANDARD.decode(encoded).is_err() {
                    return invalid("`data_base64` is not base64");
                }
                continue;
            }
            ("data_base64", other) => return invalid(format!("`data_base64` is a text, not {}", brief(other))),
            ("time", Value::String(time)) if time.parse::<Timestamp>().is_ok() => {}
            ("time", other) => {
                return invalid(format!("`time` is a time like 2026-07-26T16:59:57Z, not {}", brief(other)));
            }
            (name, Value::String(text)) if TEXTS.contains(&name) && !text.is_empty() => {}
            (name, other) if TEXTS.contains(&name) => {
                return invalid(format!("`{name}` is a text that is not empty, not {}", brief(other)));
            }
            (name, value) => check_extension(name, value)?,
        }
        bytes += name.len() as u64 + value.to_string().len() as u64;
    }
    if bytes > CloudEvent::MAX_ATTRIBUTE_BYTES {
        let limit = CloudEvent::MAX_ATTRIBUTE_BYTES >> 10;
        return invalid(format!("the attributes are larger than {limit} KiB together; put what is large into `data`"));
    }
    Ok(())
}

/// "Attribute Naming Convention" and "Type System" of CloudEvents 1.0.
fn check_extension(name: &str, value: &Value) -> Result<(), InvalidCloudEvent> {
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        return invalid(format!(
            "`{}` is not the name of an attribute; those have lower-case letters and digits only",
            brief_text(name)
        ));
    }
    match value {
        Value::String(_) | Value::Bool(_) => Ok(()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Ok(()),
        other => invalid(format!(
            "the attribute `{}` is a text, a boolean or a whole number, not {}; put everything else into `data`",
            brief_text(name),
            brief(other)
        )),
    }
}

fn invalid<T>(message: impl Into<String>) -> Result<T, InvalidCloudEvent> {
    Err(InvalidCloudEvent(message.into()))
}

fn brief(value: &Value) -> String {
    match value {
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
        Value::String(text) => format!("\"{}\"", brief_text(text)),
        scalar => scalar.to_string(),
    }
}

/// As much of a text as a message shows.
pub(crate) fn brief_text(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(members: Value) -> Result<CloudEvent, String> {
        let mut whole = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t"});
        whole.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        CloudEvent::new(Data::new(whole).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn each_required_attribute_is_missed_by_name() {
        for (name, value) in
            [("specversion", json!("0.3")), ("id", json!("")), ("source", json!(7)), ("type", json!(null))]
        {
            let error = event(json!({ (name): value })).unwrap_err();
            assert!(error.contains(&format!("`{name}`")), "{error}");
        }
        assert!(CloudEvent::from_json("[]").unwrap_err().to_string().contains("object"));
        assert!(CloudEvent::from_json("{").unwrap_err().to_string().contains("not valid JSON"));
    }

    #[test]
    fn attributes_have_the_types_that_the_specification_gives_them() {
        for wrong in [
            json!({"time": "yesterday"}),
            json!({"subject": ""}),
            json!({"datacontenttype": 1}),
            json!({"roomId": "a"}),
            json!({"x": {"y": 1}}),
            json!({"x": 1.5}),
            json!({"data_base64": "%"}),
            json!({"data_base64": "aGk=", "data": 1}),
            json!({"x": "y".repeat(70_000)}),
        ] {
            assert!(event(wrong.clone()).is_err(), "{wrong}");
        }
        let right = json!({"time": "2026-07-26T16:59:57+02:00", "roomid": "a", "n": 7, "flag": true, "subject": null});
        assert_eq!(event(right).map(drop), Ok(()));
    }

    #[test]
    fn attributes_that_are_null_are_left_out_and_data_that_is_null_stays() {
        let event = event(json!({"subject": null, "data": null})).unwrap();
        assert_eq!(event.envelope().value().get("subject"), None);
        assert_eq!(event.envelope().value().get("data"), Some(&Value::Null));
    }

    #[test]
    fn data_is_read_as_data_as_envelope_or_raw() {
        let read = |members: Value, how| event(members).unwrap().read(how).unwrap().value().clone();
        assert_eq!(read(json!({"data": {"a": 1}}), ReadAs::Data), json!({"a": 1}));
        assert_eq!(read(json!({"data": {"a": 1}}), ReadAs::Raw), json!("{\"a\":1}"));
        assert_eq!(read(json!({"data": {"a": 1}}), ReadAs::Envelope)["type"], json!("t"));
        assert_eq!(read(json!({"data": "hi"}), ReadAs::Raw), json!("\"hi\""));
        assert_eq!(read(json!({"data": "hi", "datacontenttype": "text/plain"}), ReadAs::Raw), json!("hi"));
        assert_eq!(read(json!({}), ReadAs::Data), json!(null));
        assert_eq!(read(json!({}), ReadAs::Raw), json!(null));
        assert_eq!(read(json!({"data_base64": "eyJhIjoxfQ=="}), ReadAs::Data), json!({"a": 1}));
        assert_eq!(read(json!({"data_base64": "eyJhIjoxfQ=="}), ReadAs::Raw), json!("eyJhIjoxfQ=="));
        assert_eq!(
            read(json!({"data_base64": "/w==", "datacontenttype": "application/octet-stream"}), ReadAs::Data),
            json!("/w==")
        );
    }
}
