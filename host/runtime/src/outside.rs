//! What calls of built-in components reach outside: hosts, through the egress; files beside the definition; tokens.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hotcell_egress::{Egress, EgressError, Grant, Request};
use hotcell_expression::Data;
use hotcell_sandbox::{HttpFailure, HttpRequest, HttpResponse};
use serde_json::Value;

use crate::files;
use crate::placeholders::Placeholders;
use crate::tokens::Turns;

/// The largest file that is read: 8 MiB.
const MAX_FILE: u64 = 8 << 20;

/// How many requests one call makes at most, each with a connection of its own: against a guest that uses this machine to flood
/// another. Ten redirects, each of which is challenged, and what it takes to get a token are fewer.
const MAX_REQUESTS: u32 = 100;

/// What one call of a built-in component may reach.
pub(crate) struct Outside {
    pub(crate) egress: Arc<Egress>,
    pub(crate) grant: Grant,
    pub(crate) turns: Turns,
    /// The secrets that it uses and does not see.
    pub(crate) placeholders: Arc<Placeholders>,
    /// How many requests it has made.
    pub(crate) sent: AtomicU32,
    /// The folder whose files it reads. Without, it reads none.
    pub(crate) folder: Option<PathBuf>,
}

impl Outside {
    pub(crate) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        if self.sent.fetch_add(1, Ordering::Relaxed) >= MAX_REQUESTS {
            return Err(HttpFailure::Denied(format!("a call makes at most {MAX_REQUESTS} requests")));
        }
        let HttpRequest { method, uri, headers, body } = self.placeholders.fill(request);
        let answer = self.egress.send(Request { method, uri, headers, body }, &self.grant).await.map_err(failure)?;
        Ok(HttpResponse { status: answer.status, headers: answer.headers, body: answer.body })
    }

    /// Reads a file, by a path that stays within the folder of the definition: which files a host has is not for
    /// documents to explore.
    pub(crate) async fn read(&self, path: &str) -> Result<Vec<u8>, HttpFailure> {
        let invalid = |reason: &str| HttpFailure::Invalid(format!("{path:?} {reason}"));
        let located = self.folder.as_deref().and_then(|folder| Some((folder, files::locate(folder, path)?)));
        let Some((folder, file)) = located else {
            return Err(invalid("is not a path that stays within the folder of the definition"));
        };
        let read = files::read_within(folder, file, MAX_FILE).await;
        read.map_err(|reason| invalid(&format!("cannot be read: {reason}")))
    }
}

fn failure(error: EgressError) -> HttpFailure {
    let text = error.to_string();
    match error {
        EgressError::NotAllowed { .. }
        | EgressError::MethodNotAllowed { .. }
        | EgressError::NotPublic { .. }
        | EgressError::Policy { .. }
        | EgressError::NotAsked { .. } => HttpFailure::Denied(text),
        EgressError::Invalid { .. } => HttpFailure::Invalid(text),
        EgressError::Unreachable { .. } | EgressError::Status { .. } => HttpFailure::Unreachable(text),
        EgressError::Late { .. } => HttpFailure::Late(text),
        EgressError::TooLarge { .. } => HttpFailure::TooLarge(text),
    }
}

/// What the definition asks for, by the input of its call: the host of the endpoint, and that of the authority which
/// gives tokens. Where the definition leaves it to others where to go (redirects, discovery, an OpenAPI document),
/// whatever the operator allows.
pub(crate) fn asked_for(input: &Data) -> Grant {
    let input = input.value();
    let text = |pointer: &str| input.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned);
    let authority = text("/authentication/oauth2/authority");
    let elsewhere = input["redirect"] == true
        || input.pointer("/call/openapi").is_some()
        || input.pointer("/authentication/oidc").is_some()
        || authority.as_ref().is_some_and(|authority| authority.contains("/.well-known/"));
    if elsewhere {
        return Grant::Allowed;
    }
    let places = [text("/call/http/endpoint"), authority, text("/authentication/oauth2/endpoints/token")];
    Grant::HostsOf(places.into_iter().flatten().collect())
}
