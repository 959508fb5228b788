//! Secrets that the HTTP caller uses and does not see.
//!
//! What a definition puts into a bearer token, a header or a query often is a secret. The cell that makes the request gets a
//! placeholder in its place, which is another one for every call; the host writes the secret where the placeholder stands in a
//! header or in the query, and only for the origin of the endpoint. Wherever else a placeholder gets to (another host, the
//! output, a message) there is no secret in it. What the cell has to compute with (passwords that are hashed or encoded, keys that sign, bodies
//! that are encoded) it still gets.

use hotcell_definition::Problem;
use hotcell_expression::Data;
use hotcell_sandbox::HttpRequest;
use serde_json::{Map, Value};
use url::{Origin, Url, form_urlencoded};

/// Shorter secrets stand in texts by chance.
const SHORTEST: usize = 8;

/// Headers that the caller itself has to read.
const READ_HEADERS: [&str; 4] = ["accept", "content-length", "content-type", "user-agent"];

/// The placeholders of one call, and what they stand for.
#[derive(Default)]
pub(crate) struct Placeholders {
    /// Where the secrets may go.
    origin: Option<Origin>,
    hidden: Vec<Hidden>,
}

struct Hidden {
    placeholder: String,
    secret: String,
}

impl Placeholders {
    /// The input that the HTTP caller gets, as text, and what it does not get.
    pub(crate) fn prepare(input: &Data, secrets: &Map<String, Value>) -> (String, Self) {
        if secrets.is_empty() {
            return (input.value().to_string(), Placeholders::default());
        }
        let mut hidden = input.value().clone();
        let placeholders = Placeholders::hide(&mut hidden, secrets);
        (hidden.to_string(), placeholders)
    }

    /// Replaces the secrets in the input of a call of the HTTP caller.
    fn hide(input: &mut Value, secrets: &Map<String, Value>) -> Self {
        let endpoint = input.pointer("/call/http/endpoint").and_then(Value::as_str);
        let Some(endpoint) = endpoint.and_then(|uri| Url::parse(uri).ok()) else { return Placeholders::default() };
        let mut placeholders = Placeholders { origin: Some(endpoint.origin()), hidden: Vec::new() };
        let texts = texts_of(secrets);
        for pointer in ["/authentication/bearer", "/call/http/query", "/call/http/headers"] {
            let Some(place) = input.pointer_mut(pointer) else { continue };
            placeholders.hide_in(place, &texts);
        }
        placeholders
    }

    /// Within lists and objects, as deep as data goes; names stay what they are.
    fn hide_in(&mut self, value: &mut Value, secrets: &[&str]) {
        match value {
            Value::String(text) => {
                for secret in secrets {
                    if text.contains(secret) {
                        *text = text.replace(secret, self.placeholder(secret));
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide_in(item, secrets)),
            Value::Object(members) => {
                for (name, member) in members {
                    if !READ_HEADERS.iter().any(|read| name.eq_ignore_ascii_case(read)) {
                        self.hide_in(member, secrets);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn placeholder(&mut self, secret: &str) -> &str {
        let at = self.hidden.iter().position(|hidden| hidden.secret == secret).unwrap_or_else(|| {
            // Letters and digits: it is the same in a header and in a query.
            let random =
                [getrandom::u64(), getrandom::u64()].map(|number| number.expect("the system has random numbers"));
            let placeholder = format!("hotcellsecret{:016x}{:016x}", random[0], random[1]);
            self.hidden.push(Hidden { placeholder, secret: secret.to_owned() });
            self.hidden.len() - 1
        });
        &self.hidden[at].placeholder
    }

    /// The request as it is sent: with the secrets, if it goes to where they are for, and otherwise without the headers that would
    /// hold them.
    pub(crate) fn fill(&self, mut request: HttpRequest) -> HttpRequest {
        if self.hidden.is_empty() {
            return request;
        }
        let Ok(mut uri) = Url::parse(&request.uri) else { return request };
        if Some(uri.origin()) != self.origin {
            request.headers.retain(|(_, value)| !self.hidden.iter().any(|hidden| value.contains(&hidden.placeholder)));
            return request;
        }
        for Hidden { placeholder, secret } in &self.hidden {
            for (_, value) in &mut request.headers {
                if value.contains(placeholder) {
                    *value = value.replace(placeholder, secret);
                }
            }
            if let Some(query) = uri.query().filter(|query| query.contains(placeholder)) {
                let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
                let query = query.replace(placeholder, &encoded);
                uri.set_query(Some(&query));
                request.uri = uri.to_string();
            }
        }
        request
    }

    /// What the call returned, as the machine takes it: the authorization that was used is the real one, and the request is told
    /// without secrets.
    pub(crate) fn settle(&self, output: &mut Value) {
        for Hidden { placeholder, secret } in &self.hidden {
            if let Some(Value::String(parameter)) = output.pointer_mut("/authorization/parameter") {
                *parameter = parameter.replace(placeholder, secret);
            }
            if let Some(request) = output.pointer_mut("/output/request") {
                mask(request, placeholder);
            }
        }
    }

    /// A problem says nothing of placeholders either, which would only puzzle its reader.
    pub(crate) fn clean(&self, mut problem: Problem) -> Problem {
        for Hidden { placeholder, .. } in &self.hidden {
            if let Some(detail) = problem.detail.as_mut().filter(|detail| detail.contains(placeholder)) {
                *detail = detail.replace(placeholder, "***");
            }
        }
        problem
    }
}

fn mask(value: &mut Value, placeholder: &str) {
    match value {
        Value::String(text) if text.contains(placeholder) => *text = text.replace(placeholder, "***"),
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, placeholder)),
        Value::Object(members) => members.values_mut().for_each(|member| mask(member, placeholder)),
        _ => {}
    }
}

/// The texts in the secrets, the longest first: one may be part of another.
fn texts_of(secrets: &Map<String, Value>) -> Vec<&str> {
    let mut texts = Vec::new();
    let mut open: Vec<&Value> = secrets.values().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) if text.len() >= SHORTEST => texts.push(text.as_str()),
            Value::Array(items) => open.extend(items),
            Value::Object(members) => open.extend(members.values()),
            _ => {}
        }
    }
    texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
    texts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hidden() -> (Value, Placeholders) {
        let mut input = json!({
            "call": {"http": {
                "endpoint": "https://api.example/x",
                "headers": {"X-Key": "k3y value", "Content-Type": "a/long-secret", "X-Both": "long-secret and more k3y value"},
                "query": {"key": ["k3y value", 7]},
            }},
            "authentication": {"bearer": {"token": "long-secret and more"}},
        });
        let Value::Object(secrets) =
            json!({"a": {"key": "k3y value"}, "b": "long-secret", "c": "long-secret and more", "d": "api"})
        else {
            unreachable!()
        };
        let placeholders = Placeholders::hide(&mut input, &secrets);
        (input, placeholders)
    }

    #[test]
    fn the_caller_sees_no_secret_that_it_needs_not_read() {
        let (input, _) = hidden();
        let text = input.to_string();
        assert!(!text.contains("k3y value") && !text.contains("and more"), "{text}");
        assert_eq!(input["call"]["http"]["headers"]["Content-Type"], "a/long-secret");
        let (again, _) = hidden();
        assert_ne!(input, again, "placeholders are those of one call");
    }

    #[test]
    fn the_secret_is_written_for_the_origin_of_the_endpoint_and_no_other() {
        let (input, placeholders) = hidden();
        let text = |pointer: &str| input.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        let token = text("/authentication/bearer/token");
        let request = |origin: &str| HttpRequest {
            method: "GET".into(),
            uri: format!("{origin}/{token}?key={}", text("/call/http/query/key/0")),
            headers: vec![
                ("authorization".into(), format!("Bearer {token}")),
                ("x-both".into(), text("/call/http/headers/X-Both")),
                ("accept".into(), "*/*".into()),
            ],
            body: Some(token.clone().into_bytes()),
        };
        let filled = placeholders.fill(request("https://api.example"));
        assert_eq!(filled.uri, format!("https://api.example/{token}?key=k3y+value"), "neither in a path");
        assert_eq!(filled.headers[0].1, "Bearer long-secret and more");
        assert_eq!(filled.headers[1].1, "long-secret and more k3y value");
        assert_eq!(filled.body, Some(token.clone().into_bytes()), "nor in a body");
        for origin in ["http://api.example", "https://api.example:8443", "https://other.example"] {
            let elsewhere = placeholders.fill(request(origin));
            assert_eq!(elsewhere.headers, [("accept".to_owned(), "*/*".to_owned())], "{origin}");
            assert!(!elsewhere.uri.contains("k3y"), "{}", elsewhere.uri);
        }
    }

    #[test]
    fn what_is_told_of_the_request_has_neither_secret_nor_placeholder() {
        let (input, placeholders) = hidden();
        let token = input["authentication"]["bearer"]["token"].as_str().unwrap();
        let mut output = json!({
            "output": {"request": {"headers": {"x": token}}},
            "authorization": {"scheme": "Bearer", "parameter": token},
        });
        placeholders.settle(&mut output);
        assert_eq!(output["output"]["request"]["headers"]["x"], "***");
        assert_eq!(output["authorization"]["parameter"], "long-secret and more");
    }
}
