//! `call: http` and `call: openapi`: what the definition says of a request, evaluated for the component that makes it.

use std::sync::Arc;

use hotcell_definition as dsl;
use hotcell_definition::{ErrorKind, HttpOutput, Problem};
use hotcell_expression::{Data, ExpressionError, Template};
use serde_json::{Map, Value, json};

use crate::authentication::AuthenticationPlan;
use crate::bindings::Place;
use crate::machine::Run;
use crate::problem::expression_problem;
use crate::program::Kind;
use crate::uri::{UriPlan, encode};
use crate::{Builtin, Callee};

/// A call over HTTP.
#[derive(Debug)]
pub(crate) struct HttpPlan {
    pub(crate) request: RequestPlan,
    pub(crate) authentication: Option<AuthenticationPlan>,
    pub(crate) output: HttpOutput,
    pub(crate) redirect: bool,
    /// Whether anything in the task mentions `$authorization`. Otherwise nobody is told what it is, so that no token
    /// is kept with the state of an execution.
    pub(crate) tells_authorization: bool,
}

/// What is requested.
#[derive(Debug)]
pub(crate) enum RequestPlan {
    /// `call: http`
    Http {
        method: Template,
        endpoint: UriPlan,
        headers: Option<Template>,
        query: Option<Template>,
        body: Option<Template>,
    },
    /// `call: openapi`
    OpenApi {
        document: UriPlan,
        /// How to authenticate where the document is.
        document_authentication: Option<AuthenticationPlan>,
        operation_id: Template,
        parameters: Option<Template>,
    },
}

/// Compiles a free-form value of the document.
pub(crate) type Compile<'c> = dyn FnMut(&dsl::Template) -> Template + 'c;

impl HttpPlan {
    /// `call: http`. `source` is the task.
    pub(crate) fn http(
        call: &dsl::HttpCall,
        components: &dsl::Components,
        source: &Value,
        compile: &mut Compile<'_>,
    ) -> Self {
        let authentication = call.endpoint.authentication.as_ref();
        HttpPlan {
            request: RequestPlan::Http {
                method: compile(&call.method),
                endpoint: UriPlan::new(&compile(&call.endpoint.uri)),
                headers: call.headers.as_ref().map(&mut *compile),
                query: call.query.as_ref().map(&mut *compile),
                body: call.body.as_ref().map(&mut *compile),
            },
            authentication: authentication.map(|policy| AuthenticationPlan::new(policy, components, compile)),
            output: call.output,
            redirect: call.redirect,
            tells_authorization: source.to_string().contains("$authorization"),
        }
    }
}

impl HttpPlan {
    /// `call: openapi`. `source` is the task.
    pub(crate) fn openapi(
        call: &dsl::OpenApiCall,
        components: &dsl::Components,
        source: &Value,
        compile: &mut Compile<'_>,
    ) -> Self {
        let endpoint = &call.document.endpoint;
        let policy = |policy: &Option<_>, compile: &mut Compile<'_>| {
            policy.as_ref().map(|policy| AuthenticationPlan::new(policy, components, compile))
        };
        HttpPlan {
            authentication: policy(&call.authentication, compile),
            request: RequestPlan::OpenApi {
                document: UriPlan::new(&compile(&endpoint.uri)),
                document_authentication: policy(&endpoint.authentication, compile),
                operation_id: compile(&call.operation_id),
                parameters: call.parameters.as_ref().map(&mut *compile),
            },
            output: call.output,
            redirect: call.redirect,
            tells_authorization: source.to_string().contains("$authorization"),
        }
    }
}

impl Run<'_> {
    /// Begins a call over HTTP: a call of the component that makes it.
    pub(crate) fn begin_http(&mut self, id: u64, plan: &HttpPlan, input: &Data) -> Result<(), Problem> {
        let mut call = Map::new();
        if let Some(authentication) = &plan.authentication {
            let policy = self.authentication(id, authentication, input)?;
            if plan.tells_authorization {
                self.frame_mut(id).authorization = policy.known()?;
            }
            call.insert("authentication".into(), policy.into_value());
        }
        let (kind, request) = self.request(id, &plan.request, input)?;
        call.insert("call".into(), json!({ kind: request }));
        let output = match plan.output {
            HttpOutput::Raw => "raw",
            HttpOutput::Content => "content",
            HttpOutput::Response => "response",
        };
        call.insert("output".into(), output.into());
        call.insert("redirect".into(), plan.redirect.into());
        call.insert("tell_authorization".into(), plan.tells_authorization.into());
        let call = Data::new(Value::Object(call)).map_err(|error| expression_problem("with", None, error))?;
        self.start_call(id, Callee::Builtin(Builtin::Http), call);
        Ok(())
    }

    fn request(&mut self, id: u64, plan: &RequestPlan, input: &Data) -> Result<(&'static str, Value), Problem> {
        let place = Place::TaskDefinition;
        match plan {
            RequestPlan::Http { method, endpoint, headers, query, body } => {
                let method = self.evaluate(id, place, "with.method", method, input)?;
                let Value::String(method) = method.value() else {
                    return Err(not_a("with.method", "a string"));
                };
                let mut request = Map::new();
                request.insert("method".into(), method.clone().into());
                request.insert("endpoint".into(), self.uri(id, "with.endpoint", endpoint, input)?.into());
                if let Some(headers) = self.members(id, "with.headers", headers.as_ref(), input)? {
                    request.insert("headers".into(), headers);
                }
                if let Some(query) = self.members(id, "with.query", query.as_ref(), input)? {
                    request.insert("query".into(), query);
                }
                if let Some(body) = body {
                    let body = self.evaluate(id, place, "with.body", body, input)?;
                    request.insert("body".into(), body.value().clone());
                }
                Ok(("http", request.into()))
            }
            RequestPlan::OpenApi { document, document_authentication, operation_id, parameters } => {
                let mut place_of_document = Map::new();
                let uri = self.uri(id, "with.document.endpoint", document, input)?;
                place_of_document.insert("endpoint".into(), uri.into());
                if let Some(authentication) = document_authentication {
                    let policy = self.authentication(id, authentication, input)?;
                    place_of_document.insert("authentication".into(), policy.into_value());
                }
                let operation = self.evaluate(id, place, "with.operationId", operation_id, input)?;
                let Value::String(operation) = operation.value() else {
                    return Err(not_a("with.operationId", "a string"));
                };
                let mut request = Map::new();
                request.insert("document".into(), place_of_document.into());
                request.insert("operation_id".into(), operation.clone().into());
                if let Some(parameters) = self.members(id, "with.parameters", parameters.as_ref(), input)? {
                    request.insert("parameters".into(), parameters);
                }
                Ok(("openapi", request.into()))
            }
        }
    }

    /// A URI, as the data makes it.
    pub(crate) fn uri(&mut self, id: u64, what: &str, plan: &UriPlan, input: &Data) -> Result<String, Problem> {
        enum Failed {
            Already(Problem),
            Template(ExpressionError),
        }
        impl From<ExpressionError> for Failed {
            fn from(error: ExpressionError) -> Self {
                Failed::Template(error)
            }
        }
        plan.expand(input, |expression| {
            self.expression(id, Place::TaskDefinition, what, expression, input).map_err(Failed::Already)
        })
        .map_err(|failed| match failed {
            Failed::Already(problem) => problem,
            Failed::Template(error) => expression_problem(what, None, error),
        })
    }

    /// An object, or nothing. A message must not repeat what stands there instead: it may be a secret.
    pub(crate) fn members(
        &mut self,
        id: u64,
        what: &str,
        template: Option<&Template>,
        input: &Data,
    ) -> Result<Option<Value>, Problem> {
        let Some(template) = template else { return Ok(None) };
        let data = self.evaluate(id, Place::TaskDefinition, what, template, input)?;
        match data.value() {
            Value::Null => Ok(None),
            members @ Value::Object(_) => Ok(Some(members.clone())),
            _ => Err(not_a(what, "an object")),
        }
    }

    /// What a call over HTTP returned: the task's output, and the authorization that was used, if it was asked for.
    pub(crate) fn http_answered(&mut self, id: u64, answer: Data) -> Result<Data, Problem> {
        let Value::Object(members) = answer.value() else {
            return Err(Problem::new(ErrorKind::Runtime, "Invalid output", "the HTTP caller did not return an object"));
        };
        if let Some(authorization) = members.get("authorization") {
            let authorization = Data::new(authorization.clone());
            self.frame_mut(id).authorization = authorization.ok();
        }
        let mut output = members.get("output").cloned().unwrap_or_default();
        // The request that is told beside its answer holds whatever the author put into it. Outputs become events.
        if let Some(Kind::Http(plan)) = self.frame(id).node.map(|node| &self.program.node(node).kind)
            && plan.output == HttpOutput::Response
            && let Some(request) = output.get_mut("request")
        {
            mask(request, &texts_of(self.secrets));
        }
        Data::new(Arc::new(output)).map_err(|error| expression_problem("output", None, error))
    }
}

/// The shortest text that is masked. Shorter ones are no secrets, and stand in everything.
const SHORTEST_SECRET: usize = 4;

/// The texts in the secrets that were granted, as they are and as they stand in a URI.
fn texts_of(secrets: &Map<String, Value>) -> Vec<String> {
    let mut texts = Vec::new();
    let mut open: Vec<&Value> = secrets.values().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) if text.len() >= SHORTEST_SECRET => {
                let mut encoded = String::new();
                encode(text, &mut encoded);
                texts.extend([text.clone(), encoded.replace("%20", "+"), encoded]);
            }
            Value::Array(items) => open.extend(items),
            Value::Object(members) => open.extend(members.values()),
            _ => {}
        }
    }
    texts
}

/// Replaces secrets in the texts of a value.
fn mask(value: &mut Value, secrets: &[String]) {
    match value {
        Value::String(text) => {
            for secret in secrets {
                if text.contains(secret.as_str()) {
                    *text = text.replace(secret.as_str(), "***");
                }
            }
        }
        // The request is flat: a method, a URI, and headers.
        Value::Object(members) => members.values_mut().for_each(|member| mask(member, secrets)),
        _ => {}
    }
}

pub(crate) fn not_a(what: &str, expected: &str) -> Problem {
    expression_problem(what, None, ExpressionError::Failed(format!("it has to be {expected}")))
}
