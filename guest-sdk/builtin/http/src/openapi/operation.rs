//! An operation: from parameters by name to a request.

use hotcell::{Problem, Value};
use serde_json::Map;
use url::Url;

use super::document::{Document, Version};
use super::parameters::{Place, in_cookie, in_header, in_path, in_query};
use super::{members, unusable};
use crate::body::{self, is_json, media_type};
use crate::compose::absolute;
use crate::faults::invalid;
use crate::outside::Request;

/// One operation of a document.
pub(super) struct Operation<'d> {
    pub(super) document: &'d Document,
    pub(super) path: &'d str,
    pub(super) method: &'static str,
    /// The path item that it stands in.
    pub(super) item: &'d Value,
    pub(super) operation: &'d Value,
}

impl Operation<'_> {
    /// The request, with these arguments for the operation's parameters.
    ///
    /// Chosen, as the specification does not say how a body is given: the argument `body` is the body of an operation
    /// that has one, and without it all arguments that are no parameters are the members of the body.
    pub(super) fn request(&self, mut arguments: Map<String, Value>) -> Result<Request, Problem> {
        let mut path = self.path.to_owned();
        let (mut query, mut headers, mut cookies) = (Vec::new(), Vec::new(), Vec::new());
        let (mut body, mut form) = (None, Map::new());
        let mut missing = Vec::new();
        // Of Swagger, if no argument has its name.
        let mut body_parameter = None;
        let parameters = self.parameters()?;
        for parameter in &parameters {
            let (Some(name), Some(place)) = (parameter["name"].as_str(), Place::of(parameter)) else { continue };
            let given = arguments.shift_remove(name).filter(|value| !value.is_null());
            let Some(value) = given else {
                if place == Place::Body {
                    body_parameter = Some((name, parameter["required"] == true));
                } else if parameter["required"] == true || place == Place::Path {
                    missing.push(name);
                }
                continue;
            };
            match place {
                Place::Path => {
                    let value = in_path(name, value, parameter);
                    // These would climb out of the path, encoded or not.
                    if matches!(value.as_str(), "." | "..") {
                        return Err(self.wrong(&format!("cannot have {value:?} for {name}, which names another path")));
                    }
                    path = path.replace(&format!("{{{name}}}"), &value);
                }
                Place::Query => query.extend(in_query(name, value, parameter)),
                Place::Header => headers.push((name.to_owned(), in_header(value, parameter))),
                Place::Cookie => cookies.push(format!("{name}={}", in_cookie(value, parameter))),
                Place::Body => body = Some(value),
                Place::Form => drop(form.insert(name.into(), value)),
            }
        }
        let body = match self.document.version {
            Version::Two => match body_parameter {
                Some((name, required)) => body_argument(&mut arguments, required.then_some(name), &mut missing),
                None => body.or_else(|| (!form.is_empty()).then_some(Value::Object(form))),
            },
            Version::Three => self.body_of(&mut arguments, &mut missing)?,
        };
        if !missing.is_empty() {
            return Err(self.wrong(&format!("needs {}, which `parameters` does not have", missing.join(", "))));
        }
        if let Some(unknown) = arguments.keys().next() {
            let known: Vec<&str> = parameters.iter().filter_map(|parameter| parameter["name"].as_str()).collect();
            return Err(self.wrong(&format!("has no parameter {unknown:?}; it has: {}", known.join(", "))));
        }
        if !cookies.is_empty() {
            headers.push(("cookie".into(), cookies.join("; ")));
        }
        headers.extend(self.accepted().map(|accepted| ("accept".to_owned(), accepted)));
        let mut request =
            Request { method: self.method.to_ascii_uppercase(), uri: self.uri(&path, query)?, headers, body: None };
        if let Some(body) = body {
            if let Some(content_type) = self.content_type(&body)? {
                request.set_header("content-type", content_type);
            }
            body::add(&mut request, body)?;
        }
        Ok(request)
    }

    /// Those of the operation, and those of its path that it does not replace.
    fn parameters(&self) -> Result<Vec<&Value>, Problem> {
        let mut found: Vec<&Value> = Vec::new();
        for parameters in [&self.operation["parameters"], &self.item["parameters"]] {
            for parameter in parameters.as_array().into_iter().flatten() {
                let parameter = self.document.resolve(parameter)?;
                let is_new = |other: &&Value| (&other["name"], &other["in"]) != (&parameter["name"], &parameter["in"]);
                if found.iter().all(is_new) {
                    found.push(parameter);
                }
            }
        }
        Ok(found)
    }

    /// The body of an operation of OpenAPI 3.
    fn body_of(&self, arguments: &mut Map<String, Value>, missing: &mut Vec<&str>) -> Result<Option<Value>, Problem> {
        let Some(described) = self.operation.get("requestBody") else { return Ok(None) };
        let described = self.document.resolve(described)?;
        let required = (described["required"] == true).then_some("body");
        Ok(body_argument(arguments, required, missing))
    }

    /// In which form the body goes: JSON if the operation takes it.
    fn content_type(&self, body: &Value) -> Result<Option<String>, Problem> {
        let offered: Vec<String> = match self.document.version {
            Version::Three => {
                let described = self.document.resolve(&self.operation["requestBody"])?;
                members(&described["content"]).keys().cloned().collect()
            }
            Version::Two => self.listed("consumes"),
        };
        let with = |test: &dyn Fn(&str) -> bool| offered.iter().find(|offer| test(&media_type(offer))).cloned();
        let chosen = with(&is_json)
            .or_else(|| with(&|offer| offer == "application/x-www-form-urlencoded"))
            .or_else(|| with(&|offer| offer == "multipart/form-data"))
            // A pattern is not a type.
            .or_else(|| with(&|offer| !offer.contains('*')));
        let is_form = self.document.version == Version::Two && offered.is_empty() && self.has_form()?;
        Ok(match (chosen, is_form) {
            (None, true) if body.is_object() => Some("application/x-www-form-urlencoded".into()),
            (chosen, _) => chosen,
        })
    }

    fn has_form(&self) -> Result<bool, Problem> {
        Ok(self.parameters()?.into_iter().any(|parameter| Place::of(parameter) == Some(Place::Form)))
    }

    /// JSON, if the service offers it among others.
    fn accepted(&self) -> Option<String> {
        let offered: Vec<String> = match self.document.version {
            Version::Two => self.listed("produces"),
            Version::Three => {
                let responses = members(&self.operation["responses"]).values();
                let responses = responses.filter_map(|response| self.document.resolve(response).ok());
                responses.flat_map(|response| members(&response["content"]).keys().cloned()).collect()
            }
        };
        offered.iter().any(|offer| is_json(&media_type(offer))).then(|| "application/json, */*;q=0.5".into())
    }

    /// `consumes` and `produces`, of the operation or of the document.
    fn listed(&self, member: &str) -> Vec<String> {
        let lists = [&self.operation[member], &self.document.root[member]];
        let list = lists.into_iter().find_map(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(Into::into).collect()
    }

    fn uri(&self, path: &str, query: Vec<(String, String)>) -> Result<Url, Problem> {
        if path.contains(['{', '}']) {
            return Err(unusable(format!("the path {:?} has a name in braces that is no parameter", self.path)));
        }
        let server = self.server()?;
        let mut uri = absolute(&format!("{}/{}", server.trim_end_matches('/'), path.trim_start_matches('/')))?;
        if !query.is_empty() {
            uri.query_pairs_mut().extend_pairs(query);
        }
        Ok(uri)
    }

    fn wrong(&self, what: &str) -> Problem {
        let id = self.operation["operationId"].as_str().unwrap_or_default();
        invalid(format!("the operation {id:?} {what}"))
    }
}

/// The argument `body`, or else all that are left. `required` is what is missing if there is neither.
fn body_argument<'n>(
    arguments: &mut Map<String, Value>,
    required: Option<&'n str>,
    missing: &mut Vec<&'n str>,
) -> Option<Value> {
    if let Some(body) = arguments.shift_remove("body") {
        return Some(body);
    }
    if !arguments.is_empty() {
        return Some(Value::Object(std::mem::take(arguments)));
    }
    missing.extend(required);
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn composed(document: Value, arguments: Value) -> Result<Request, Problem> {
        let document = Document::parse(&document.to_string(), None).unwrap();
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        document.operation("test").unwrap().request(arguments)
    }

    fn three(path: &str, operation: Value) -> Value {
        let mut operation = operation;
        operation["operationId"] = "test".into();
        json!({
            "openapi": "3.1.0",
            "servers": [{"url": "https://api.example.com/v1/"}],
            "paths": {path: {"put": operation, "parameters": [{"name": "id", "in": "path", "required": true}]}},
        })
    }

    #[test]
    fn parameters_go_where_the_document_says() {
        let operation = json!({"parameters": [
            {"name": "tags", "in": "query"},
            {"name": "X-Trace", "in": "header"},
            {"name": "session", "in": "cookie"},
            {"name": "unused", "in": "query"},
        ]});
        let arguments = json!({"id": "a/b", "tags": ["x", "y z"], "X-Trace": 7, "session": "s"});
        let request = composed(three("/pets/{id}", operation), arguments).unwrap();
        assert_eq!(request.uri.as_str(), "https://api.example.com/v1/pets/a%2Fb?tags=x&tags=y+z");
        assert_eq!(request.method, "PUT");
        assert_eq!((request.header("x-trace"), request.header("cookie")), (Some("7"), Some("session=s")));
    }

    #[test]
    fn the_body_is_the_argument_body_or_what_is_no_parameter() {
        let operation = json!({"requestBody": {"content": {"text/xml": {}, "application/json": {}}, "required": true}});
        let document = || three("/pets/{id}", operation.clone());
        for arguments in [json!({"id": 1, "body": {"a": 1}}), json!({"id": 1, "a": 1})] {
            let request = composed(document(), arguments).unwrap();
            assert_eq!(request.body.as_deref(), Some(br#"{"a":1}"#.as_slice()));
            assert_eq!(request.header("content-type"), Some("application/json"));
        }
        let problem = composed(document(), json!({"id": 1})).unwrap_err();
        assert!(problem.detail.unwrap().contains("needs body"));
    }

    #[test]
    fn data_begins_no_other_cookie_and_climbs_out_of_no_path() {
        let operation = json!({"parameters": [{"name": "ck", "in": "cookie"}]});
        let request = composed(three("/pets/{id}", operation), json!({"id": 1, "ck": "a; admin=1"})).unwrap();
        assert_eq!(request.header("cookie"), Some("ck=a%3B%20admin=1"));
        for id in [".", ".."] {
            let problem = composed(three("/pets/{id}", json!({})), json!({"id": id})).unwrap_err();
            assert!(problem.detail.unwrap().contains("names another path"));
        }
    }

    #[test]
    fn what_is_missing_and_what_is_unknown_is_named() {
        let problem = composed(three("/pets/{id}", json!({})), json!({})).unwrap_err();
        assert!(problem.detail.unwrap().contains("needs id"));
        let problem = composed(three("/pets/{id}", json!({})), json!({"id": 1, "idd": 2})).unwrap_err();
        assert!(problem.detail.unwrap().contains("has no parameter \"idd\"; it has: id"));
    }

    #[test]
    fn swagger_has_bodies_and_forms_among_its_parameters() {
        let two = |parameters: Value| {
            json!({
                "swagger": "2.0", "host": "api.example.com", "basePath": "/v2", "schemes": ["https"],
                "paths": {"/pets": {"post": {"operationId": "test", "parameters": parameters}}},
            })
        };
        let body = || json!([{"name": "pet", "in": "body", "required": true, "schema": {}}]);
        for arguments in [json!({"pet": {"a": 1}}), json!({"body": {"a": 1}}), json!({"a": 1})] {
            let request = composed(two(body()), arguments).unwrap();
            assert_eq!(request.uri.as_str(), "https://api.example.com/v2/pets");
            assert_eq!(request.body.as_deref(), Some(br#"{"a":1}"#.as_slice()));
        }
        assert!(composed(two(body()), json!({})).unwrap_err().detail.unwrap().contains("needs pet"));
        let form = json!([{"name": "a", "in": "formData", "type": "string"}]);
        let request = composed(two(form), json!({"a": "x y"})).unwrap();
        assert_eq!(request.body.as_deref(), Some(b"a=x+y".as_slice()));
        assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    }
}
