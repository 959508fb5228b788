//! "Authentication"

use super::resource::uri;
use crate::problems::quote;
use crate::reader::{Component, Node, Object};
use crate::{
    Authentication, ClientAuthentication, Credentials, Grant, OAuth2, OAuth2Client, OAuth2Token, Reusable, Template,
    UserPassword,
};

const SCHEMES: [&str; 5] = ["basic", "bearer", "digest", "oauth2", "oidc"];

/// A policy, or `use: name`. The name alone, as the reference's prose has it in places, is read too.
pub(super) fn policy_or_name(node: Node<'_>) -> Option<Reusable<Authentication>> {
    if let Some(name) = node.as_str() {
        node.nonstandard("The name of a policy stands here alone", &format!("`use: {}` beneath it", quote(name)));
        return node.name_of(Component::Authentication).map(Reusable::Named);
    }
    if node.get("use").is_none() {
        return policy(node).map(Reusable::Inline);
    }
    let reference = node.object(&["use"])?;
    reference.required("use", |node| node.name_of(Component::Authentication)).map(Reusable::Named)
}

/// One authentication scheme.
pub(super) fn policy(node: Node<'_>) -> Option<Authentication> {
    let policy = node.object(&SCHEMES)?;
    match policy.exactly_one(&SCHEMES)? {
        ("basic", node) => credentials(node, user_password).map(Authentication::Basic),
        ("bearer", node) => bearer(node).map(Authentication::Bearer),
        ("digest", node) => credentials(node, user_password).map(Authentication::Digest),
        ("oauth2", node) => credentials(node, |node| oauth2(node, true)).map(Authentication::OAuth2),
        (_, node) => credentials(node, |node| oauth2(node, false)).map(Authentication::Oidc),
    }
}

/// Properties in place, or `use: name` of a secret that holds them.
fn credentials<T>(node: Node<'_>, inline: impl Fn(Node<'_>) -> Option<T>) -> Option<Credentials<T>> {
    if node.get("use").is_none() {
        return inline(node).map(Credentials::Inline);
    }
    let secret = node.object(&["use"])?;
    secret.required("use", |node| node.name_of(Component::Secret)).map(Credentials::Secret)
}

/// "Basic Authentication", "Digest Authentication"
fn user_password(node: Node<'_>) -> Option<UserPassword> {
    let user = node.object(&["username", "password"])?;
    let username = user.required("username", Node::text_template);
    let password = user.required("password", Node::password);
    Some(UserPassword { username: username?, password: password? })
}

/// "Bearer Authentication"
fn bearer(node: Node<'_>) -> Option<Credentials<Template>> {
    if node.as_str().is_some() {
        node.nonstandard("The token stands here alone", "`token:` beneath `bearer:`");
        return node.template().map(Credentials::Inline);
    }
    credentials(node, |node| node.object(&["token"])?.required("token", Node::text_template))
}

/// "OAUTH2 Authentication", "OpenIdConnect Authentication"
fn oauth2(node: Node<'_>, with_endpoints: bool) -> Option<Box<OAuth2>> {
    let fields = [
        "authority",
        "grant",
        "client",
        "request",
        "issuers",
        "scopes",
        "audiences",
        "username",
        "password",
        "subject",
        "actor",
    ];
    // The endpoints of OpenID Connect are discovered.
    let endpoints: &[&str] = if with_endpoints { &["endpoints"] } else { &[] };
    let oauth2 = node.object_of(&[&fields, endpoints])?;
    let authority = oauth2.required("authority", uri);
    let grant = oauth2.required("grant", grant);
    let client = match oauth2.get("client") {
        Some(node) => client(node),
        None => oauth2.missing("client", "Add `client:` with the `id`, or with `authentication: none`."),
    };
    let json_encoding = oauth2.optional("request", request);
    let endpoints = oauth2.optional("endpoints", |node| node.open_object(&["token", "revocation", "introspection"]));
    let endpoint = |field: &str, default: &str| {
        let written = endpoints.and_then(|endpoints: Object<'_>| endpoints.optional(field, uri));
        written.unwrap_or_else(|| Template(std::sync::Arc::new(default.into())))
    };
    let texts = |field: &str| oauth2.optional(field, |node| node.list(Node::text_template)).unwrap_or_default();
    Some(Box::new(OAuth2 {
        token_endpoint: endpoint("token", "/oauth2/token"),
        revocation_endpoint: endpoint("revocation", "/oauth2/revoke"),
        introspection_endpoint: endpoint("introspection", "/oauth2/introspect"),
        issuers: texts("issuers"),
        scopes: texts("scopes"),
        audiences: texts("audiences"),
        username: oauth2.optional("username", Node::text_template),
        password: oauth2.optional("password", Node::password),
        subject: oauth2.optional("subject", token),
        actor: oauth2.optional("actor", token),
        client: client?,
        json_encoding: json_encoding.unwrap_or(false),
        authority: authority?,
        grant: grant?,
    }))
}

fn grant(node: Node<'_>) -> Option<Grant> {
    let grants = [
        ("authorization_code", Grant::AuthorizationCode),
        ("client_credentials", Grant::ClientCredentials),
        ("password", Grant::Password),
        ("refresh_token", Grant::RefreshToken),
        ("urn:ietf:params:oauth:grant-type:token-exchange", Grant::TokenExchange),
    ];
    hyphenated(node, &grants)
}

/// "client"
fn client(node: Node<'_>) -> Option<OAuth2Client> {
    let client = node.object(&["id", "secret", "assertion", "authentication"])?;
    let methods = [
        ("client_secret_basic", ClientAuthentication::SecretBasic),
        ("client_secret_post", ClientAuthentication::SecretPost),
        ("client_secret_jwt", ClientAuthentication::SecretJwt),
        ("private_key_jwt", ClientAuthentication::PrivateKeyJwt),
        ("none", ClientAuthentication::None),
    ];
    let authentication = client.optional("authentication", |node| hyphenated(node, &methods)).unwrap_or_default();
    if authentication == ClientAuthentication::PrivateKeyJwt && !client.has("assertion") {
        client.missing::<()>("assertion", "Add the signed assertion that `private_key_jwt` needs.");
    }
    if authentication != ClientAuthentication::None && !client.has("id") {
        // "Required if the `client.authentication` method has not been set to `none`", whatever the grant.
        client.missing::<()>("id", "Add the `id` of the client, or write `authentication: none`.");
    }
    Some(OAuth2Client {
        id: client.optional("id", Node::text_template),
        secret: client.optional("secret", Node::text_template),
        assertion: client.optional("assertion", Node::text_template),
        authentication,
    })
}

/// A word that older texts of the specification write with `-` where the schema has `_`.
fn hyphenated<T: Copy>(node: Node<'_>, choices: &[(&'static str, T)]) -> Option<T> {
    let word = node.string()?;
    let standard =
        choices.iter().find(|(name, _)| word.contains('-') && *name != word && *name == word.replace('-', "_"));
    if let Some((name, value)) = standard {
        node.nonstandard(&format!("`{word}` is written with a hyphen"), &format!("`{name}`"));
        return Some(*value);
    }
    node.choice(choices)
}

/// "request": whether it is JSON.
fn request(node: Node<'_>) -> Option<bool> {
    let encodings = [("application/x-www-form-urlencoded", false), ("application/json", true)];
    let request = node.open_object(&["encoding"])?;
    request.optional("encoding", |node| node.choice(&encodings))
}

/// "OAUTH2 Token"
fn token(node: Node<'_>) -> Option<OAuth2Token> {
    let token = node.object(&["token", "type"])?;
    let text = token.required("token", Node::text_template);
    let kind = token.required("type", Node::text_template);
    Some(OAuth2Token { token: text?, kind: kind? })
}
