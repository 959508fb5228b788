//! From what the definition says to a request.

use hotcell::{Problem, Value};
use serde_json::Map;
use url::Url;

use crate::body;
use crate::faults::invalid;
use crate::input::HttpCall;
use crate::outside::Request;

/// The request that `call: http` describes.
pub(crate) fn request(call: HttpCall) -> Result<Request, Problem> {
    let mut uri = absolute(&call.endpoint)?;
    add_query(&mut uri, call.query.unwrap_or_default());
    let headers = headers(call.headers.unwrap_or_default())?;
    let mut request = Request { method: call.method.to_ascii_uppercase(), uri, headers, body: None };
    body::add(&mut request, call.body)?;
    check_length(&mut request)?;
    add_defaults(&mut request);
    Ok(request)
}

/// An absolute URI to which requests can be sent.
pub(crate) fn absolute(text: &str) -> Result<Url, Problem> {
    let mut uri = Url::parse(text).map_err(|error| {
        invalid(format!(
            "the endpoint {} is not an absolute URI ({error}); write, for example, https://api.example.com/pets",
            quoted(text)
        ))
    })?;
    if !matches!(uri.scheme(), "http" | "https") {
        return Err(invalid(format!("the endpoint has the scheme {:?}; use https or http", uri.scheme())));
    }
    if !uri.username().is_empty() || uri.password().is_some() {
        return Err(invalid("the endpoint has a user name in it; use `authentication: { basic: … }` instead"));
    }
    uri.set_fragment(None);
    Ok(uri)
}

/// As much of a URI as can be shown: nothing from the query on, and not without end.
fn quoted(text: &str) -> String {
    let shown = text.split(['?', '#']).next().unwrap_or_default();
    // What stands before an `@` may be a password.
    let shown = shown.rsplit('@').next().unwrap_or_default();
    format!("{:?}", shown.chars().take(200).collect::<String>())
}

/// Adds query parameters to those that stand in the URI. Arrays repeat the name, null is left out.
pub(crate) fn add_query(uri: &mut Url, parameters: Map<String, Value>) {
    let pairs: Vec<(String, String)> = parameters.into_iter().flat_map(|(name, value)| expand(name, value)).collect();
    if !pairs.is_empty() {
        uri.query_pairs_mut().extend_pairs(pairs);
    }
}

/// The pairs that a member of a query or a form stands for.
pub(crate) fn expand(name: String, value: Value) -> Vec<(String, String)> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => {
            items.into_iter().filter(|item| !item.is_null()).map(|item| (name.clone(), text(item))).collect()
        }
        other => vec![(name, text(other))],
    }
}

/// A value as text: strings as they are, anything else as JSON.
pub(crate) fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Headers are text; arrays give several of one name, null is left out.
fn headers(members: Map<String, Value>) -> Result<Vec<(String, String)>, Problem> {
    let mut headers = Vec::new();
    for (name, value) in members {
        if value.is_object() {
            return Err(invalid(format!("the header {name:?} is an object; a header is text")));
        }
        headers.extend(expand(name, value));
    }
    Ok(headers)
}

/// The transport counts the body itself. An author may count it too, but not otherwise: what differs is a mistake, or meant to
/// make one request look like two.
fn check_length(request: &mut Request) -> Result<(), Problem> {
    let length = request.body.as_ref().map_or(0, Vec::len).to_string();
    let mut given = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    if given.any(|(_, value)| *value != length) {
        return Err(invalid(format!(
            "the header `Content-Length` is not the length of the body, which has {length} bytes; leave it out, as it is added"
        )));
    }
    request.remove_header("content-length");
    Ok(())
}

/// What servers expect of every client.
pub(crate) fn add_defaults(request: &mut Request) {
    if request.header("accept").is_none() {
        request.headers.push(("accept".into(), "*/*".into()));
    }
    if request.header("user-agent").is_none() {
        request.headers.push(("user-agent".into(), concat!("hotcell/", env!("CARGO_PKG_VERSION")).into()));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn composed(call: Value) -> Request {
        request(serde_json::from_value(call).unwrap()).unwrap()
    }

    #[test]
    fn query_parameters_are_added_to_those_of_the_endpoint() {
        let request = composed(json!({
            "method": "get",
            "endpoint": "http://example.com/pets?a=1#part",
            "query": {"b": "x y", "tags": ["one", 2], "none": null, "deep": {"c": true}},
        }));
        assert_eq!(request.method, "GET");
        assert_eq!(request.uri.as_str(), "http://example.com/pets?a=1&b=x+y&tags=one&tags=2&deep=%7B%22c%22%3Atrue%7D");
    }

    #[test]
    fn headers_are_text_whatever_they_were() {
        let request = composed(json!({
            "method": "GET", "endpoint": "http://example.com", "headers": {"X-N": 7, "X-L": ["a", "b"], "X-0": null, "Content-Length": 0},
        }));
        let expected =
            [("X-N", "7"), ("X-L", "a"), ("X-L", "b")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(request.headers[..3], expected);
        assert_eq!(request.header("ACCEPT"), Some("*/*"));
        assert_eq!(request.headers.len(), 5);
    }

    #[test]
    fn a_length_that_is_not_that_of_the_body_is_refused() {
        let call = |length: &str| json!({"method": "POST", "endpoint": "http://example.com", "body": "four", "headers": {"content-length": length}});
        assert_eq!(composed(call("4")).header("content-length"), None);
        for length in ["5", "4, 4", "0x4", "+4", ""] {
            assert!(request(serde_json::from_value(call(length)).unwrap()).is_err(), "{length}");
        }
    }

    #[test]
    fn an_endpoint_that_is_no_absolute_uri_is_a_configuration_problem_without_its_secrets() {
        for endpoint in ["/pets?key=s3cret", "ftp://example.com", "https://user:s3cret@example.com/", "http://[::g]/"] {
            let call = json!({"method": "get", "endpoint": endpoint});
            let problem = request(serde_json::from_value(call).unwrap()).unwrap_err();
            assert_eq!(problem.status, Some(400));
            assert!(!problem.detail.unwrap().contains("s3cret"), "{endpoint}");
        }
    }
}
