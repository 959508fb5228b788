//! Documents over HTTP: what a definition refers to before anything runs, and the sources of scripts.
//!
//! One that needs no credentials is fetched by the egress itself. For any other the HTTP caller authenticates, in a cell, as it
//! does for `call: http`, so that every scheme of the specification works for both.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::FutureExt;
use futures::future::BoxFuture;
use hotcell_definition::{ErrorKind, Problem};
use hotcell_egress::{Egress, EgressError, Grant};
use hotcell_machine::Builtin;
use hotcell_sandbox as sandbox;
use hotcell_sandbox::{CallContext, CallLimits, HttpFailure, HttpRequest, HttpResponse, SecretDenied, WorkflowName};
use serde_json::{Value, json};

use crate::outside::Outside;
use crate::resources::{Fetch, FetchRequest};
use crate::runtime::Shared;
use crate::tokens::{Tokens, Turns};

/// Fetches documents for one definition.
pub(crate) struct Documents {
    pub(crate) shared: Arc<Shared>,
    /// Those that its calls keep, or its documents.
    pub(crate) tokens: Arc<Tokens>,
    /// The way out, for the task or the definition that they are fetched for.
    pub(crate) egress: Arc<Egress>,
    /// What the HTTP caller may use.
    pub(crate) limits: CallLimits,
}

impl Fetch for Documents {
    fn get<'a>(&'a self, request: FetchRequest<'a>) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        let FetchRequest { url, authentication, limit } = request;
        async move {
            let fetched = self.fetch(url.as_str(), authentication).await;
            let bytes = fetched.map_err(|problem| problem.detail.or(problem.title).unwrap_or(problem.kind))?;
            if bytes.len() as u64 > limit {
                return Err(format!("it is larger than {} KiB", limit >> 10));
            }
            Ok(bytes)
        }
        .boxed()
    }
}

impl Documents {
    /// The bytes of a document.
    ///
    /// # Errors
    /// Those of `call: http`, as it is for the same author.
    pub(crate) async fn fetch(&self, uri: &str, authentication: Option<Value>) -> Result<Vec<u8>, Problem> {
        let bytes = match authentication {
            None => self.egress.get(uri, &[]).await.map_err(|error| problem(&error))?.bytes,
            Some(authentication) => self.authenticated(uri, authentication).await?,
        };
        match is_page(&bytes) {
            true => Err(Problem::new(
                ErrorKind::Communication,
                "Not a document",
                "this is a web page (HTML): an address for people, or a page to log in; give the address of the file itself",
            )),
            false => Ok(bytes),
        }
    }

    async fn authenticated(&self, uri: &str, authentication: Value) -> Result<Vec<u8>, Problem> {
        let Shared { cells, builtins, .. } = &*self.shared;
        let input = json!({
            "call": { "http": { "method": "GET", "endpoint": uri } },
            "authentication": authentication,
            "output": "raw",
            "redirect": true,
        });
        let nobody = WorkflowName { namespace: String::new(), name: String::new(), version: String::new() };
        let call = sandbox::Call {
            id: sandbox::CallId::new("document"),
            component: builtins.prepare(Builtin::Http, &**cells).await?,
            export: None,
            input: input.to_string().into(),
            context: CallContext {
                task: "document".into(),
                reference: "".into(),
                workflow: Arc::new(nobody),
                execution: "".into(),
                attempt: 1,
            },
            limits: self.limits,
        };
        let outside = Outside {
            egress: Arc::clone(&self.egress),
            // Where redirects and discovery lead, nobody knows before.
            grant: Grant::Allowed,
            placeholders: Arc::default(),
            sent: AtomicU32::new(0),
            turns: Turns::new(Arc::clone(&self.tokens)),
            folder: None,
        };
        let output = cells.call(call, Arc::new(FetchHost(outside))).await.result.map_err(|error| error.to_problem())?;
        let content = output["output"].as_str().unwrap_or_default();
        BASE64_STANDARD.decode(content).map_err(|error| {
            Problem::new(
                ErrorKind::Runtime,
                "Invalid output",
                format!("the HTTP caller did not return base64: {error}"),
            )
        })
    }
}

/// As for `call: http`: a host that is denied is not a server that fails.
fn problem(error: &EgressError) -> Problem {
    let (kind, title) = match error {
        EgressError::NotAllowed { .. }
        | EgressError::MethodNotAllowed { .. }
        | EgressError::NotPublic { .. }
        | EgressError::Policy { .. }
        | EgressError::NotAsked { .. } => (ErrorKind::Authorization, "Host not allowed"),
        EgressError::Invalid { .. } => (ErrorKind::Configuration, "Document not available"),
        EgressError::Late { .. } => (ErrorKind::Timeout, "Document not available"),
        EgressError::Unreachable { .. } | EgressError::Status { .. } | EgressError::TooLarge { .. } => {
            (ErrorKind::Communication, "Document not available")
        }
    };
    let mut problem = Problem::new(kind, title, error.to_string());
    if let EgressError::Status { status, .. } = error {
        problem.status = *status;
    }
    problem
}

/// Whether it begins as pages do. No document that is loaded, and no script, does.
fn is_page(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    [b"<!doctype html".as_slice(), b"<html"]
        .iter()
        .any(|tag| start.get(..tag.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(tag)))
}

/// What the HTTP caller finds outside when it fetches a document. It has nothing to tell.
struct FetchHost(Outside);

impl sandbox::Host for FetchHost {
    fn log(&self, _: sandbox::LogLevel, _: sandbox::LogStream, _: String) {}

    fn report(&self, _: Option<f64>, _: Option<String>, _: Option<Value>) {}

    fn secret(&self, _: &str) -> Result<String, SecretDenied> {
        Err(SecretDenied)
    }

    fn http(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        self.0.send(request).boxed()
    }

    fn kept_token<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<String>> {
        self.0.turns.kept(key).boxed()
    }

    fn keep_token(&self, key: String, token: String, lifetime: Duration) {
        self.0.turns.keep(key, token, lifetime);
    }

    fn forget_token(&self, key: &str) {
        self.0.turns.forget(key);
    }
}
