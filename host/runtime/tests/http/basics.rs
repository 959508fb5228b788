//! Requests, answers, redirects.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use hotcell_definition::ErrorKind;
use serde_json::{Value, json};

use crate::rig::{Rig, serve};

/// Tells what it was asked.
async fn echo(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> axum::Json<Value> {
    let headers: serde_json::Map<String, Value> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned().into()))
        .collect();
    axum::Json(json!({
        "method": method.as_str(),
        "uri": uri.to_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    }))
}

async fn status(uri: Uri) -> Response {
    let code = uri.path().rsplit('/').next().unwrap().parse().unwrap();
    (StatusCode::from_u16(code).unwrap(), "no").into_response()
}

fn service() -> Router {
    Router::new()
        .route("/echo", any(echo))
        .route("/pets/{id}", any(echo))
        .route("/status/{code}", get(status))
        .route("/text", get(|| async { "hello" }))
        .route("/empty", get(|| async { StatusCode::NO_CONTENT }))
        .route("/bytes", get(|| async { ([(header::CONTENT_TYPE, "image/png")], vec![0xff_u8, 0xd8]) }))
        .route("/not-json", get(|| async { ([(header::CONTENT_TYPE, "application/json")], "<html>") }))
        .route("/moved", any(|| async { (StatusCode::FOUND, [(header::LOCATION, "/echo?moved")]) }))
        .route("/kept", any(|| async { (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, "/echo?kept")]) }))
        .route("/circle", any(|| async { (StatusCode::FOUND, [(header::LOCATION, "/circle")]) }))
        .route("/nowhere", any(|| async { (StatusCode::FOUND, [(header::LOCATION, "http://[")]) }))
        .route("/not-modified", get(|| async { StatusCode::NOT_MODIFIED }))
}

async fn rig() -> (Rig, String) {
    let address = serve(service()).await;
    (Rig::allowing(&["127.0.0.1"]), format!("http://{address}"))
}

#[tokio::test]
async fn a_get_outputs_the_content_of_the_answer() {
    let (rig, at) = rig().await;
    let with =
        format!("{{ method: get, endpoint: '{at}/pets/{{petId}}?a=1', query: {{ b: '${{ .q }}', c: [1, 2] }} }}");
    let output = rig.call(&with, json!({"petId": "x/y", "q": "ü &"})).await.output();
    assert_eq!(output["method"], "GET");
    assert_eq!(output["uri"], "/pets/x%2Fy?a=1&b=%C3%BC+%26&c=1&c=2");
    assert_eq!(output["headers"]["accept"], "*/*");
}

#[tokio::test]
async fn a_post_sends_its_body_as_json_and_headers_as_they_are() {
    let (rig, at) = rig().await;
    let with = "{ method: POST, endpoint: { uri: '${ .at + \"/echo\" }' }, headers: { X-Order: '${ .n }' }, \
                body: { n: '${ .n }' } }";
    let output = rig.call(with, json!({"at": at, "n": 7})).await.output();
    assert_eq!(output["method"], "POST");
    assert_eq!(output["body"], r#"{"n":7}"#);
    assert_eq!(output["headers"]["content-type"], "application/json");
    assert_eq!(output["headers"]["content-length"], "7");
    assert_eq!(output["headers"]["x-order"], "7");
}

#[tokio::test]
async fn a_form_is_sent_as_a_form() {
    let (rig, at) = rig().await;
    let with = format!(
        "{{ method: post, endpoint: '{at}/echo', headers: {{ Content-Type: application/x-www-form-urlencoded }}, body: '${{ . }}' }}"
    );
    let output = rig.call(&with, json!({"a": "x y", "b": [1, 2]})).await.output();
    assert_eq!(output["body"], "a=x+y&b=1&b=2");
}

#[tokio::test]
async fn headers_and_query_can_be_expressions_as_a_whole() {
    let (rig, at) = rig().await;
    let with = format!("{{ method: get, endpoint: '{at}/echo', headers: '${{ .headers }}', query: '${{ .query }}' }}");
    let output = rig.call(&with, json!({"headers": {"X-A": "b"}, "query": {"c": "d"}})).await.output();
    assert_eq!((&output["headers"]["x-a"], &output["uri"]), (&json!("b"), &json!("/echo?c=d")));
    let problem = rig.call(&with, json!({"headers": "s3cret", "query": null})).await.problem();
    assert!(problem.is(ErrorKind::Expression));
    assert!(!problem.detail.unwrap().contains("s3cret"));
}

#[tokio::test]
async fn the_output_is_content_or_raw_or_the_whole_response() {
    let (rig, at) = rig().await;
    let output = async |path: &str, form: &str| {
        let with = format!("{{ method: get, endpoint: '{at}{path}', output: {form} }}");
        rig.call(&with, json!({})).await.output()
    };
    assert_eq!(output("/text", "content").await, json!("hello"));
    assert_eq!(output("/text", "raw").await, json!("aGVsbG8="));
    assert_eq!(output("/bytes", "content").await, json!("/9g="));
    assert_eq!(output("/empty", "content").await, json!(null));
    let response = output("/text", "response").await;
    assert_eq!(response["statusCode"], 200);
    assert_eq!(response["content"], "hello");
    assert_eq!(response["headers"]["content-type"], "text/plain; charset=utf-8");
    assert_eq!(response["request"]["method"], "get");
    assert_eq!(response["request"]["uri"], format!("{at}/text"));
}

#[tokio::test]
async fn a_status_that_is_no_success_is_a_communication_error_with_that_status() {
    let (rig, at) = rig().await;
    for status in [400, 404, 422, 500, 503] {
        let with = format!("{{ method: get, endpoint: '{at}/status/{status}?key=s3cret' }}");
        let problem = rig.call(&with, json!({})).await.problem();
        assert!(problem.is(ErrorKind::Communication));
        assert_eq!(problem.status, status);
        assert_eq!(problem.instance.as_deref(), Some("/do/0/ask"));
        assert!(!problem.to_value().to_string().contains("s3cret"));
    }
}

#[tokio::test]
async fn content_that_is_not_what_it_says_is_a_communication_error() {
    let (rig, at) = rig().await;
    let problem = rig.call(&format!("{{ method: get, endpoint: '{at}/not-json' }}"), json!({})).await.problem();
    assert!(problem.is(ErrorKind::Communication));
}

#[tokio::test]
async fn a_redirect_is_an_error_unless_it_is_to_be_followed() {
    let (rig, at) = rig().await;
    let call = async |method: &str, path: &str, redirect: bool| {
        let with = format!("{{ method: {method}, endpoint: '{at}{path}', redirect: {redirect}, body: {{ a: 1 }} }}");
        rig.call(&with, json!({})).await
    };
    let problem = call("get", "/moved", false).await.problem();
    assert_eq!(problem.status, 302);
    assert!(problem.detail.unwrap().contains("redirect: true"));

    let output = call("post", "/moved", true).await.output();
    assert_eq!(
        (&output["method"], &output["uri"], &output["body"]),
        (&json!("GET"), &json!("/echo?moved"), &json!(""))
    );
    let output = call("post", "/kept", true).await.output();
    assert_eq!((&output["method"], &output["body"]), (&json!("POST"), &json!(r#"{"a":1}"#)));

    assert_eq!(call("get", "/circle", true).await.problem().title.as_deref(), Some("Too many redirects"));
    let nowhere = call("get", "/nowhere", true).await.problem();
    assert_eq!((nowhere.status, nowhere.title.as_deref()), (302, Some("Redirect leads nowhere")));
    assert_eq!(call("get", "/not-modified", true).await.output(), json!(null));
    assert_eq!(call("get", "/not-modified", false).await.problem().status, 304);
}

#[tokio::test]
async fn a_retry_waits_at_least_as_long_as_the_service_asks() {
    let asked = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&asked);
    let busy = get(move || async move {
        match counter.fetch_add(1, Ordering::SeqCst) {
            0 => (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], "").into_response(),
            _ => "served".into_response(),
        }
    });
    let address = serve(Router::new().route("/", busy)).await;
    let rig = Rig::allowing(&["127.0.0.1"]);
    let document = format!(
        "do: [{{ patient: {{ try: [{{ ask: {{ call: http, with: {{ method: get, endpoint: 'http://{address}/' }} }} }}], \
         catch: {{ retry: {{ delay: {{ milliseconds: 1 }}, limit: {{ attempt: {{ count: 1 }} }} }} }} }} }}]"
    );
    let ran = rig.run(&document, json!({})).await;
    assert!(ran.told().contains(r#""retryAfter":1"#), "{}", ran.told());
    assert!(ran.told().contains(r#""delay":1000"#), "{}", ran.told());
    assert_eq!(ran.output(), json!("served"));
}

#[tokio::test]
async fn a_service_that_is_not_there_is_a_communication_error() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let rig = Rig::allowing(&["127.0.0.1"]);
    let problem = rig.call(&format!("{{ method: get, endpoint: 'http://{address}/' }}"), json!({})).await.problem();
    assert!(problem.is(ErrorKind::Communication));
    assert!(problem.detail.unwrap().contains("the connection was refused"));
}
