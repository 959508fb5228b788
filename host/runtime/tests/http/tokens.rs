//! OAuth 2 and OpenID Connect, with an authority that is one.

use hotcell_definition::ErrorKind;
use serde_json::json;

use crate::authority::Authority;
use crate::rig::{Ran, Rig};

fn document(authority: &Authority, scheme: &str, properties: &str) -> String {
    let at = authority.address;
    format!(
        "use: {{ secrets: [ login ] }}\n\
         do: [{{ ask: {{ call: http, with: {{ method: get, endpoint: {{ uri: 'http://{at}/protected', \
         authentication: {{ {scheme}: {{ authority: 'http://{at}/realms/test', {properties} }} }} }} }} }} }}]"
    )
}

async fn with(authority: &Authority, properties: &str) -> Ran {
    let rig = Rig::allowing(&["127.0.0.1"]);
    rig.run(&document(authority, "oauth2", properties), json!({"secret": "s3cret"})).await
}

const CLIENT: &str = "client: { id: runtime, secret: '${ .secret }' }";

#[tokio::test]
async fn a_client_gets_a_token_and_calls_with_it() {
    let authority = Authority::start().await;
    let properties = format!("grant: client_credentials, {CLIENT}, scopes: [ read, write ], audiences: [ api ]");
    assert_eq!(with(&authority, &properties).await.output(), json!("inside"));
    let asked = authority.books(|books| books.asked.remove(0));
    assert_eq!((asked["scope"].as_str(), asked["audience"].as_str()), ("read write", "api"));
    assert_eq!((asked["client_id"].as_str(), asked["json"].as_str()), ("runtime", "false"));
}

#[tokio::test]
async fn each_way_of_saying_which_client_asks_works() {
    let authority = Authority::start().await;
    for client in [
        "{ id: runtime, secret: s3cret, authentication: client_secret_basic }",
        "{ id: runtime, secret: s3cret, authentication: client_secret_post }",
        "{ id: runtime, secret: s3cret, authentication: client_secret_jwt }",
        "{ id: runtime, assertion: signed-before, authentication: private_key_jwt }",
        "{ id: public, authentication: none }",
    ] {
        let output = with(&authority, &format!("grant: client_credentials, client: {client}")).await.output();
        assert_eq!(output, json!("inside"), "{client}");
    }
    let secrets =
        authority.books(|books| books.asked.iter().filter(|asked| asked.contains_key("client_secret")).count());
    assert_eq!(secrets, 1, "only client_secret_post sends the secret in the form");
}

#[tokio::test]
async fn each_grant_works_that_needs_no_browser() {
    let authority = Authority::start().await;
    for grant in [
        "grant: password, username: ada, password: pa55",
        "grant: refresh_token, subject: { token: long-lived, type: refresh_token }",
        "grant: 'urn:ietf:params:oauth:grant-type:token-exchange', subject: { token: subject, type: 'urn:t' }, actor: { token: actor, type: 'urn:t' }",
    ] {
        for encoding in ["application/x-www-form-urlencoded", "application/json"] {
            let properties = format!("{grant}, {CLIENT}, request: {{ encoding: {encoding} }}");
            assert_eq!(with(&authority, &properties).await.output(), json!("inside"), "{properties}");
        }
    }
    let problem = with(&authority, &format!("grant: authorization_code, {CLIENT}")).await.problem();
    assert!(problem.is(ErrorKind::Configuration), "{problem}");
}

#[tokio::test]
async fn a_token_is_kept_for_the_next_execution_of_the_same_definition_only() {
    let authority = Authority::start().await;
    let rig = Rig::allowing(&["127.0.0.1"]);
    let text = document(&authority, "oauth2", &format!("grant: client_credentials, {CLIENT}"));
    let workflow = rig.workflow(&text);
    for _ in 0..3 {
        assert_eq!(rig.execute(&workflow, json!({"secret": "s3cret"})).await.output(), json!("inside"));
    }
    assert_eq!(authority.books(|books| books.asked.len()), 1);
    let other = rig.workflow(&text);
    assert_eq!(rig.execute(&other, json!({"secret": "s3cret"})).await.output(), json!("inside"));
    assert_eq!(authority.books(|books| books.asked.len()), 2);
    // Other credentials never get the token of those before.
    assert!(rig.execute(&workflow, json!({"secret": "guessed"})).await.problem().is(ErrorKind::Authentication));
}

#[tokio::test]
async fn a_token_that_is_over_is_replaced_and_refreshed_where_that_is_possible() {
    let authority = Authority::start().await;
    // Over as soon as it is given, as it has to last until the service has checked it.
    authority.books(|books| books.expires_in = json!(5));
    let rig = Rig::allowing(&["127.0.0.1"]);
    let workflow = rig.workflow(&document(&authority, "oauth2", &format!("grant: client_credentials, {CLIENT}")));
    let run = async || rig.execute(&workflow, json!({"secret": "s3cret"})).await.output();
    assert_eq!((run().await, run().await), (json!("inside"), json!("inside")));
    let grants = |authority: &Authority| {
        authority.books(|books| books.asked.iter().map(|asked| asked["grant_type"].clone()).collect::<Vec<_>>())
    };
    assert_eq!(grants(&authority), ["client_credentials", "client_credentials"]);
    authority.books(|books| books.gives_refresh_tokens = true);
    assert_eq!((run().await, run().await), (json!("inside"), json!("inside")));
    assert_eq!(grants(&authority)[2..], ["client_credentials", "refresh_token"]);
}

#[tokio::test]
async fn a_kept_token_that_the_service_refuses_is_replaced_once() {
    let authority = Authority::start().await;
    let rig = Rig::allowing(&["127.0.0.1"]);
    let workflow = rig.workflow(&document(&authority, "oauth2", &format!("grant: client_credentials, {CLIENT}")));
    let run = async || rig.execute(&workflow, json!({"secret": "s3cret"})).await;
    assert_eq!(run().await.output(), json!("inside"));
    authority.revoke();
    assert_eq!(run().await.output(), json!("inside"));
    assert_eq!(authority.books(|books| books.asked.len()), 2);
}

#[tokio::test]
async fn a_refusal_is_an_authentication_error_that_tells_no_secret() {
    let authority = Authority::start().await;
    let ran = with(&authority, "grant: client_credentials, client: { id: runtime, secret: wr0ng }").await;
    assert!(!ran.told().contains("s3cret is wrong"));
    let problem = ran.problem();
    assert!(problem.is(ErrorKind::Authentication));
    assert_eq!(problem.status, 401);
    assert!(problem.detail.unwrap().ends_with("invalid_client"));

    authority.books(|books| books.refuses = Some((503, json!({}))));
    let problem = with(&authority, &format!("grant: client_credentials, {CLIENT}")).await.problem();
    assert!(problem.is(ErrorKind::Communication));
    assert_eq!(problem.status, 503);

    authority.books(|books| books.refuses = Some((200, json!({"token_type": "Bearer"}))));
    let problem = with(&authority, &format!("grant: client_credentials, {CLIENT}")).await.problem();
    assert!(problem.is(ErrorKind::Authentication), "{problem}");
}

#[tokio::test]
async fn a_token_of_an_issuer_that_is_not_trusted_is_not_used() {
    let authority = Authority::start().await;
    let issued = |by: &str| format!("grant: client_credentials, {CLIENT}, issuers: [ '{by}' ]");
    assert_eq!(with(&authority, &issued("http://issuer.example")).await.output(), json!("inside"));
    let problem = with(&authority, &issued("http://other.example")).await.problem();
    assert!(problem.is(ErrorKind::Authentication), "{problem}");
}

#[tokio::test]
async fn openid_connect_finds_out_where_tokens_are() {
    let authority = Authority::start().await;
    let rig = Rig::allowing(&["127.0.0.1"]);
    let text = document(&authority, "oidc", &format!("grant: client_credentials, {CLIENT}"));
    for text in [text.clone(), text.replace("/realms/test'", "/realms/test/.well-known/openid-configuration'")] {
        assert_eq!(rig.run(&text, json!({"secret": "s3cret"})).await.output(), json!("inside"));
    }
}

#[tokio::test]
async fn all_properties_can_come_from_a_secret() {
    let authority = Authority::start().await;
    let at = authority.address;
    let secret = json!({
        "authority": format!("http://{at}/realms/test"),
        "grant": "client_credentials",
        "client": {"id": "runtime", "secret": "s3cret"},
    });
    let rig = Rig::allowing(&["127.0.0.1"]).secrets(json!({"login": secret}));
    let text = format!(
        "use: {{ secrets: [ login ], authentications: {{ mine: {{ oauth2: {{ use: login }} }} }} }}\n\
         do: [{{ ask: {{ call: http, with: {{ method: get, endpoint: {{ uri: 'http://{at}/protected', authentication: {{ use: mine }} }} }} }} }}]"
    );
    let ran = rig.run(&text, json!({})).await;
    assert!(!ran.told().contains("s3cret"));
    assert_eq!(ran.output(), json!("inside"));
    let broken = Rig::allowing(&["127.0.0.1"]).secrets(json!({"login": {"authority": "x", "grant": ["s3cret"]}}));
    let ran = broken.run(&text, json!({})).await;
    assert!(!ran.told().contains("s3cret"));
    assert!(ran.problem().is(ErrorKind::Configuration));
}

#[tokio::test]
async fn the_token_is_the_authorization_that_the_output_can_see() {
    let authority = Authority::start().await;
    let text = document(&authority, "oauth2", &format!("grant: client_credentials, {CLIENT}"));
    let text = text.replace("call: http,", "output: { as: '${ $authorization }' }, call: http,");
    let output = Rig::allowing(&["127.0.0.1"]).run(&text, json!({"secret": "s3cret"})).await.output();
    assert_eq!(output["scheme"], "Bearer");
    assert!(output["parameter"].as_str().is_some_and(|token| token.starts_with("e30.")), "{output}");
}

#[tokio::test]
async fn an_authority_that_is_not_allowed_is_not_asked() {
    let authority = Authority::start().await;
    let at = authority.address;
    let text = document(&authority, "oauth2", &format!("grant: client_credentials, {CLIENT}"))
        .replace(&format!("http://{at}/realms"), &format!("http://localhost:{}/realms", at.port()));
    let problem = Rig::allowing(&["127.0.0.1"]).run(&text, json!({"secret": "s3cret"})).await.problem();
    assert!(problem.is(ErrorKind::Authorization));
    assert!(problem.detail.unwrap().contains("--allow-net localhost"));
    assert_eq!(authority.books(|books| books.asked.len()), 0);
}

#[tokio::test]
async fn calls_at_the_same_time_ask_for_one_token() {
    let authority = Authority::start().await;
    let at = authority.address;
    let call = format!(
        "{{ call: http, with: {{ method: get, endpoint: {{ uri: 'http://{at}/protected', authentication: {{ oauth2: \
         {{ authority: 'http://{at}/realms/test', grant: client_credentials, {CLIENT} }} }} }} }} }}"
    );
    let branches: Vec<String> = (0..8).map(|n| format!("{{ b{n}: {call} }}")).collect();
    let text = format!("do: [{{ all: {{ fork: {{ branches: [ {} ] }} }} }}]", branches.join(", "));
    let rig = Rig::allowing(&["127.0.0.1"]);
    let workflow = rig.workflow(&text);
    let run = async || rig.execute(&workflow, json!({"secret": "s3cret"})).await.output();
    assert_eq!(run().await, json!(vec!["inside"; 8]));
    assert_eq!(authority.books(|books| books.asked.len()), 1);
    // All of them are refused at once; one gets a new token for all.
    authority.revoke();
    assert_eq!(run().await, json!(vec!["inside"; 8]));
    assert_eq!(authority.books(|books| books.asked.len()), 2);
    // So it is with a refresh token, and with what comes after that was refused.
    authority.books(|books| books.gives_refresh_tokens = true);
    for asked in [3, 4] {
        authority.revoke();
        assert_eq!(run().await, json!(vec!["inside"; 8]));
        assert_eq!(authority.books(|books| books.asked.len()), asked);
    }
    assert_eq!(authority.books(|books| books.asked[3]["grant_type"].clone()), "refresh_token");
    authority.books(|books| books.forget_refresh_tokens());
    authority.revoke();
    assert_eq!(run().await, json!(vec!["inside"; 8]));
    let grants =
        authority.books(|books| books.asked[4..].iter().map(|asked| asked["grant_type"].clone()).collect::<Vec<_>>());
    assert_eq!(grants, ["refresh_token", "client_credentials"]);
}

#[tokio::test]
async fn a_refusal_holds_nobody_up() {
    let authority = Authority::start().await;
    let at = authority.address;
    let call = format!(
        "{{ try: [{{ ask: {{ call: http, with: {{ method: get, endpoint: {{ uri: 'http://{at}/protected', authentication: {{ oauth2: \
         {{ authority: 'http://{at}/realms/test', grant: client_credentials, client: {{ id: runtime, secret: wr0ng }} }} }} }} }} }} }}], \
         catch: {{ as: error, do: [{{ told: {{ set: '${{ $error.status }}' }} }}] }} }}"
    );
    let branches: Vec<String> = (0..4).map(|n| format!("{{ b{n}: {call} }}")).collect();
    let text = format!("do: [{{ all: {{ fork: {{ branches: [ {} ] }} }} }}]", branches.join(", "));
    assert_eq!(Rig::allowing(&["127.0.0.1"]).run(&text, json!({})).await.output(), json!([401, 401, 401, 401]));
}

#[tokio::test]
async fn an_authority_that_is_elsewhere_is_told_and_not_followed() {
    let authority = Authority::start().await;
    let rig = Rig::allowing(&["127.0.0.1"]);
    for (scheme, member) in [("oauth2", "endpoints.token"), ("oidc", "authority")] {
        let text = document(&authority, scheme, &format!("grant: client_credentials, {CLIENT}"));
        let problem = rig.run(&text.replace("/realms/test'", "/moved'"), json!({"secret": "s3cret"})).await.problem();
        assert!(problem.is(ErrorKind::Communication), "{problem}");
        let detail = problem.detail.unwrap();
        assert!(detail.contains("/realms/test") && detail.contains(member) && !detail.contains("s3cret"), "{detail}");
    }
    assert!(authority.books(|books| books.asked.is_empty()));
}

#[tokio::test]
async fn what_is_no_discovery_document_is_told() {
    let authority = Authority::start().await;
    let rig = Rig::allowing(&["127.0.0.1"]);
    let text = document(&authority, "oidc", &format!("grant: client_credentials, {CLIENT}"));
    let run = async |text: &str| rig.run(text, json!({"secret": "s3cret"})).await;
    let html = run(&text.replace("/realms/test'", "/html'")).await.problem();
    assert!(html.is(ErrorKind::Authentication) && html.detail.unwrap().contains("token endpoint"));
    let missing = run(&text.replace("/realms/test'", "/nowhere'")).await.problem();
    assert_eq!((missing.status, missing.is(ErrorKind::Communication)), (404, true));
    let other = run(&text.replace("client: {", "issuers: [ 'https://other.example' ], client: {")).await.problem();
    assert!(other.is(ErrorKind::Authentication) && other.detail.unwrap().contains("issuers"));
    assert!(authority.books(|books| books.asked.is_empty()));
}
