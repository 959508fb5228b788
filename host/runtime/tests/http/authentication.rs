//! Who asks: schemes that need no authority, `$authorization`, and secrets that are told to nobody.

use axum::Router;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hotcell_definition::ErrorKind;
use serde_json::{Value, json};

use crate::rig::{Rig, serve};

async fn authorization(headers: HeaderMap) -> String {
    headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().into()).unwrap_or_default()
}

/// HTTP Digest with SHA-256, as a service checks it.
pub(crate) async fn digest(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    use sha2::{Digest, Sha256};
    let hash = |text: String| Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let given = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let parameter = |name: &str| {
        let (_, value) = given.split_once(&format!("{name}="))?;
        Some(value.trim_start_matches('"').split(['"', ',']).next().unwrap().to_owned())
    };
    let user = hash("ada:the realm:pa55".into());
    let asked = hash(format!("{method}:{uri}"));
    let expected = parameter("cnonce").map(|cnonce| hash(format!("{user}:n0nce:00000001:{cnonce}:auth:{asked}")));
    if expected.is_some() && expected == parameter("response") {
        return "inside".into_response();
    }
    let challenge = "Digest realm=\"the realm\", nonce=\"n0nce\", algorithm=MD5, \
                     Digest realm=\"the realm\", nonce=\"n0nce\", algorithm=SHA-256, qop=\"auth\"";
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
}

async fn rig() -> (Rig, String) {
    let service = Router::new().route("/", get(authorization)).route("/digest", get(digest));
    let address = serve(service).await;
    let secrets = json!({
        "login": {"username": "ada", "password": "pa55"},
        "token": {"token": "t0ken"},
        "bare": "b4re",
        "broken": {"username": {"deep": "s3cret"}},
    });
    (Rig::allowing(&["127.0.0.1"]).secrets(secrets), format!("http://{address}"))
}

fn document(at: &str, authentication: &str) -> String {
    format!(
        "use: {{ secrets: [ login, token, bare, broken ], authentications: {{ mine: {{ basic: {{ use: login }} }} }} }}\n\
         do: [{{ ask: {{ call: http, with: {{ method: get, endpoint: {{ uri: '{at}', authentication: {authentication} }} }} }} }}]"
    )
}

#[tokio::test]
async fn each_way_to_give_credentials_works() {
    let (rig, at) = rig().await;
    for (authentication, expected) in [
        ("{ basic: { username: '${ .user }', password: pa55 } }", "Basic YWRhOnBhNTU="),
        ("{ basic: { use: login } }", "Basic YWRhOnBhNTU="),
        ("{ use: mine }", "Basic YWRhOnBhNTU="),
        ("{ bearer: { token: '${ .user }' } }", "Bearer ada"),
        ("{ bearer: { token: '${ $secrets.bare }' } }", "Bearer b4re"),
        ("{ bearer: { use: token } }", "Bearer t0ken"),
        ("{ bearer: { use: bare } }", "Bearer b4re"),
    ] {
        let output = rig.run(&document(&at, authentication), json!({"user": "ada"})).await.output();
        assert_eq!(output, json!(expected), "{authentication}");
    }
}

#[tokio::test]
async fn a_digest_challenge_is_answered() {
    let (rig, at) = rig().await;
    let at = format!("{at}/digest?a=b");
    let output = rig.run(&document(&at, "{ digest: { use: login } }"), json!({})).await.output();
    assert_eq!(output, json!("inside"));
    let wrong = document(&at, "{ digest: { username: ada, password: wrong } }");
    let problem = rig.run(&wrong, json!({})).await.problem();
    assert_eq!((problem.status, problem.is(ErrorKind::Communication)), (401, true));
}

#[tokio::test]
async fn a_secret_that_was_not_granted_is_an_authorization_error() {
    let (_, at) = rig().await;
    let rig = Rig::allowing(&["127.0.0.1"]);
    let problem = rig.run(&document(&at, "{ basic: { use: login } }"), json!({})).await.problem();
    assert_eq!((problem.status, problem.is(ErrorKind::Authorization)), (403, true));
}

#[tokio::test]
async fn a_secret_of_the_wrong_shape_is_told_by_its_shape_alone() {
    let (rig, at) = rig().await;
    for scheme in ["basic", "digest", "bearer", "oauth2", "oidc"] {
        let ran = rig.run(&document(&at, &format!("{{ {scheme}: {{ use: broken }} }}")), json!({})).await;
        assert!(!ran.told().contains("s3cret"), "{scheme}");
        assert!(ran.problem().is(ErrorKind::Configuration), "{scheme}");
    }
}

#[tokio::test]
async fn the_authorization_can_be_used_where_the_specification_has_it() {
    let (rig, at) = rig().await;
    let text = document(&at, "{ basic: { use: login } }")
        .replace("method: get,", "method: get, query: { scheme: '${ $authorization.scheme }' },")
        .replace("call: http,", "output: { as: '${ {auth: $authorization, data: .} }' }, call: http,");
    let output = rig.run(&text, json!({})).await.output();
    let expected = json!({"scheme": "Basic", "parameter": "YWRhOnBhNTU="});
    assert_eq!(output, json!({"auth": expected, "data": "Basic YWRhOnBhNTU="}));
    let text = format!(
        "do: [{{ ask: {{ call: http, with: {{ method: get, endpoint: '{at}' }}, output: {{ as: '${{ $authorization }}' }} }} }}]"
    );
    assert_eq!(rig.run(&text, json!({})).await.output(), Value::Null);
}

#[tokio::test]
async fn credentials_are_told_to_nobody_but_the_service() {
    let (rig, at) = rig().await;
    for path in ["", "/digest", "/missing"] {
        for scheme in ["basic: { use: login }", "digest: { use: login }", "bearer: { use: token }"] {
            let text = document(&format!("{at}{path}"), &format!("{{ {scheme} }}"))
                .replace("method: get,", "method: get, output: response,");
            let told = rig.run(&text, json!({})).await.told();
            for secret in ["pa55", "t0ken"] {
                // The service at `/` tells what it got; that is its answer, and the workflow's to keep.
                assert!(!told.contains(secret) || path.is_empty(), "{path} {scheme}: {told}");
            }
            assert!(!told.to_lowercase().contains("\"authorization\""), "{path} {scheme}: {told}");
        }
    }
}

#[tokio::test]
async fn a_secret_in_a_request_is_masked_where_the_request_is_told() {
    let (_, at) = rig().await;
    let rig = Rig::allowing(&["127.0.0.1"]).secrets(json!({"login": {"key": "k3y value"}}));
    let text = format!(
        "use: {{ secrets: [ login ] }}\n\
         do: [{{ ask: {{ call: http, with: {{ method: get, endpoint: '{at}', output: response, \
         query: {{ key: '${{ $secrets.login.key }}' }}, headers: {{ X-Key: '${{ $secrets.login.key }}' }} }} }} }}]"
    );
    let ran = rig.run(&text, json!({})).await;
    assert!(!ran.told().contains("k3y"), "{}", ran.told());
    let output = ran.output();
    assert_eq!(output["request"]["uri"], format!("{at}/?key=***"));
    assert_eq!(output["request"]["headers"]["X-Key"], "***");
}
