//! An authority as OAuth 2 has it: it knows its clients, and its tokens end.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::rig::serve;

/// The authority, and a service at `/protected` that takes its tokens.
#[derive(Clone)]
pub(crate) struct Authority {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<Books>>,
}

/// What it has on its books.
pub(crate) struct Books {
    pub(crate) expires_in: Value,
    pub(crate) gives_refresh_tokens: bool,
    /// Every request for a token that came, as a form, with the header `authorization` under that name.
    pub(crate) asked: Vec<HashMap<String, String>>,
    valid: HashSet<String>,
    refresh: HashSet<String>,
    given: u32,
    /// Answers with this instead.
    pub(crate) refuses: Option<(u16, Value)>,
}

impl Authority {
    pub(crate) async fn start() -> Self {
        let state = Arc::new(Mutex::new(Books {
            expires_in: json!(3600),
            gives_refresh_tokens: false,
            asked: Vec::new(),
            valid: HashSet::new(),
            refresh: HashSet::new(),
            given: 0,
            refuses: None,
        }));
        let service = Router::new()
            .route("/realms/test/oauth2/token", post(give))
            .route("/realms/test/.well-known/openid-configuration", get(tell))
            .route("/elsewhere/token", post(give))
            .route(
                "/moved/oauth2/token",
                post(|| async {
                    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/realms/test/oauth2/token?key=s3cret")])
                }),
            )
            .route(
                "/moved/.well-known/openid-configuration",
                get(|| async { (StatusCode::FOUND, [(header::LOCATION, "/realms/test")]) }),
            )
            .route("/html/.well-known/openid-configuration", get(|| async { axum::response::Html("<html>") }))
            .route("/protected", get(protected))
            .with_state(Arc::clone(&state));
        Authority { address: serve(service).await, state }
    }

    pub(crate) fn books<T>(&self, look: impl FnOnce(&mut Books) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }

    /// Whether a token is good.
    pub(crate) fn knows(&self, token: &str) -> bool {
        self.books(|books| books.valid.contains(token))
    }

    /// No token that was given is good any more; refresh tokens are.
    pub(crate) fn revoke(&self) {
        self.books(|books| books.valid.clear());
    }
}

impl Books {
    /// No refresh token is good any more.
    pub(crate) fn forget_refresh_tokens(&mut self) {
        self.refresh.clear();
    }
}

async fn tell(headers: HeaderMap) -> axum::Json<Value> {
    let host = headers[header::HOST].to_str().unwrap();
    axum::Json(json!({
        "issuer": format!("http://{host}/realms/test"),
        "token_endpoint": format!("http://{host}/elsewhere/token"),
    }))
}

async fn give(State(state): State<Arc<Mutex<Books>>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut books = state.lock().unwrap();
    let is_json = headers[header::CONTENT_TYPE] == "application/json";
    let mut form: HashMap<String, String> = if is_json {
        serde_json::from_slice(&body).unwrap()
    } else {
        url::form_urlencoded::parse(&body).into_owned().collect()
    };
    form.insert("json".into(), is_json.to_string());
    let basic = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    form.extend(basic.clone().map(|basic| ("authorization".to_owned(), basic)));
    books.asked.push(form.clone());
    let refused = |status: u16, body: Value| (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response();
    if let Some((status, body)) = books.refuses.clone() {
        return refused(status, body);
    }
    let is = |name: &str, value: &str| form.get(name).is_some_and(|given| given == value);
    let knows_client = is("client_id", "runtime") && is("client_secret", "s3cret")
        || basic == Some(format!("Basic {}", BASE64_STANDARD.encode("runtime:s3cret")))
        || is("client_id", "public")
        || form.get("client_assertion").is_some_and(|assertion| is_signed(assertion) || assertion == "signed-before");
    if !knows_client {
        return refused(401, json!({"error": "invalid_client", "error_description": "s3cret is wrong"}));
    }
    let is_granted = match form["grant_type"].as_str() {
        "client_credentials" => true,
        "password" => is("username", "ada") && is("password", "pa55"),
        "refresh_token" => books.refresh.contains(&form["refresh_token"]) || is("refresh_token", "long-lived"),
        "urn:ietf:params:oauth:grant-type:token-exchange" => is("subject_token", "subject"),
        _ => false,
    };
    if !is_granted {
        return refused(400, json!({"error": "invalid_grant"}));
    }
    books.given += 1;
    let claims = json!({"iss": "http://issuer.example", "n": books.given});
    let token = format!("e30.{}.sig", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
    books.valid.insert(token.clone());
    let mut answer = json!({"access_token": token, "token_type": "bearer", "expires_in": books.expires_in});
    if books.gives_refresh_tokens {
        let refresh = format!("refresh-{}", books.given);
        books.refresh.insert(refresh.clone());
        answer["refresh_token"] = refresh.into();
    }
    axum::Json(answer).into_response()
}

/// A JWT that the client signed with its secret, and that names it (RFC 7523, HS256).
fn is_signed(assertion: &str) -> bool {
    let Some((signed, signature)) = assertion.rsplit_once('.') else { return false };
    if signature != BASE64_URL_SAFE_NO_PAD.encode(hmac(b"s3cret", signed.as_bytes())) {
        return false;
    }
    let claims = assertion.split('.').nth(1).and_then(|claims| BASE64_URL_SAFE_NO_PAD.decode(claims).ok());
    let claims: Value = claims.and_then(|claims| serde_json::from_slice(&claims).ok()).unwrap_or_default();
    claims["sub"] == "runtime" && claims["exp"].as_u64() > claims["iat"].as_u64()
}

/// HMAC with SHA-256 (RFC 2104), for a key that is shorter than a block.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let padded = |with: u8| -> Vec<u8> { (0..64).map(|at| key.get(at).copied().unwrap_or_default() ^ with).collect() };
    let inner = Sha256::digest([padded(0x36), message.to_vec()].concat());
    Sha256::digest([padded(0x5c), inner.to_vec()].concat()).to_vec()
}

async fn protected(State(state): State<Arc<Mutex<Books>>>, headers: HeaderMap) -> Response {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match token.is_some_and(|token| state.lock().unwrap().valid.contains(token)) {
        true => "inside".into_response(),
        false => StatusCode::UNAUTHORIZED.into_response(),
    }
}
