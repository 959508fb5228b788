//! Executions that try to tell a secret, and everything that is told of them.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::any;
use hotcell_progress::{Definitions, Lifecycle};
use serde_json::json;

use crate::rig::{Ran, Rig, serve};

const SECRET: &str = "hunter2-and-more";

/// Everything that leaves an execution: its progress events (log lines and problems are among them), and the lifecycle events that
/// come of them.
fn told(ran: &Ran) -> String {
    let mut lifecycle = Lifecycle::new(Definitions::new());
    let events = ran.events.iter().flat_map(|event| lifecycle.apply(event));
    let events: String = events.map(|event| serde_json::to_string(&event).unwrap()).collect();
    format!("{}{events}{:?}", ran.told(), ran.outcome)
}

#[tokio::test]
async fn no_way_to_fail_tells_a_secret() {
    let service = Router::new()
        .route("/moved", any(|| async { (StatusCode::FOUND, [(header::LOCATION, "http://elsewhere.invalid/")]) }))
        .route("/broken", any(|| async { ([(header::CONTENT_TYPE, "application/json")], "<html>") }))
        .fallback(|| async { StatusCode::NOT_FOUND });
    let address = serve(service).await;
    let rig = Rig::allowing(&["127.0.0.1"])
        .secrets(json!({"key": SECRET, "login": {"password": SECRET, "username": SECRET}}));
    let at = format!("http://{address}");
    let calls = [
        // In every part of a request, and to every place.
        format!("method: get, endpoint: '{at}/${{ $secrets.key }}'"),
        format!("method: '${{ $secrets.key }}', endpoint: '{at}/'"),
        "method: get, endpoint: '${ $secrets.key }'".to_owned(),
        "method: get, endpoint: '${ \"http://\" + $secrets.key + \".invalid/\" }'".to_owned(),
        "method: get, endpoint: '${ \"http://user:\" + $secrets.key + \"@127.0.0.1/\" }'".to_owned(),
        format!("method: get, endpoint: '{at}/', query: {{ key: '${{ $secrets.key }}' }}"),
        format!("method: get, endpoint: '{at}/', query: '${{ $secrets.key }}'"),
        format!("method: get, endpoint: '{at}/', headers: {{ X-Key: '${{ $secrets.key }}' }}"),
        format!("method: get, endpoint: '{at}/', headers: {{ X-Key: '${{ $secrets.key + \"\\u0001\" }}' }}"),
        format!("method: get, endpoint: '{at}/', headers: '${{ {{($secrets.key + \" x\"): 1}} }}'"),
        format!("method: post, endpoint: '{at}/', body: '${{ $secrets.key }}'"),
        format!(
            "method: post, endpoint: '{at}/', headers: {{ Content-Type: '${{ $secrets.key }}' }}, body: {{ a: 1 }}"
        ),
        format!("method: get, endpoint: '{at}/moved', redirect: true, headers: {{ X-Key: '${{ $secrets.key }}' }}"),
        format!("method: get, endpoint: '{at}/broken?${{ $secrets.key }}'"),
        format!("method: get, endpoint: {{ uri: '{at}/', authentication: {{ bearer: {{ use: key }} }} }}"),
        format!("method: get, endpoint: {{ uri: '{at}/', authentication: {{ basic: {{ use: login }} }} }}"),
        format!("method: get, endpoint: {{ uri: '{at}/', authentication: {{ digest: {{ use: login }} }} }}"),
        format!(
            "method: get, endpoint: {{ uri: '{at}/', authentication: {{ oauth2: {{ authority: '{at}/${{ $secrets.key }}', \
             grant: client_credentials, client: {{ id: a, secret: '${{ $secrets.key }}' }} }} }} }}"
        ),
    ];
    for call in calls {
        let text = format!("use: {{ secrets: [ key, login ] }}\ndo: [{{ ask: {{ call: http, with: {{ {call} }} }} }}]");
        let told = told(&rig.run(&text, json!({})).await);
        assert!(told.contains("task_failed"), "{call}: {told}");
        assert!(!told.contains(SECRET) && !told.contains("hotcellsecret"), "{call}: {told}");
    }
    // Scripts write where they like; raised errors and switches say what they are given.
    for task in [
        "{ s: { run: { script: { language: js, code: 'console.log(process.env.K); throw new Error(process.env.K)', environment: { K: '${ $secrets.key }' } } } } }",
        "{ s: { run: { script: { language: js, code: 'console.error(arguments[0]); process.exit(3)', arguments: [ '${ $secrets.key }' ] } } } }",
        "{ r: { raise: { error: { type: 'https://example.com/e', status: 400, title: '${ $secrets.key }', detail: '${ \"it is \" + $secrets.key }' } } } }",
        "{ e: { set: { a: '${ $secrets.key | tonumber }' } } }",
        "{ e: { set: { a: '${ error($secrets.key) }' } } }",
    ] {
        let text = format!("use: {{ secrets: [ key ] }}\ndo: [ {task} ]");
        let told = told(&rig.run(&text, json!({})).await);
        assert!(told.contains("task_failed"), "{task}: {told}");
        assert!(!told.contains(SECRET), "{task}: {told}");
    }
}

#[tokio::test]
async fn a_secret_goes_to_the_host_of_the_endpoint_and_not_where_it_redirects_to() {
    type Asked = Arc<Mutex<Vec<(String, Option<String>)>>>;
    let asked: Asked = Arc::default();
    let keep = |asked: &Asked| {
        let asked = Arc::clone(asked);
        move |uri: Uri, headers: HeaderMap| {
            let key = headers.get("x-tenant-key").map(|value| value.to_str().unwrap().to_owned());
            asked.lock().unwrap().push((uri.to_string(), key));
        }
    };
    let second = {
        let keep = keep(&asked);
        serve(Router::new().fallback(any(async move |uri: Uri, headers: HeaderMap| keep(uri, headers)))).await
    };
    let first = {
        let keep = keep(&asked);
        serve(Router::new().fallback(any(async move |uri: Uri, headers: HeaderMap| {
            // Sends on what it was asked, as some services do.
            let to = format!("http://{second}{uri}");
            keep(uri, headers);
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to.replace(SECRET, "hidden"))]).into_response()
        })))
        .await
    };
    let rig = Rig::allowing(&["127.0.0.1"]).secrets(json!({"key": SECRET}));
    let text = format!(
        "use: {{ secrets: [ key ] }}\n\
         do: [{{ ask: {{ call: http, with: {{ method: get, endpoint: 'http://{first}/a', redirect: true, output: response, \
         query: {{ k: '${{ $secrets.key }}' }}, headers: {{ X-Tenant-Key: '${{ $secrets.key }}' }} }} }} }}]"
    );
    let ran = rig.run(&text, json!({})).await;
    assert!(!told(&ran).contains(SECRET) && !told(&ran).contains("hotcellsecret"));
    ran.output();
    let asked = asked.lock().unwrap();
    assert_eq!(asked[0], (format!("/a?k={SECRET}"), Some(SECRET.to_owned())));
    assert_eq!(asked[1], ("/a?k=hidden".to_owned(), None));
}
