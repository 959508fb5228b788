//! Documents that definitions refer to: catalogs, functions, schemas, OpenAPI documents and the sources of scripts, from real
//! services, through the egress.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use hotcell_definition::ErrorKind;
use hotcell_egress::{EgressLimits, EgressOptions};
use serde_json::json;

use crate::authentication::digest;
use crate::authority::Authority;
use crate::rig::{Rig, serve};
use crate::tls::{Secured, serve_tls};

const PRICE: &str = "{ input: { schema: { resource: { endpoint: order.json } } }, set: { price: '${ .n * 2 }' } }";
const ORDER: &str = "{\"type\": \"object\", \"required\": [\"n\"]}";
const OPENAPI: &str = "{\"openapi\": \"3.0.3\", \"info\": {\"title\": \"t\", \"version\": \"1\"}, \"paths\": {\"/text\": {\"get\": \
                       {\"operationId\": \"text\", \"responses\": {}}}}}";

async fn document(Path(path): Path<String>) -> Response {
    match path.rsplit('/').next().unwrap() {
        "function.yaml" => PRICE.into_response(),
        "order.json" => ORDER.into_response(),
        "openapi.json" => OPENAPI.into_response(),
        "script.js" => "console.log('from afar')".into_response(),
        "page" => Html("\n<!DOCTYPE html><html>log in</html>").into_response(),
        "broken" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        "large" => "x".repeat(2 << 20).into_response(),
        "metadata" => (StatusCode::FOUND, [(header::LOCATION, "http://169.254.169.254/latest")]).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn documents() -> Router {
    Router::new().route("/text", get(|| async { "hi" })).route("/{*path}", get(document))
}

fn trusting(service: &Secured) -> Rig {
    let mut options = EgressOptions::allowing(vec!["127.0.0.1".parse().unwrap()]);
    options.trust(service.authority.path()).unwrap();
    Rig::with(options)
}

#[tokio::test]
async fn a_catalog_its_functions_and_their_schemas_come_over_tls_of_a_private_authority() {
    let service = serve_tls(documents()).await;
    let text = format!(
        "use: {{ catalogs: {{ shop: {{ endpoint: 'https://{}/catalog' }} }} }}\n\
         do: [{{ ask: {{ call: 'price:1.0.0@shop', with: {{ n: 4 }} }} }}]",
        service.address
    );
    let rig = trusting(&service);
    let workflow = rig.load(&text).await.unwrap();
    assert_eq!(rig.execute(&workflow, json!({})).await.output(), json!({"price": 8}));
    let untrusting = Rig::allowing(&["127.0.0.1"]).load(&text).await.unwrap_err();
    assert!(untrusting.contains("--ca-file"), "{untrusting}");
    let denied = Rig::allowing(&[]).load(&text).await.unwrap_err();
    assert!(denied.contains(&format!("--allow-net {}", service.address)), "{denied}");
}

#[tokio::test]
async fn an_openapi_document_and_the_service_that_it_describes_come_over_tls() {
    let service = serve_tls(documents()).await;
    let text = format!(
        "do: [{{ ask: {{ call: openapi, with: {{ document: {{ endpoint: 'https://{}/openapi.json' }}, operationId: text }} }} }}]",
        service.address
    );
    assert_eq!(trusting(&service).run(&text, json!({})).await.output(), json!("hi"));
}

#[tokio::test]
async fn a_script_comes_over_tls() {
    let service = serve_tls(documents()).await;
    let script = format!("https://{}/{{name}}", service.address);
    let text =
        format!("do: [{{ s: {{ run: {{ script: {{ language: js, source: {{ endpoint: '{script}' }} }} }} }} }}]");
    let output = trusting(&service).run(&text, json!({"name": "script.js"})).await.output();
    assert_eq!(output, json!("from afar"));
}

/// Answers with documents if the request is authenticated in one of the ways that need nothing else.
async fn guarded(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let given = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let is_known = match uri.path().split('/').nth(1).unwrap() {
        "basic" => given == "Basic YWRhOnBhNTU=",
        "bearer" => given == "Bearer t0ken",
        _ => {
            return match digest(method, uri.clone(), headers).await.status() {
                StatusCode::OK => document(Path(uri.path().into())).await,
                _ => (
                    StatusCode::UNAUTHORIZED,
                    [(
                        header::WWW_AUTHENTICATE,
                        "Digest realm=\"the realm\", nonce=\"n0nce\", algorithm=SHA-256, qop=\"auth\"",
                    )],
                )
                    .into_response(),
            };
        }
    };
    if is_known { document(Path(uri.path().into())).await } else { StatusCode::UNAUTHORIZED.into_response() }
}

#[tokio::test]
async fn each_scheme_authenticates_where_a_document_is() {
    let service = serve_tls(Router::new().fallback(guarded)).await;
    let at = service.address;
    let rig = trusting(&service).secrets(json!({"login": {"username": "ada", "password": "pa55"}, "token": "t0ken"}));
    for (path, policy) in [
        ("basic", "{ basic: { use: login } }"),
        ("digest", "{ digest: { username: ada, password: '${ $secrets.login.password }' } }"),
        ("bearer", "{ bearer: { token: '${ $secrets.token }' } }"),
        ("bearer", "{ use: mine }"),
    ] {
        let endpoint = format!("{{ uri: 'https://{at}/{path}/FILE', authentication: {policy} }}");
        let uses = "secrets: [ login, token ], authentications: { mine: { bearer: { use: token } } }";
        let schema = endpoint.replace("FILE", "order.json");
        let script = endpoint.replace("FILE", "script.js");
        let text = format!(
            "use: {{ {uses} }}\ninput: {{ schema: {{ resource: {{ endpoint: {schema} }} }} }}\n\
             do: [{{ s: {{ run: {{ script: {{ language: js, source: {{ endpoint: {script} }} }} }} }} }}]"
        );
        let workflow = rig.load(&text).await.unwrap_or_else(|refused| panic!("{path}: {refused}"));
        let ran = rig.execute(&workflow, json!({"n": 1})).await;
        assert!(!ran.told().contains("pa55") && !ran.told().contains("t0ken"));
        assert_eq!(ran.output(), json!("from afar"), "{path}");
        assert!(rig.execute(&workflow, json!({})).await.problem().is(ErrorKind::Validation), "the schema is that one");
        let wrong = text.replace("/order.json", "/other/order.json").replace(&format!("/{path}/other"), "/basic/other");
        if path != "basic" {
            let refused = rig.load(&wrong).await.unwrap_err();
            assert!(refused.contains("401") && !refused.contains("pa55") && !refused.contains("t0ken"), "{refused}");
        }
    }
}

#[tokio::test]
async fn a_token_is_obtained_for_a_document_and_for_its_script_once() {
    let authority = Authority::start().await;
    let at = authority.address;
    let state = authority.clone();
    let service = Router::new().fallback(get(move |uri: Uri, headers: HeaderMap| {
        let state = state.clone();
        async move {
            let given =
                headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
            match given.is_some_and(|token| state.knows(token)) {
                true => document(Path(uri.path().into())).await,
                false => StatusCode::UNAUTHORIZED.into_response(),
            }
        }
    }));
    let documents = serve(service).await;
    for (scheme, expected) in [("oauth2", 2), ("oidc", 4)] {
        let policy = format!(
            "{{ {scheme}: {{ authority: 'http://{at}/realms/test', grant: client_credentials, client: {{ id: runtime, secret: '${{ $secrets.key }}' }} }} }}"
        );
        let endpoint = |file: &str| format!("{{ uri: 'http://{documents}/{file}', authentication: {policy} }}");
        let text = format!(
            "use: {{ secrets: [ key ] }}\ninput: {{ schema: {{ resource: {{ endpoint: {} }} }} }}\n\
             output: {{ schema: {{ resource: {{ endpoint: {} }} }} }}\n\
             do: [{{ s: {{ run: {{ script: {{ language: js, source: {{ endpoint: {} }} }} }} }} }}, {{ t: {{ set: {{ n: 1 }} }} }}]",
            endpoint("order.json"),
            endpoint("b/order.json"),
            endpoint("script.js")
        );
        let rig = Rig::allowing(&["127.0.0.1"]).secrets(json!({"key": "s3cret"}));
        let workflow = rig.load(&text).await.unwrap();
        assert_eq!(rig.execute(&workflow, json!({"n": 1})).await.output(), json!({"n": 1}), "{scheme}");
        // One for the documents of the definition, one for its executions.
        assert_eq!(authority.books(|books| books.asked.len()), expected);
    }
}

#[tokio::test]
async fn what_is_no_document_is_told_as_what_it_is() {
    let address = serve(documents()).await;
    let rig = Rig::allowing(&["127.0.0.1", "*"]);
    for (path, part) in [
        ("missing", "status 404"),
        ("broken", "status 500"),
        ("page", "a web page (HTML)"),
        ("large", "larger than 1024 KiB"),
        ("metadata", "not public"),
        ("script.js", "no"),
    ] {
        let schema = format!(
            "input: {{ schema: {{ resource: {{ endpoint: 'http://{address}/{path}?key=s3cret' }} }} }}\ndo: [{{ a: {{ set: {{}} }} }}]"
        );
        let refused = rig.load(&schema).await.map(|_| ()).unwrap_err();
        assert!(refused.contains(part), "{path}: {refused}");
    }
    for (path, kind, status) in [
        ("missing", ErrorKind::Communication, 404),
        ("broken", ErrorKind::Communication, 500),
        ("page", ErrorKind::Communication, 500),
        ("metadata", ErrorKind::Authorization, 403),
    ] {
        let text = format!(
            "do: [{{ s: {{ run: {{ script: {{ language: js, source: {{ endpoint: 'http://{address}/{path}?key=s3cret' }} }} }} }} }}]"
        );
        let problem = rig.run(&text, json!({})).await.problem();
        assert_eq!((problem.is(kind), problem.status), (true, status), "{problem}");
        assert!(!problem.to_value().to_string().contains("s3cret"), "{problem}");
    }
}

#[tokio::test]
async fn a_document_without_end_and_one_that_never_comes_end_with_the_limits() {
    let stream = || async {
        let chunks = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 1 << 16]));
        axum::body::Body::from_stream(chunks).into_response()
    };
    let service = Router::new()
        .route("/endless", get(stream))
        .route("/never", get(|| async { std::future::pending::<StatusCode>().await }));
    let address = serve(service).await;
    let mut options = EgressOptions::allowing(vec!["127.0.0.1".parse().unwrap()]);
    options.limits = EgressLimits { total: Duration::from_millis(300), response: 1 << 20, ..EgressLimits::default() };
    let rig = Rig::with(options);
    let load = async |path: &str, policy: &str| {
        let endpoint = format!("{{ uri: 'http://{address}/{path}'{policy} }}");
        rig.load(&format!(
            "input: {{ schema: {{ resource: {{ endpoint: {endpoint} }} }} }}\ndo: [{{ a: {{ set: {{}} }} }}]"
        ))
        .await
        .map(|_| ())
        .unwrap_err()
    };
    for policy in ["", ", authentication: { bearer: { token: t } }"] {
        let endless = load("endless", policy).await;
        assert!(endless.contains("larger than") || endless.contains("did not answer within"), "{endless}");
        assert!(load("never", policy).await.contains("did not answer within"));
    }
}

#[tokio::test]
async fn credentials_for_a_document_do_not_follow_a_redirect_to_another_host() {
    let asked: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
    let books = Arc::clone(&asked);
    let second = serve(Router::new().fallback(get(move |headers: HeaderMap| {
        let given = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
        books.lock().unwrap().push(given);
        async { ORDER }
    })))
    .await;
    let to = format!("http://{second}/order.json");
    let first =
        serve(Router::new().fallback(get(move || async move { (StatusCode::FOUND, [(header::LOCATION, to)]) }))).await;
    let text = format!(
        "input: {{ schema: {{ resource: {{ endpoint: {{ uri: 'http://{first}/order.json', authentication: {{ basic: {{ username: a, password: b }} }} }} }} }} }}\n\
         do: [{{ a: {{ set: {{ ok: true }} }} }}]"
    );
    let rig = Rig::allowing(&["127.0.0.1"]);
    let workflow = rig.load(&text).await.unwrap();
    assert_eq!(rig.execute(&workflow, json!({"n": 1})).await.output(), json!({"ok": true}));
    assert_eq!(*asked.lock().unwrap(), [None::<String>]);
}
