//! `call: openapi`, with a service that publishes its own document.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post};
use hotcell_definition::ErrorKind;
use serde_json::{Value, json};

use crate::rig::{Rig, serve};

const YAML: &str = "
openapi: 3.1.0
info: { title: Pets, version: 1.0.0 }
servers: [{ url: /v1 }]
paths:
  /pets/{petId}:
    parameters: [{ $ref: '#/components/parameters/petId' }]
    get:
      operationId: getPet
      parameters:
        - { name: fields, in: query, schema: { type: array } }
        - { name: X-Trace, in: header, schema: { type: string } }
      responses:
        200: { description: the pet, content: { application/json: {} } }
  /pets:
    post:
      operationId: addPet
      requestBody: { required: true, content: { application/json: { schema: { type: object } } } }
      responses: { 201: { description: added } }
components:
  parameters:
    petId: { name: petId, in: path, required: true, schema: { type: string } }
";

fn swagger() -> Value {
    json!({
        "swagger": "2.0",
        "info": {"title": "Pets", "version": "1"},
        "basePath": "/v1",
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "paths": {
            "/pets/{petId}": {"get": {"operationId": "getPet", "parameters": [
                {"name": "petId", "in": "path", "required": true, "type": "string"},
                {"name": "fields", "in": "query", "type": "array", "collectionFormat": "multi"},
                {"name": "X-Trace", "in": "header", "type": "string"},
            ]}},
            "/pets": {"post": {"operationId": "addPet", "parameters": [{"name": "body", "in": "body", "required": true}]}},
        },
    })
}

async fn pet(Path(id): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap) -> axum::Json<Value> {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let authorization = header("authorization");
    axum::Json(json!({"id": id, "query": query, "trace": header("x-trace"), "authorization": authorization}))
}

async fn add(headers: HeaderMap, body: Bytes) -> (StatusCode, axum::Json<Value>) {
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
    (StatusCode::CREATED, axum::Json(serde_json::from_slice(&body).unwrap()))
}

async fn service() -> String {
    let secured = get(|headers: HeaderMap| async move {
        match headers.get(header::AUTHORIZATION).is_some_and(|value| value == "Bearer d0c") {
            true => (StatusCode::OK, YAML),
            false => (StatusCode::FORBIDDEN, ""),
        }
    });
    let service = Router::new()
        .route("/docs/openapi.yaml", get(|| async { ([(header::CONTENT_TYPE, "application/yaml")], YAML) }))
        .route("/docs/secured.yaml", secured)
        .route("/docs/swagger.json", get(|| async { axum::Json(swagger()) }))
        .route("/v1/pets/{id}", get(pet))
        .route("/v1/pets", post(add));
    format!("http://{}", serve(service).await)
}

fn document(with: &str) -> String {
    format!("do: [{{ ask: {{ call: openapi, with: {with} }} }}]")
}

#[tokio::test]
async fn an_operation_is_called_with_its_parameters_in_their_places() {
    let at = service().await;
    let rig = Rig::allowing(&["127.0.0.1"]);
    for path in ["/docs/openapi.yaml", "/docs/swagger.json"] {
        let with = format!(
            "{{ document: {{ endpoint: '{at}{path}' }}, operationId: getPet, parameters: {{ petId: '${{ .id }}', fields: [a, b], X-Trace: t }} }}"
        );
        let output = rig.run(&document(&with), json!({"id": "a b"})).await.output();
        assert_eq!(
            output,
            json!({"id": "a b", "query": "fields=a&fields=b", "trace": "t", "authorization": null}),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_body_is_sent_as_the_document_says() {
    let at = service().await;
    let rig = Rig::allowing(&["127.0.0.1"]);
    for (path, parameters) in [
        ("/docs/openapi.yaml", "{ body: { name: Rex } }"),
        ("/docs/openapi.yaml", "{ name: Rex }"),
        ("/docs/swagger.json", "{ body: { name: Rex } }"),
    ] {
        let with = format!(
            "{{ document: {{ endpoint: '{at}{path}' }}, operationId: addPet, parameters: {parameters}, output: response }}"
        );
        let output = rig.run(&document(&with), json!({})).await.output();
        assert_eq!((&output["statusCode"], &output["content"]), (&json!(201), &json!({"name": "Rex"})), "{path}");
    }
}

#[tokio::test]
async fn the_document_and_the_service_can_each_want_credentials() {
    let at = service().await;
    let rig = Rig::allowing(&["127.0.0.1"]);
    let with = format!(
        "{{ document: {{ endpoint: {{ uri: '{at}/docs/secured.yaml', authentication: {{ bearer: {{ token: d0c }} }} }} }}, \
         operationId: getPet, parameters: {{ petId: 1 }}, authentication: {{ bearer: {{ token: s3rvice }} }} }}"
    );
    assert_eq!(rig.run(&document(&with), json!({})).await.output()["authorization"], "Bearer s3rvice");
    let problem = rig.run(&document(&with.replace("d0c", "wrong")), json!({})).await.problem();
    assert_eq!((problem.status, problem.is(ErrorKind::Communication)), (403, true));
}

#[tokio::test]
async fn a_document_can_be_a_file_beside_the_definition_but_no_other_file() {
    let at = service().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("api")).unwrap();
    let text = YAML.replace("url: /v1", &format!("url: '{at}/v1'"));
    std::fs::write(folder.path().join("api/pets.yaml"), text).unwrap();
    let rig = Rig::allowing(&["127.0.0.1"]).folder(folder.path());
    let with = |path: &str| {
        document(&format!("{{ document: {{ endpoint: {path} }}, operationId: getPet, parameters: {{ petId: 1 }} }}"))
    };
    assert_eq!(rig.run(&with("api/pets.yaml"), json!({})).await.output()["id"], "1");
    for path in ["/etc/hostname", "../pets.yaml", "api/../../pets.yaml", "missing.yaml", "api", "file:///etc/hostname"]
    {
        let problem = rig.run(&with(path), json!({})).await.problem();
        assert!(problem.is(ErrorKind::Configuration), "{path}: {problem}");
    }
}

#[tokio::test]
async fn a_document_cannot_lead_where_nobody_may_go() {
    let folder = tempfile::tempdir().unwrap();
    for (name, server) in
        [("metadata", "http://169.254.169.254"), ("local", "http://[::1]:1"), ("other", "https://x.invalid")]
    {
        std::fs::write(folder.path().join(name), YAML.replace("/v1", &format!("'{server}'"))).unwrap();
        let rig = Rig::allowing(&["*", "127.0.0.1"]).folder(folder.path());
        let with = format!("{{ document: {{ endpoint: {name} }}, operationId: getPet, parameters: {{ petId: 1 }} }}");
        let problem = rig.run(&document(&with), json!({})).await.problem();
        let expected = if name == "other" { ErrorKind::Communication } else { ErrorKind::Authorization };
        assert!(problem.is(expected), "{name}: {problem}");
    }
}

#[tokio::test]
async fn what_is_no_usable_document_is_a_configuration_error() {
    let folder = tempfile::tempdir().unwrap();
    let bomb = format!("a: &a [{}]\nb: &b [{}]\nopenapi: 3.0.0\n", "x,".repeat(1000), "*a,".repeat(1000));
    for (name, text) in [("html", "<html>"), ("empty", ""), ("four", "openapi: 4.0.0"), ("bomb", bomb.as_str())] {
        std::fs::write(folder.path().join(name), text).unwrap();
        let rig = Rig::allowing(&[]).folder(folder.path());
        let with = format!("{{ document: {{ endpoint: {name} }}, operationId: getPet }}");
        let problem = rig.run(&document(&with), json!({})).await.problem();
        assert!(problem.is(ErrorKind::Configuration), "{name}: {problem}");
    }
}
