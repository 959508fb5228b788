//! What is not allowed does not happen.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use hotcell_definition::ErrorKind;
use serde_json::json;

use crate::rig::{Rig, serve};

async fn problem(rig: &Rig, with: &str) -> hotcell_definition::Problem {
    rig.call(with, json!({})).await.problem()
}

#[tokio::test]
async fn without_a_grant_nothing_can_be_reached_and_the_problem_says_how_to_allow_it() {
    let address = serve(Router::new().route("/", get(|| async { "hi" }))).await;
    let rig = Rig::allowing(&[]);
    let problem = problem(&rig, &format!("{{ method: get, endpoint: 'http://{address}/' }}")).await;
    assert!(problem.is(ErrorKind::Authorization));
    assert_eq!(problem.status, 403);
    assert!(problem.detail.unwrap().contains(&format!("--allow-net {address}")));
}

#[tokio::test]
async fn no_spelling_of_this_machine_passes_a_pattern() {
    let address = serve(Router::new().route("/", get(|| async { "hi" }))).await;
    let port = address.port();
    let rig = Rig::allowing(&["*"]);
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "0x7f.1",
        "0x7F.0x0.0x0.0x1",
        "017700000001",
        "00000000177.0.0.1",
        "127.000.000.001",
        "2130706433.",
        "127。0。0。1",
        "①②⑦.⓪.⓪.①",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[0000:0000::0001]",
        "[::ffff:0:127.0.0.1]",
        "[::127.0.0.1]",
        "[2001:0:7f00:1::]",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "localhost",
        "LOCALHOST.",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
    ] {
        let problem = problem(&rig, &format!("{{ method: get, endpoint: 'http://{host}:{port}/' }}")).await;
        assert!(problem.is(ErrorKind::Authorization), "{host}: {problem}");
        assert!(problem.detail.unwrap().contains("not public"), "{host}");
    }
}

#[tokio::test]
async fn the_advice_names_the_port() {
    let rig = Rig::allowing(&["*"]);
    for authority in ["0.0.0.0:8080", "127.0.0.1:8080", "[::1]:8080"] {
        let problem = problem(&rig, &format!("{{ method: get, endpoint: 'http://{authority}/' }}")).await;
        assert!(problem.detail.unwrap().ends_with(&format!("--allow-net {authority}")));
    }
}

#[tokio::test]
async fn a_redirect_is_checked_like_the_first_request() {
    let redirect = |to: &'static str| get(move || async move { (StatusCode::FOUND, [(header::LOCATION, to)]) });
    let service = Router::new()
        .route("/metadata", redirect("http://169.254.169.254/latest/meta-data/"))
        .route("/file", redirect("file:///etc/passwd"))
        .route("/elsewhere", redirect("http://elsewhere.invalid/"));
    let address = serve(service).await;
    let rig = Rig::allowing(&["*", "127.0.0.1"]);
    let follow = |path: &str| format!("{{ method: get, endpoint: 'http://{address}{path}', redirect: true }}");
    let metadata = problem(&rig, &follow("/metadata")).await;
    assert!(metadata.is(ErrorKind::Authorization), "{metadata}");
    let file = problem(&rig, &follow("/file")).await;
    assert!(file.is(ErrorKind::Configuration), "{file}");

    let rig = Rig::allowing(&["127.0.0.1"]);
    let elsewhere = problem(&rig, &follow("/elsewhere")).await;
    assert!(elsewhere.is(ErrorKind::Authorization), "{elsewhere}");
    assert!(elsewhere.detail.unwrap().contains("--allow-net elsewhere.invalid"));
}

#[tokio::test]
async fn headers_of_the_connection_cannot_be_set() {
    let address = serve(Router::new()).await;
    let rig = Rig::allowing(&["127.0.0.1"]);
    for header in ["Host", "Transfer-Encoding", "Connection", "Upgrade", "Proxy-Authorization"] {
        let with = format!("{{ method: get, endpoint: 'http://{address}/', headers: {{ {header}: x }} }}");
        assert!(problem(&rig, &with).await.is(ErrorKind::Configuration), "{header}");
    }
    let with =
        format!("{{ method: post, endpoint: 'http://{address}/', body: four, headers: {{ Content-Length: 1 }} }}");
    let length = problem(&rig, &with).await;
    assert!(length.is(ErrorKind::Configuration) && length.detail.unwrap().contains("4 bytes"));
    let with = format!("{{ method: get, endpoint: 'http://{address}/', headers: {{ X: \"a\\r\\nHost: b\" }} }}");
    assert!(problem(&rig, &with).await.is(ErrorKind::Configuration));
}
