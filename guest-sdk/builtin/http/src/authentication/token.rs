//! OAuth 2 (RFC 6749, 7523, 8693) and OpenID Connect: tokens, which are asked for once and kept while they last.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use hotcell::{Problem, Value, kind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use sha2::{Digest, Sha256};
use url::Url;

use super::{Properties, authorized};
use crate::answer::Authorization;
use crate::compose::add_defaults;
use crate::exchange::send_plainly;
use crate::faults::{invalid, place, refused};
use crate::outside::{Request, Response, forget_token, keep_token, kept_token, now, random};

/// How long before its end a token is no longer used, in milliseconds: it has to last until the service has checked it.
const MARGIN: u64 = 10_000;
/// How long a token that does not say it is used.
const DEFAULT_LIFETIME: u64 = 5 * 60_000;
/// How long a token is kept for the sake of the refresh token that came with it.
const REFRESH_LIFETIME: u64 = 24 * 60 * 60_000;
/// How long is believed what an authority says of itself.
const DISCOVERY_LIFETIME: u64 = 60 * 60_000;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// Where tokens come from.
pub(crate) struct Tokens {
    properties: Properties,
    /// Under what the token is kept: a digest of everything that decides which one it is.
    key: String,
}

/// A token, as it is kept.
#[derive(Serialize, Deserialize, PartialEq)]
struct Token {
    scheme: String,
    token: String,
}

/// A token that has just been given.
struct Given {
    token: Token,
    /// In milliseconds.
    lifetime: u64,
    refresh: Option<String>,
}

impl Tokens {
    pub(crate) fn new(properties: Properties) -> Result<Self, Problem> {
        let text = serde_json::to_string(&properties.members).map_err(|_| invalid("`authentication` is not JSON"))?;
        let digest = Sha256::digest(format!("{}\n{text}", properties.scheme));
        let key = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Tokens { properties, key })
    }

    /// Sends a request with a token. One that was kept and is refused is replaced by a new one, once.
    pub(crate) fn send(&self, request: &Request) -> Result<(Response, Option<Authorization>), Problem> {
        let Some(kept) = self.kept() else { return self.send_with(&self.obtain()?, request) };
        let (response, authorization) = self.send_with(&kept, request)?;
        if response.status != 401 {
            return Ok((response, authorization));
        }
        // Another call may have replaced it meanwhile.
        let token = match self.kept() {
            Some(other) if other != kept => other,
            _ => {
                forget_token(&self.key);
                self.kept().map_or_else(|| self.obtain(), Ok)?
            }
        };
        self.send_with(&token, request)
    }

    fn send_with(&self, token: &Token, request: &Request) -> Result<(Response, Option<Authorization>), Problem> {
        let authorization = Authorization { scheme: token.scheme.clone(), parameter: token.token.clone() };
        Ok((send_plainly(&authorized(request, &authorization))?, Some(authorization)))
    }

    /// A token that was kept and is still good. Without one, it is this call's turn to obtain it.
    fn kept(&self) -> Option<Token> {
        kept_token(&self.key).and_then(|text| serde_json::from_str(&text).ok())
    }

    /// A new token: by the refresh token that came with the last one, or as the definition says.
    fn obtain(&self) -> Result<Token, Problem> {
        let key = self.refresh_key();
        if let Some(refresh) = kept_token(&key) {
            let parameters = vec![("grant_type", "refresh_token".into()), ("refresh_token", refresh.clone())];
            if let Ok(mut given) = self.request(parameters) {
                // Those that do not send a new refresh token mean the old one to go on.
                given.refresh.get_or_insert(refresh);
                return Ok(self.keep(given));
            }
            // A refresh token ends, too; then everything starts anew.
            forget_token(&key);
        }
        let given = self.request(self.grant()?)?;
        Ok(self.keep(given))
    }

    fn refresh_key(&self) -> String {
        format!("refresh {}", self.key)
    }

    /// Keeps what was given, which ends the turn of this call.
    fn keep(&self, given: Given) -> Token {
        let Given { token, lifetime, refresh } = given;
        match refresh {
            Some(refresh) => keep_token(&self.refresh_key(), &refresh, REFRESH_LIFETIME),
            None => forget_token(&self.refresh_key()),
        }
        let text = serde_json::to_string(&token).unwrap_or_default();
        keep_token(&self.key, &text, lifetime.saturating_sub(MARGIN));
        token
    }

    /// What is asked for, and by what right.
    fn grant(&self) -> Result<Vec<(&'static str, String)>, Problem> {
        let properties = &self.properties;
        let mut parameters = match properties.text("grant")?.as_str() {
            "client_credentials" => vec![("grant_type", "client_credentials".into())],
            "password" => vec![
                ("grant_type", "password".into()),
                ("username", properties.text("username")?),
                ("password", properties.text("password")?),
            ],
            "refresh_token" => vec![
                ("grant_type", "refresh_token".into()),
                ("refresh_token", properties.within("subject")?.text("token")?),
            ],
            TOKEN_EXCHANGE => {
                let subject = properties.within("subject")?;
                let mut parameters = vec![
                    ("grant_type", TOKEN_EXCHANGE.into()),
                    ("subject_token", subject.text("token")?),
                    ("subject_token_type", subject.text("type")?),
                ];
                if properties.members.contains_key("actor") {
                    let actor = properties.within("actor")?;
                    parameters.push(("actor_token", actor.text("token")?));
                    parameters.push(("actor_token_type", actor.text("type")?));
                }
                parameters
            }
            "authorization_code" => {
                return Err(invalid(
                    "the grant `authorization_code` needs a person at a browser; use client_credentials, password, \
                     refresh_token or token exchange",
                ));
            }
            _ => {
                return Err(invalid(format!("`authentication.{}.grant` is not a grant of OAuth 2", properties.scheme)));
            }
        };
        let scopes = properties.texts("scopes")?;
        if !scopes.is_empty() {
            parameters.push(("scope", scopes.join(" ")));
        }
        parameters.extend(properties.texts("audiences")?.into_iter().map(|audience| ("audience", audience)));
        Ok(parameters)
    }

    /// Asks the authority for a token.
    fn request(&self, mut parameters: Vec<(&'static str, String)>) -> Result<Given, Problem> {
        let uri = self.token_endpoint()?;
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        self.identify(&uri, &mut parameters, &mut headers)?;
        let encoding = self.properties.within("request")?.optional_text("encoding")?;
        let (content_type, body) = match encoding.as_deref() {
            Some("application/json") => ("application/json", as_json(parameters)),
            _ => (
                "application/x-www-form-urlencoded",
                url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish(),
            ),
        };
        headers.push(("content-type".into(), content_type.into()));
        let mut request = Request { method: "POST".into(), uri, headers, body: Some(body.into_bytes()) };
        add_defaults(&mut request);
        let response = send_plainly(&request)?;
        self.read(&request, &response)
    }

    /// Says which client asks ("client.authentication").
    fn identify(
        &self,
        uri: &Url,
        parameters: &mut Vec<(&'static str, String)>,
        headers: &mut Vec<(String, String)>,
    ) -> Result<(), Problem> {
        let client = self.properties.within("client")?;
        let method = client.optional_text("authentication")?.unwrap_or_else(|| "client_secret_post".into());
        let mut id = || -> Result<String, Problem> {
            let id = client.text("id")?;
            parameters.push(("client_id", id.clone()));
            Ok(id)
        };
        match method.as_str() {
            "client_secret_basic" => {
                // RFC 6749, section 2.3.1: as in a form, before it becomes base64.
                let encode = |text: String| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let pair = format!("{}:{}", encode(client.text("id")?), encode(client.text("secret")?));
                headers.push(("authorization".into(), format!("Basic {}", BASE64_STANDARD.encode(pair))));
            }
            "client_secret_post" => {
                id()?;
                if let Some(secret) = client.optional_text("secret")? {
                    parameters.push(("client_secret", secret));
                }
            }
            "client_secret_jwt" => {
                let assertion = assertion(&id()?, &client.text("secret")?, uri)?;
                parameters.push(("client_assertion_type", JWT_BEARER.into()));
                parameters.push(("client_assertion", assertion));
            }
            "private_key_jwt" => {
                if let Some(id) = client.optional_text("id")? {
                    parameters.push(("client_id", id));
                }
                parameters.push(("client_assertion_type", JWT_BEARER.into()));
                parameters.push(("client_assertion", client.text("assertion")?));
            }
            "none" => {
                if let Some(id) = client.optional_text("id")? {
                    parameters.push(("client_id", id));
                }
            }
            _ => {
                return Err(invalid(
                    "`client.authentication` is none of client_secret_basic, client_secret_post, client_secret_jwt, \
                     private_key_jwt and none",
                ));
            }
        }
        Ok(())
    }

    /// Where tokens are asked for: beneath the authority, or where it says.
    fn token_endpoint(&self) -> Result<Url, Problem> {
        let authority = authority(&self.properties)?;
        let is_discovered = self.properties.scheme == "oidc" || authority.path().contains("/.well-known/");
        if is_discovered {
            return self.discover(authority);
        }
        let path = self.properties.within("endpoints")?.optional_text("token")?;
        let path = path.unwrap_or_else(|| "/oauth2/token".into());
        if let Ok(absolute) = Url::parse(&path) {
            return Ok(absolute);
        }
        let mut uri = authority;
        // Some providers tell their tenants or policies apart by a query.
        let (path, query) = path.split_once('?').map_or((&*path, None), |(path, query)| (path, Some(query)));
        let joined = format!("{}/{}", uri.path().trim_end_matches('/'), path.trim_start_matches('/'));
        uri.set_path(&joined);
        uri.set_query(query);
        Ok(uri)
    }

    /// OpenID Connect Discovery 1.0.
    fn discover(&self, authority: Url) -> Result<Url, Problem> {
        let mut uri = authority;
        if !uri.path().contains("/.well-known/") {
            let path = format!("{}/.well-known/openid-configuration", uri.path().trim_end_matches('/'));
            uri.set_path(&path);
        }
        let key = format!("discovery {uri}");
        let text = match kept_token(&key) {
            Some(text) => text,
            None => {
                let headers = vec![("accept".into(), "application/json".into())];
                let mut request = Request { method: "GET".into(), uri: uri.clone(), headers, body: None };
                add_defaults(&mut request);
                let response = send_plainly(&request)?;
                if response.status != 200 {
                    return Err(self.failed(&request, &response));
                }
                String::from_utf8(response.body).unwrap_or_default()
            }
        };
        let configuration: Value = serde_json::from_str(&text).unwrap_or_default();
        let endpoint = configuration["token_endpoint"].as_str().and_then(|endpoint| Url::parse(endpoint).ok());
        let Some(endpoint) = endpoint else {
            return Err(unauthenticated("the authority does not tell its token endpoint where OpenID Connect has it"));
        };
        let issuers = self.properties.texts("issuers")?;
        if !issuers.is_empty() && !issuers.iter().any(|issuer| configuration["issuer"] == issuer.as_str()) {
            return Err(unauthenticated("the authority is none of the `issuers` that the definition trusts"));
        }
        keep_token(&key, &text, DISCOVERY_LIFETIME);
        Ok(endpoint)
    }

    fn read(&self, request: &Request, response: &Response) -> Result<Given, Problem> {
        let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        match response.status {
            200..=299 => {}
            // What comes with an error code of OAuth is about who asks; the code is one of a few words.
            400 | 401 | 403 => {
                let code = answer["error"].as_str().filter(|code| is_error_code(code)).unwrap_or("no reason given");
                return Err(unauthenticated(&format!("the authority refused to give a token: {code}")));
            }
            _ => return Err(self.failed(request, response)),
        }
        let Some(token) = answer["access_token"].as_str().filter(|token| !token.is_empty()) else {
            return Err(unauthenticated("the authority's answer holds no `access_token`"));
        };
        self.check_issuer(token)?;
        let scheme = match answer["token_type"].as_str() {
            None => "Bearer",
            Some(scheme) if scheme.eq_ignore_ascii_case("bearer") => "Bearer",
            // Of token exchange: the token is no access token at all, but services take it as one.
            Some(scheme) if scheme.eq_ignore_ascii_case("n_a") => "Bearer",
            Some(_) => return Err(unauthenticated("the authority gives tokens of a type that is not `Bearer`")),
        };
        let lifetime = match &answer["expires_in"] {
            Value::Number(seconds) => seconds.as_u64().map(|seconds| seconds.saturating_mul(1_000)),
            // Some services write it as a text.
            Value::String(seconds) => seconds.parse().ok().map(|seconds: u64| seconds.saturating_mul(1_000)),
            _ => None,
        };
        let lifetime = lifetime.unwrap_or(DEFAULT_LIFETIME);
        let refresh = answer["refresh_token"].as_str().map(Into::into);
        Ok(Given { token: Token { scheme: scheme.into(), token: token.into() }, lifetime, refresh })
    }

    /// The authority failed, or is elsewhere. It is not followed there: what authenticates the client is for whom the definition
    /// names.
    fn failed(&self, request: &Request, response: &Response) -> Problem {
        let problem = refused(&request.method, &request.uri, response, now());
        if !(300..=399).contains(&response.status) {
            return problem;
        }
        let target = response.header("location").and_then(|location| request.uri.join(location).ok());
        let target = target.as_ref().map_or_else(|| "elsewhere".into(), |target| format!("to {}", place(target)));
        let scheme = &self.properties.scheme;
        let member =
            if scheme == "oidc" { "authority".into() } else { "authority` or its `endpoints.token".to_owned() };
        let detail = format!(
            "the authority at {} redirects {target} (status {}), and credentials are not sent after a redirect; write that \
             address as `authentication.{scheme}.{member}`",
            place(&request.uri),
            response.status,
        );
        Problem::new(detail).kind(kind::COMMUNICATION).status(response.status).title("Authority is elsewhere")
    }

    /// "issuers": who may have issued the token. A token that does not tell is not one of theirs.
    fn check_issuer(&self, token: &str) -> Result<(), Problem> {
        let issuers = self.properties.texts("issuers")?;
        if issuers.is_empty() {
            return Ok(());
        }
        let claims = token.split('.').nth(1).and_then(|payload| BASE64_URL_SAFE_NO_PAD.decode(payload).ok());
        let claims: Value = claims.and_then(|claims| serde_json::from_slice(&claims).ok()).unwrap_or_default();
        match claims["iss"].as_str() {
            Some(issuer) if issuers.iter().any(|trusted| trusted == issuer) => Ok(()),
            _ => Err(unauthenticated("the token was issued by none of the `issuers` that the definition trusts")),
        }
    }
}

fn authority(properties: &Properties) -> Result<Url, Problem> {
    let text = properties.text("authority")?;
    let uri = Url::parse(&text).ok().filter(|uri| matches!(uri.scheme(), "http" | "https"));
    let mut uri =
        uri.ok_or_else(|| invalid(format!("`authentication.{}.authority` is not an absolute URI", properties.scheme)))?;
    uri.set_query(None);
    uri.set_fragment(None);
    Ok(uri)
}

/// A JWT that the client signs with its secret (RFC 7523, OpenID Connect Core section 9).
fn assertion(id: &str, secret: &str, uri: &Url) -> Result<String, Problem> {
    let issued = now() / 1_000;
    let encode = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let head = encode(json!({"alg": "HS256", "typ": "JWT"}));
    let claims = encode(json!({
        "iss": id,
        "sub": id,
        "aud": uri.as_str(),
        "jti": format!("{:016x}{:016x}", random(), random()),
        "iat": issued,
        "exp": issued + 60,
    }));
    let signed = format!("{head}.{claims}");
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| invalid("`client.secret` is no key"))?;
    mac.update(signed.as_bytes());
    Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
}

/// Parameters as an object; several of one name become an array.
fn as_json(parameters: Vec<(&'static str, String)>) -> String {
    let mut members: Map<String, Value> = Map::new();
    for (name, value) in parameters {
        match members.get_mut(name) {
            Some(Value::Array(values)) => values.push(value.into()),
            Some(first) => *first = json!([first.take(), value]),
            None => drop(members.insert(name.into(), value.into())),
        }
    }
    Value::Object(members).to_string()
}

/// The error codes of RFC 6749, section 5.2, and of its extensions: nothing that an authority could hide a secret in.
fn is_error_code(code: &str) -> bool {
    code.len() <= 40 && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn unauthenticated(detail: &str) -> Problem {
    Problem::new(detail).kind(kind::AUTHENTICATION).status(401).title("Not authenticated")
}
