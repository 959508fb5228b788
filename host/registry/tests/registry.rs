//! Pulling and pushing: against the reference implementation of a registry (Debian's package `docker-registry`), and against one
//! that misbehaves.

mod server;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hotcell_egress::{Egress, EgressOptions};
use hotcell_registry::{ComponentReference, ContentStore, Credentials, OciReference, Registry, RegistryError};
use hotcell_sandbox::Digest;
use server::Server;

fn egress(hosts: &[&str]) -> Egress {
    Egress::new(EgressOptions::allowing(hosts.iter().map(|host| host.parse().unwrap()).collect()))
}

fn registry(hosts: &[&str], store: Option<&Path>, credentials: Credentials) -> Registry {
    Registry::new(&egress(hosts), store.map(ContentStore::new), credentials)
}

fn oci(text: &str) -> OciReference {
    match text.parse().unwrap() {
        ComponentReference::Oci(reference) => reference,
        ComponentReference::Url(_) => panic!("{text}"),
    }
}

fn component() -> Vec<u8> {
    wat::parse_str(r#"(component (core module) (instance $i) (export "hotcell:task/handler@1.0.0" (instance $i)))"#)
        .unwrap()
}

#[tokio::test]
async fn what_is_pushed_can_be_pulled_by_tag_and_by_digest_and_is_then_kept() {
    let server = Server::start(false);
    let store = tempfile::tempdir().unwrap();
    let here = registry(&[&server.address], Some(store.path()), Credentials::none());
    let reference = oci(&format!("oci://{}/team/price:1.2.0", server.address));
    let pushed = here.push(&component(), &reference).await.unwrap();
    assert_eq!(pushed.component, Digest::of(&component()));

    let by_tag = here.fetch(&ComponentReference::Oci(reference.clone())).await.unwrap();
    assert_eq!(*by_tag.component, *component());
    assert_eq!(by_tag.pinned, pushed.pinned);
    // The same content again, under another name.
    here.push(&component(), &oci(&format!("oci://{}/team/price:latest", server.address))).await.unwrap();

    drop(server);
    let by_digest = here.fetch(&pushed.pinned).await.expect("what is pinned and kept needs no registry");
    assert_eq!(*by_digest.component, *component());
    let error = here.fetch(&ComponentReference::Oci(reference)).await.unwrap_err().to_string();
    assert!(error.contains("cannot be reached"), "{error}");
}

#[tokio::test]
async fn what_is_not_there_or_no_component_is_told() {
    let server = Server::start(false);
    let here = registry(&[&server.address], None, Credentials::none());
    let missing = format!("oci://{}/team/price:9.9.9", server.address);
    let error = here.fetch(&missing.parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error}");
    let error = here.push(b"#!/bin/sh", &oci(&missing)).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotWasm(_)), "{error}");
}

#[tokio::test]
async fn a_registry_that_is_not_allowed_is_not_asked() {
    let server = Server::start(false);
    let here = registry(&["registry.example.com"], None, Credentials::none());
    let error = here.fetch(&format!("oci://{}/price:1", server.address).parse().unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("--allow-net"), "{error}");
}

#[tokio::test]
async fn credentials_are_those_of_docker_login() {
    let server = Server::start(true);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.json");
    let reference = oci(&format!("oci://{}/price:1", server.address));

    let nobody = registry(&[&server.address], None, Credentials::file(config.clone()));
    let error = nobody.push(&component(), &reference).await.unwrap_err().to_string();
    assert!(error.contains("docker login"), "{error}");

    let write = |auth: &str| {
        std::fs::write(&config, format!(r#"{{"auths":{{"{}":{{"auth":"{auth}"}}}}}}"#, server.address)).unwrap();
    };
    write("YWRhOndyb25n");
    let error = nobody.push(&component(), &reference).await.unwrap_err().to_string();
    assert!(error.contains("refuses the credentials"), "{error}");

    write("YWRhOmxvdmVsYWNl");
    nobody.push(&component(), &reference).await.expect("ada may push");

    // A helper that cannot be run is told rather than taken for nobody.
    std::fs::write(&config, r#"{"credsStore":"nobody-has-this-helper"}"#).unwrap();
    let error = nobody.fetch(&ComponentReference::Oci(reference)).await.unwrap_err().to_string();
    assert!(error.contains("config.json"), "{error}");
}

/// What was asked for, and as whom.
type Asked = Arc<Mutex<Vec<(String, Option<String>)>>>;

/// A registry that gives what it is told to give, and what was asked of it.
#[derive(Clone, Default)]
struct Script {
    /// By path.
    answers: HashMap<String, (u16, Vec<u8>)>,
    /// What a request must have in its header `authorization`, if anything.
    token: Option<(String, String)>,
    asked: Asked,
}

async fn scripted(mut script: Script, with_realm: bool) -> (SocketAddr, Asked) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    if with_realm {
        script.token = Some(("abc123".into(), format!("http://{address}/token")));
    }
    let asked = Arc::clone(&script.asked);
    let app = Router::new().route("/token", axum::routing::get(token)).fallback(answer).with_state(script);
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (address, asked)
}

async fn token(
    State(script): State<Script>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    script.asked.lock().unwrap().push((format!("token for {}", query["scope"]), authorization));
    let token = &script.token.expect("only asked where there is one").0;
    axum::Json(serde_json::json!({ "token": token, "expires_in": 60 })).into_response()
}

async fn answer(State(script): State<Script>, uri: Uri, headers: HeaderMap) -> Response {
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    script.asked.lock().unwrap().push((uri.path().into(), authorization.clone()));
    if let Some((token, realm)) = &script.token
        && authorization != Some(format!("Bearer {token}"))
    {
        let challenge = format!(r#"Bearer realm="{realm}",service="test",scope="repository:price:pull""#);
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response();
    }
    match script.answers.get(uri.path()) {
        Some((status @ 307, location)) => {
            let location = String::from_utf8(location.clone()).unwrap();
            (StatusCode::from_u16(*status).unwrap(), [(header::LOCATION, location)]).into_response()
        }
        Some((status, body)) => (StatusCode::from_u16(*status).unwrap(), body.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn manifest(layer: &[u8], size: usize) -> Vec<u8> {
    let digest = Digest::of(layer);
    format!(r#"{{"schemaVersion":2,"layers":[{{"mediaType":"application/wasm","digest":"{digest}","size":{size}}}]}}"#)
        .into_bytes()
}

fn blob(bytes: &[u8]) -> String {
    format!("/v2/price/blobs/{}", Digest::of(bytes))
}

#[tokio::test]
async fn a_token_is_asked_for_where_the_registry_says_and_used_from_then_on() {
    let wasm = component();
    let answers = HashMap::from([
        ("/v2/price/manifests/1".to_owned(), (200, manifest(&wasm, wasm.len()))),
        (blob(&wasm), (200, wasm.clone())),
    ]);
    let (address, asked) = scripted(Script { answers, ..Script::default() }, true).await;
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.json");
    std::fs::write(&config, format!(r#"{{"auths":{{"{address}":{{"auth":"YWRhOmxvdmVsYWNl"}}}}}}"#)).unwrap();

    let here = registry(&["127.0.0.1"], None, Credentials::file(config));
    let fetched = here.fetch(&format!("oci://{address}/price:1").parse().unwrap()).await.unwrap();
    assert_eq!(*fetched.component, *wasm);
    let bearer = Some("Bearer abc123".to_owned());
    assert_eq!(
        *asked.lock().unwrap(),
        [
            ("/v2/price/manifests/1".into(), None),
            ("token for repository:price:pull".into(), Some("Basic YWRhOmxvdmVsYWNl".into())),
            ("/v2/price/manifests/1".into(), bearer.clone()),
            (blob(&wasm), bearer),
        ]
    );
}

#[tokio::test]
async fn storage_elsewhere_is_followed_and_told_nothing_of_who_asks() {
    let wasm = component();
    let (storage, told) = scripted(
        Script { answers: HashMap::from([("/there".into(), (200, wasm.clone()))]), ..Script::default() },
        false,
    )
    .await;
    let answers = HashMap::from([
        ("/v2/price/manifests/1".to_owned(), (200, manifest(&wasm, wasm.len()))),
        (blob(&wasm), (307, format!("http://{storage}/there").into_bytes())),
    ]);
    let (address, _) = scripted(Script { answers, ..Script::default() }, true).await;
    let here = registry(&["127.0.0.1"], None, Credentials::none());
    here.fetch(&format!("oci://{address}/price:1").parse().unwrap()).await.expect("it is fetched");
    assert_eq!(*told.lock().unwrap(), [("/there".to_owned(), None)]);

    let only_registry = registry(&[&address.to_string()], None, Credentials::none());
    let error = only_registry.fetch(&format!("oci://{address}/price:1").parse().unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("not allowed"), "each redirect is checked: {error}");
}

#[tokio::test]
async fn what_a_registry_gives_is_checked() {
    let wasm = component();
    let other = wat::parse_str("(component)").unwrap();
    let digest = Digest::of(b"pinned");
    let answers = HashMap::from([
        ("/v2/price/manifests/swapped".to_owned(), (200, manifest(&wasm, wasm.len()))),
        (blob(&wasm), (200, other)),
        (format!("/v2/price/manifests/{digest}"), (200, manifest(&wasm, wasm.len()))),
        ("/v2/price/manifests/huge".into(), (200, manifest(&wasm, 65 << 20))),
        ("/v2/price/manifests/text".into(), (200, b"hello".to_vec())),
        (
            "/v2/price/manifests/broken".into(),
            (500, br#"{"errors":[{"code":"UNKNOWN","message":"disk\u001b[31m full"}]}"#.to_vec()),
        ),
        ("/v2/price/manifests/round".into(), (307, b"/v2/price/manifests/round".to_vec())),
    ]);
    let (address, _) = scripted(Script { answers, ..Script::default() }, false).await;
    let store = tempfile::tempdir().unwrap();
    let here = registry(&["127.0.0.1"], Some(store.path()), Credentials::none());
    for (reference, part) in [
        ("price:swapped".to_owned(), "it was changed"),
        (format!("price:1@{digest}"), "it was changed"),
        ("price:huge".into(), "may have 64 MiB"),
        ("price:text".into(), "no manifest"),
        ("price:broken".into(), "status 500: UNKNOWN disk[31m full"),
        ("price:round".into(), "redirects more than 5 times"),
        ("price:gone".into(), "does not exist"),
    ] {
        let reference: ComponentReference = format!("oci://{address}/{reference}").parse().unwrap();
        let error = here.fetch(&reference).await.unwrap_err().to_string();
        assert!(error.contains(part), "{reference}: {error}");
    }
}

#[tokio::test]
async fn a_file_at_a_url_is_what_its_digest_says() {
    let wasm = component();
    let answers = HashMap::from([("/price.wasm".to_owned(), (200, wasm.clone()))]);
    let (address, asked) = scripted(Script { answers, ..Script::default() }, false).await;
    let store = tempfile::tempdir().unwrap();
    let here = registry(&["127.0.0.1"], Some(store.path()), Credentials::none());
    let right: ComponentReference = format!("http://{address}/price.wasm@{}", Digest::of(&wasm)).parse().unwrap();
    assert_eq!(*here.fetch(&right).await.unwrap().component, *wasm);
    here.fetch(&right).await.unwrap();
    assert_eq!(asked.lock().unwrap().len(), 1, "it is fetched once");
    let wrong: ComponentReference = format!("http://{address}/price.wasm@{}", Digest::of(b"x")).parse().unwrap();
    assert!(here.fetch(&wrong).await.unwrap_err().to_string().contains("it was changed"));
}
