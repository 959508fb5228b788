//! From an answer to the task's output.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hotcell::{Problem, Value, kind};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, json};

use crate::body::{is_json, media_type};
use crate::faults::place;
use crate::input::OutputForm;
use crate::outside::{Request, Response};

/// What the machine gets.
#[derive(Serialize)]
pub struct Output {
    output: Shape,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization: Option<Authorization>,
}

/// The task's raw output.
#[derive(Serialize)]
#[serde(untagged)]
enum Shape {
    Content(Content),
    Response(Box<WholeResponse>),
}

/// "HTTP Response"
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WholeResponse {
    request: Value,
    status_code: u16,
    headers: Map<String, Value>,
    content: Content,
}

/// The authorization that was used ("Authorization Descriptor").
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Authorization {
    pub(crate) scheme: String,
    pub(crate) parameter: String,
}

/// Content: JSON as it came, which the host reads, within its bounds.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Content {
    Nothing,
    Json(Box<RawValue>),
    Text(String),
}

/// The output of a call that succeeded. `request` is told without what authenticated it.
pub(crate) fn output(
    form: OutputForm,
    request: &Request,
    response: Response,
    authorization: Option<Authorization>,
) -> Result<Output, Problem> {
    let output = match form {
        OutputForm::Raw => Shape::Content(match response.body.is_empty() {
            true => Content::Nothing,
            false => Content::Text(BASE64_STANDARD.encode(&response.body)),
        }),
        OutputForm::Content => Shape::Content(content(request, response)?.0),
        OutputForm::Response => {
            let status_code = response.status;
            let (content, headers) = content(request, response)?;
            Shape::Response(Box::new(WholeResponse {
                request: json!({
                    "method": request.method.to_ascii_lowercase(),
                    "uri": request.uri.as_str(),
                    "headers": joined(&shown(&request.headers)),
                }),
                status_code,
                headers: joined(&headers),
                content,
            }))
        }
    };
    Ok(Output { output, authorization })
}

/// The content, and the headers that came with it.
fn content(request: &Request, response: Response) -> Result<(Content, Vec<(String, String)>), Problem> {
    let media_type = response.header("content-type").map(media_type);
    let Response { headers, body, .. } = response;
    if body.is_empty() {
        return Ok((Content::Nothing, headers));
    }
    let text = match String::from_utf8(body) {
        Ok(text) => text,
        Err(error) => return Ok((Content::Text(BASE64_STANDARD.encode(error.as_bytes())), headers)),
    };
    let is_declared_json = media_type.as_deref().is_some_and(is_json);
    // A byte order mark is not JSON, but some servers send it.
    let content = match is_declared_json || media_type.is_none() {
        true => match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
            Ok(json) => Content::Json(json),
            Err(_) if !is_declared_json => Content::Text(text),
            Err(error) => {
                let detail = format!(
                    "{} {} was answered with content that is said to be JSON and is not: {error}",
                    request.method,
                    place(&request.uri)
                );
                return Err(Problem::new(detail).kind(kind::COMMUNICATION).status(500).title("Invalid content"));
            }
        },
        false => Content::Text(text),
    };
    Ok((content, headers))
}

/// Headers that hold credentials are not shown: outputs become events.
fn shown(headers: &[(String, String)]) -> Vec<(String, String)> {
    const HIDDEN: [&str; 3] = ["authorization", "cookie", "x-api-key"];
    headers.iter().filter(|(name, _)| !HIDDEN.iter().any(|hidden| name.eq_ignore_ascii_case(hidden))).cloned().collect()
}

/// Headers as an object; several of one name become one, as RFC 9110 allows (section 5.2).
fn joined(headers: &[(String, String)]) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, value) in headers {
        match members.get_mut(name) {
            Some(Value::String(before)) => *before += &format!(", {value}"),
            _ => drop(members.insert(name.clone(), value.clone().into())),
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(form: OutputForm, content_type: Option<&str>, body: &[u8]) -> Result<Value, Problem> {
        let request = Request {
            method: "GET".into(),
            uri: url::Url::parse("http://example.com/").unwrap(),
            headers: vec![("Authorization".into(), "s3cret".into()), ("accept".into(), "*/*".into())],
            body: None,
        };
        let mut headers = vec![("set-cookie".to_owned(), "a".to_owned()), ("set-cookie".to_owned(), "b".to_owned())];
        headers.extend(content_type.map(|value| ("content-type".to_owned(), value.to_owned())));
        let response = Response { status: 200, headers, body: body.to_vec() };
        let text = serde_json::to_string(&output(form, &request, response, None)?).unwrap();
        Ok(serde_json::from_str::<Value>(&text).unwrap()["output"].clone())
    }

    #[test]
    fn content_is_parsed_if_it_is_json_and_is_text_otherwise() {
        let content = |content_type, body: &str| told(OutputForm::Content, content_type, body.as_bytes()).unwrap();
        assert_eq!(content(Some("application/json; charset=utf-8"), r#"{"a":1}"#), json!({"a": 1}));
        assert_eq!(content(Some("application/problem+json"), "[]"), json!([]));
        assert_eq!(content(Some("text/plain"), "{}"), json!("{}"));
        assert_eq!(content(None, "{}"), json!({}));
        assert_eq!(content(None, "hello"), json!("hello"));
        assert_eq!(content(Some("application/json"), ""), json!(null));
        assert_eq!(told(OutputForm::Content, Some("image/png"), &[0xff, 0xd8]).unwrap(), json!("/9g="));
    }

    #[test]
    fn content_that_is_said_to_be_json_and_is_not_is_a_communication_problem() {
        let problem = told(OutputForm::Content, Some("application/json"), b"<html>").unwrap_err();
        assert_eq!(problem.kind.as_deref(), Some(kind::COMMUNICATION));
    }

    #[test]
    fn raw_is_base64_of_what_came() {
        assert_eq!(told(OutputForm::Raw, Some("application/json"), b"{}").unwrap(), json!("e30="));
    }

    #[test]
    fn a_response_is_told_whole_but_without_credentials() {
        let response = told(OutputForm::Response, Some("application/json"), b"[1]").unwrap();
        assert_eq!(
            response,
            json!({
                "request": {"method": "get", "uri": "http://example.com/", "headers": {"accept": "*/*"}},
                "statusCode": 200,
                "headers": {"set-cookie": "a, b", "content-type": "application/json"},
                "content": [1],
            })
        );
    }
}
