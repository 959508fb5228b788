//! What a definition refers to over HTTP. What gets it stands behind a trait; here it is a table.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use hotcell_definition::Definition;
use hotcell_machine::{HostShell, Program, Unsupported};
use hotcell_runtime::{Fetch, FetchRequest, Loader};
use serde_json::{Value, json};

/// The documents of the world, and who asked for them how.
#[derive(Debug, Default)]
struct World {
    documents: BTreeMap<&'static str, String>,
    asked: Mutex<Vec<String>>,
}

impl Fetch for World {
    fn get<'a>(&'a self, request: FetchRequest<'a>) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        let credentials = request.authentication.map(|policy| format!(" {policy}")).unwrap_or_default();
        self.asked.lock().unwrap().push(format!("{}{credentials}", request.url));
        let found = self.documents.get(request.url.as_str()).map(|text| text.clone().into_bytes());
        Box::pin(async move { found.ok_or_else(|| "404 Not Found".into()) })
    }
}

async fn link(documents: &[(&'static str, &str)], rest: &str) -> (Result<Program, Vec<Unsupported>>, Vec<String>) {
    let text = format!("document: {{ dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }}\n{rest}");
    let definition = Definition::parse(text.as_bytes()).expect("a valid document").definition;
    let documents = documents.iter().map(|(url, text)| (*url, (*text).to_owned())).collect();
    let world = Arc::new(World { documents, asked: Mutex::default() });
    let Value::Object(secrets) = json!({"token": "tok"}) else { unreachable!() };
    let loader = Loader::new(Path::new("nowhere")).with_fetch(Arc::clone(&world) as _).with_secrets(Arc::new(secrets));
    let linked = loader.link(Arc::new(definition), HostShell::Refused).await;
    let asked = world.asked.lock().unwrap().clone();
    (linked, asked)
}

#[tokio::test]
async fn a_catalog_over_https_has_the_documented_structure_and_its_functions_refer_from_where_they_are() {
    let documents = [
        (
            "https://example.com/catalog/functions/price/1.2.0/function.yaml",
            "{ input: { schema: { resource: { endpoint: schemas/input.json } } }, call: 'https://example.org/f/function.yaml' }",
        ),
        ("https://example.com/catalog/functions/price/1.2.0/schemas/input.json", "{\"type\": \"object\"}"),
        ("https://example.org/f/function.yaml", "set: { a: 1 }"),
    ];
    let rest = "use: { secrets: [ token ], catalogs: { shop: { endpoint: { uri: 'https://example.com/catalog', authentication: { \
                bearer: { token: '${ $secrets.token }' } } } } } }\n\
                do: [ { a: { call: 'price:1.2.0@shop' } }, { b: { call: 'price:1.2.0@shop' } } ]";
    let (linked, asked) = link(&documents, rest).await;
    linked.expect("everything is there");
    let mut asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    asked[1..].sort_unstable();
    assert_eq!(
        asked,
        [
            "https://example.com/catalog/functions/price/1.2.0/function.yaml {\"bearer\":{\"token\":\"tok\"}}",
            "https://example.com/catalog/functions/price/1.2.0/schemas/input.json",
            "https://example.org/f/function.yaml",
        ],
        "each once, and credentials only where they are for"
    );
}

#[tokio::test]
async fn a_catalog_in_a_repository_is_read_raw() {
    let url = "https://raw.githubusercontent.com/serverlessworkflow/catalog/refs/heads/main/functions/log/1.0.0/function.yaml";
    let rest = "use: { catalogs: { global: { endpoint: 'https://github.com/serverlessworkflow/catalog/tree/main' } } }\n\
                do: [ { a: { call: 'log:1.0.0@global', with: { message: hello } } } ]";
    let (linked, _) = link(&[(url, "set: { logged: '${ .message }' }")], rest).await;
    linked.expect("it is there");
}

#[tokio::test]
async fn everything_that_cannot_be_fetched_is_told_with_where_it_is_referred_to() {
    let rest = "input: { schema: { resource: { endpoint: 'https://example.com/s.json' } } }\n\
                do: [ { a: { call: 'https://example.com/gone' } }, { b: { set: {}, export: { schema: { resource: { endpoint: \
                'https://example.com/${ .x }' } } } } } ]";
    let refused = link(&[], rest).await.0.expect_err("nothing is there");
    let told: Vec<String> = refused.iter().map(|item| format!("{} {}", item.pointer, item.message)).collect();
    assert!(
        told.iter()
            .any(|line| line.starts_with("/do/0/a/call https://example.com/gone") && line.ends_with("404 Not Found")),
        "{told:?}"
    );
    assert!(
        told.iter().any(|line| line.starts_with("/input/schema/resource https://example.com/s.json: 404")),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_document_from_elsewhere_does_not_read_files_here() {
    let documents = [(
        "https://example.com/f.yaml",
        "{ input: { schema: { resource: { endpoint: 'file:///etc/hostname' } } }, set: {} }",
    )];
    let refused =
        link(&documents, "do: [ { a: { call: 'https://example.com/f.yaml' } } ]").await.0.expect_err("refused");
    assert!(refused[0].message.contains("nothing is loaded by file"), "{refused:?}");

    let documents = [("https://example.com/f.yaml", "call: 'file:///srv/function.yaml'")];
    let refused =
        link(&documents, "do: [ { a: { call: 'https://example.com/f.yaml' } } ]").await.0.expect_err("refused");
    assert!(refused[0].message.contains("cannot call files of this machine"), "{refused:?}");
}

#[tokio::test]
async fn a_schema_over_https_refers_to_others_from_where_it_is_and_credentials_go_to_its_own_host() {
    let documents = [
        (
            "https://example.com/s/order.json",
            r#"{"allOf": [{"$ref": "parts/item.json#/$defs/i"}, {"$ref": "https://example.org/o.json"}]}"#,
        ),
        ("https://example.com/s/parts/item.json", r#"{"$defs": {"i": {"$ref": "../order.json"}}}"#),
        ("https://example.org/o.json", "true"),
    ];
    let rest = "use: { secrets: [ token ] }\ninput: { schema: { resource: { endpoint: { uri: 'https://example.com/s/order.json', \
                authentication: { bearer: { token: '${ $secrets.token }' } } } } } }\ndo: [ { a: { set: { n: 1 } } } ]";
    let (linked, mut asked) = link(&documents, rest).await;
    linked.expect("everything is there");
    asked.sort_unstable();
    assert_eq!(
        asked,
        [
            "https://example.com/s/order.json {\"bearer\":{\"token\":\"tok\"}}",
            "https://example.com/s/parts/item.json {\"bearer\":{\"token\":\"tok\"}}",
            "https://example.org/o.json",
        ]
    );
}

#[tokio::test]
async fn a_schema_from_elsewhere_does_not_refer_to_files_here() {
    let documents = [("https://example.com/order.json", r#"{"$ref": "file:///etc/hostname"}"#)];
    let rest = "input: { schema: { resource: { endpoint: 'https://example.com/order.json' } } }\ndo: [ { a: { set: { n: 1 } } } ]";
    let refused = link(&documents, rest).await.0.expect_err("a file");
    assert!(refused[0].message.contains("files are not read for a document from the network"), "{refused:?}");
}
