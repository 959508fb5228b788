//! What a request carries, in the form that its content type says.

use hotcell::{Problem, Value};
use serde_json::Map;
use sha2::{Digest, Sha256};

use crate::compose::{expand, text};
use crate::faults::invalid;
use crate::outside::Request;

/// Adds the body. Its form is that of the header `content-type`; without one, a text is a text and anything else JSON.
pub(crate) fn add(request: &mut Request, body: Value) -> Result<(), Problem> {
    if body.is_null() {
        return Ok(());
    }
    let media_type = match request.header("content-type") {
        Some(written) => media_type(written),
        None => {
            let default = if body.is_string() { "text/plain; charset=utf-8" } else { "application/json" };
            request.set_header("content-type", default);
            media_type(default)
        }
    };
    let bytes = match media_type.as_str() {
        kind if is_json(kind) => body.to_string().into_bytes(),
        "application/x-www-form-urlencoded" => form(body)?.into_bytes(),
        "multipart/form-data" => {
            let (boundary, bytes) = multipart(body)?;
            request.set_header("content-type", format!("multipart/form-data; boundary={boundary}"));
            bytes
        }
        _ => text(body).into_bytes(),
    };
    request.body = Some(bytes);
    Ok(())
}

/// `application/json` of `Application/JSON; charset=utf-8`.
pub(crate) fn media_type(header: &str) -> String {
    header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// JSON, and what is JSON beneath another name (RFC 6839).
pub(crate) fn is_json(media_type: &str) -> bool {
    media_type == "application/json" || media_type == "text/json" || media_type.ends_with("+json")
}

fn form(body: Value) -> Result<String, Problem> {
    match body {
        Value::Object(members) => {
            let pairs = members.into_iter().flat_map(|(name, value)| expand(name, value));
            Ok(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
        }
        // Somebody has encoded it already.
        Value::String(text) => Ok(text),
        _ => Err(invalid("the body of a form is an object: one member for each field")),
    }
}

/// A form in parts (RFC 7578). A member that is an object with `content` is a file: `filename`, `contentType` and
/// `encoding: base64` are optional. Other objects are parts in JSON.
fn multipart(body: Value) -> Result<(String, Vec<u8>), Problem> {
    let Value::Object(members) = body else {
        return Err(invalid("the body of a form in parts is an object: one member for each part"));
    };
    let mut parts = Vec::new();
    for (name, value) in members {
        match value {
            Value::Null => {}
            Value::Array(items) => {
                items.into_iter().try_for_each(|item| part(&name, item).map(|part| parts.push(part)))?;
            }
            value => parts.push(part(&name, value)?),
        }
    }
    // What it separates decides it, so that it can stand in none of the parts but by a collision of SHA-256.
    let digest = Sha256::digest(parts.concat());
    let boundary: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        bytes.extend_from_slice(&part);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((boundary, bytes))
}

fn part(name: &str, value: Value) -> Result<Vec<u8>, Problem> {
    let disposition = format!("Content-Disposition: form-data; name=\"{}\"", escaped(name));
    let (head, content) = match value {
        Value::Object(file) if file.contains_key("content") => return file_part(&disposition, file),
        value @ (Value::Object(_) | Value::Array(_)) => {
            (format!("{disposition}\r\nContent-Type: application/json"), value.to_string().into_bytes())
        }
        value => (disposition, text(value).into_bytes()),
    };
    Ok(joined(&head, content))
}

fn file_part(disposition: &str, mut file: Map<String, Value>) -> Result<Vec<u8>, Problem> {
    let mut head = disposition.to_owned();
    if let Some(Value::String(name)) = file.get("filename") {
        head += &format!("; filename=\"{}\"", escaped(name));
    }
    if let Some(Value::String(kind)) = file.get("contentType") {
        if kind.contains(['\r', '\n']) {
            return Err(invalid("the `contentType` of a part has a line break in it"));
        }
        head += &format!("\r\nContent-Type: {kind}");
    }
    let content = text(file.remove("content").unwrap_or_default());
    let content = match file.get("encoding").and_then(Value::as_str) {
        Some("base64") => base64::Engine::decode(&base64::prelude::BASE64_STANDARD, content.trim())
            .map_err(|_| invalid("the `content` of a part is not base64, which its `encoding` says"))?,
        _ => content.into_bytes(),
    };
    Ok(joined(&head, content))
}

/// As browsers write it: what would end the value is written in percent.
fn escaped(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

fn joined(head: &str, content: Vec<u8>) -> Vec<u8> {
    let mut part = format!("{head}\r\n\r\n").into_bytes();
    part.extend_from_slice(&content);
    part
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent(content_type: Option<&str>, body: Value) -> (Option<String>, Option<String>) {
        let headers = content_type.map(|value| ("Content-Type".to_owned(), value.to_owned())).into_iter().collect();
        let uri = url::Url::parse("http://example.com").unwrap();
        let mut request = Request { method: "POST".into(), uri, headers, body: None };
        add(&mut request, body).unwrap();
        let body = request.body.clone().map(|bytes| String::from_utf8(bytes).unwrap());
        (request.header("content-type").map(Into::into), body)
    }

    #[test]
    fn without_a_content_type_a_text_is_a_text_and_anything_else_is_json() {
        assert_eq!(sent(None, json!("a")), (Some("text/plain; charset=utf-8".into()), Some("a".into())));
        assert_eq!(sent(None, json!({"a": [1]})), (Some("application/json".into()), Some(r#"{"a":[1]}"#.into())));
        assert_eq!(sent(None, json!(null)), (None, None));
    }

    #[test]
    fn the_content_type_decides_the_form() {
        assert_eq!(sent(Some("application/json"), json!("a")).1, Some(r#""a""#.into()));
        assert_eq!(sent(Some("application/merge-patch+json"), json!({"a": 1})).1, Some(r#"{"a":1}"#.into()));
        assert_eq!(sent(Some("application/xml"), json!("<a/>")).1, Some("<a/>".into()));
        let form = json!({"a": "x y", "b": [1, true], "c": null, "d": "&="});
        assert_eq!(sent(Some("application/x-www-form-urlencoded"), form).1, Some("a=x+y&b=1&b=true&d=%26%3D".into()));
    }

    #[test]
    fn a_form_in_parts_has_files_whose_names_cannot_break_out() {
        let body = json!({
            "title": "Ada",
            "photo": {"filename": "a\"\r\nX: y.png", "contentType": "image/png", "content": "aGk=", "encoding": "base64"},
            "more": {"deep": 1},
        });
        let (content_type, body) = sent(Some("multipart/form-data"), body);
        let boundary = content_type.unwrap().split_once("boundary=").unwrap().1.to_owned();
        assert_eq!(
            body.unwrap(),
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nAda\r\n\
                 --{boundary}\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a%22%0D%0AX: y.png\"\r\n\
                 Content-Type: image/png\r\n\r\nhi\r\n\
                 --{boundary}\r\nContent-Disposition: form-data; name=\"more\"\r\nContent-Type: application/json\r\n\r\n\
                 {{\"deep\":1}}\r\n--{boundary}--\r\n"
            )
        );
    }
}
