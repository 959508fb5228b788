//! Requests to one registry, with what it wants to know of whoever asks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hotcell_egress::{Egress, Grant, Request, Response};
use serde::Deserialize;
use url::Url;

use crate::challenge::Challenge;
use crate::credentials::{Credentials, Identity, is_docker_hub};
use crate::{OciReference, RegistryError};

/// How many redirects of a blob are followed: to where a registry has its storage.
const MAX_REDIRECTS: usize = 5;

/// Requests to one repository of a registry.
pub(crate) struct Session<'a> {
    egress: &'a Egress,
    credentials: &'a Credentials,
    reference: &'a OciReference,
    /// The address of the registry.
    base: Url,
    /// What the registry took last: the value of the header `authorization`.
    authorization: Option<String>,
}

/// A request to a registry.
pub(crate) struct Ask<'a> {
    pub(crate) method: &'static str,
    /// From `/v2/REPOSITORY/`, or a whole URL, as registries name where to go on.
    pub(crate) to: &'a str,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
}

impl<'a> Ask<'a> {
    pub(crate) fn get(to: &'a str) -> Self {
        Ask { method: "GET", to, headers: Vec::new(), body: None }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

impl<'a> Session<'a> {
    pub(crate) fn new(
        egress: &'a Egress,
        credentials: &'a Credentials,
        reference: &'a OciReference,
    ) -> Result<Self, RegistryError> {
        let host = if is_docker_hub(&reference.registry) { "registry-1.docker.io" } else { &reference.registry };
        // As docker does it: without TLS only where nothing leaves the machine.
        let loopback = |url: &Url| match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let broken = |error: url::ParseError| RegistryError::Answer {
            authority: reference.registry.clone(),
            reason: format!("this is not the address of a registry: {error}"),
        };
        let secure = Url::parse(&format!("https://{host}/v2/{}/", reference.repository)).map_err(broken)?;
        let base = match loopback(&secure) {
            true => Url::parse(&format!("http://{host}/v2/{}/", reference.repository)).map_err(broken)?,
            false => secure,
        };
        Ok(Session { egress, credentials, reference, base, authorization: None })
    }

    /// Host and port, for messages.
    pub(crate) fn authority(&self) -> String {
        self.reference.registry.clone()
    }

    /// Asks, authenticates if the registry wants that, and gives whatever it answers then.
    pub(crate) async fn ask(&mut self, ask: Ask<'_>) -> Result<Response, RegistryError> {
        let url = self.base.join(ask.to).map_err(|error| self.odd(format!("it names {:?}: {error}", ask.to)))?;
        let is_here = is_same_place(&url, &self.base);
        let send = |authorization: Option<&String>| {
            let mut headers = ask.headers.clone();
            // Who one is here is nobody else's business.
            headers.extend(authorization.filter(|_| is_here).map(|value| ("authorization".into(), value.clone())));
            let request = Request { method: ask.method.into(), uri: url.to_string(), headers, body: ask.body.clone() };
            self.egress.send(request, &Grant::Allowed)
        };
        let response = send(self.authorization.as_ref()).await?;
        if response.status != 401 || !is_here {
            return Ok(response);
        }
        let challenges = header_values(&response, "www-authenticate").filter_map(Challenge::parse);
        let authorization = match challenges.last() {
            Some(challenge) => self.answer(challenge).await?,
            None => return Ok(response),
        };
        let response = send(Some(&authorization)).await?;
        self.authorization = Some(authorization);
        Ok(response)
    }

    /// Like [`ask`](Self::ask) for something to read, which may be elsewhere.
    pub(crate) async fn follow(&mut self, ask: Ask<'_>) -> Result<Response, RegistryError> {
        let (mut at, headers) = (ask.to.to_owned(), ask.headers);
        for _ in 0..=MAX_REDIRECTS {
            let response = self.ask(Ask { headers: headers.clone(), ..Ask::get(&at) }).await?;
            match (response.status, header(&response, "location")) {
                (301 | 302 | 303 | 307 | 308, Some(location)) => at = location.to_owned(),
                _ => return Ok(response),
            }
        }
        Err(self.odd(format!("it redirects more than {MAX_REDIRECTS} times")))
    }

    /// What a challenge wants.
    async fn answer(&self, challenge: Challenge) -> Result<String, RegistryError> {
        let identity = self.credentials.identity(&self.reference.registry).await?;
        match (challenge, identity) {
            (Challenge::Basic, Identity::User { name, password }) => Ok(basic(&name, &password)),
            (Challenge::Basic, _) => Err(self.denied(&Identity::Nobody)),
            (Challenge::Bearer { realm, service, scope }, identity) => {
                let token = self.token(&realm, service.as_deref(), scope.as_deref(), &identity).await?;
                Ok(format!("Bearer {token}"))
            }
        }
    }

    /// A token from the realm that the registry names.
    async fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: Option<&str>,
        identity: &Identity,
    ) -> Result<String, RegistryError> {
        let mut url = Url::parse(realm).map_err(|_| self.odd(format!("its realm {realm:?} is not a URL")))?;
        // A password goes over TLS, or to where the registry itself is spoken to without.
        if url.scheme() != "https" && url.scheme() != self.base.scheme() {
            return Err(self.odd(format!("its realm {realm:?} is not at https")));
        }
        let mut fields: Vec<(&str, &str)> = Vec::new();
        fields.extend(service.map(|service| ("service", service)));
        fields.extend(scope.map(|scope| ("scope", scope)));
        let request = match identity {
            Identity::RefreshToken(token) => {
                fields.extend([("grant_type", "refresh_token"), ("client_id", "hotcell"), ("refresh_token", token)]);
                let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                let headers = vec![("content-type".into(), "application/x-www-form-urlencoded".into())];
                Request { method: "POST".into(), uri: url.into(), headers, body: Some(body.into_bytes()) }
            }
            Identity::User { name, password } => {
                url.query_pairs_mut().extend_pairs(fields).append_pair("account", name);
                let headers = vec![("authorization".into(), basic(name, password))];
                Request { method: "GET".into(), uri: url.into(), headers, body: None }
            }
            Identity::Nobody => {
                url.query_pairs_mut().extend_pairs(fields);
                Request { method: "GET".into(), uri: url.into(), headers: Vec::new(), body: None }
            }
        };
        let response = self.egress.send(request, &Grant::Allowed).await?;
        match response.status {
            200..=299 => {}
            400 | 401 | 403 => return Err(self.denied(identity)),
            _ => return Err(self.status(&response)),
        }
        #[derive(Deserialize)]
        struct Answer {
            token: Option<String>,
            access_token: Option<String>,
        }
        let answer = serde_json::from_slice::<Answer>(&response.body).ok();
        let token = answer.and_then(|answer| answer.token.or(answer.access_token));
        token
            .filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic()))
            .ok_or_else(|| self.odd("its realm gave no token".into()))
    }

    fn denied(&self, identity: &Identity) -> RegistryError {
        let who = if matches!(identity, Identity::Nobody) { "who is not logged in" } else { "the credentials" };
        RegistryError::Denied { authority: self.authority(), who }
    }

    pub(crate) fn odd(&self, reason: String) -> RegistryError {
        RegistryError::Answer { authority: self.authority(), reason }
    }

    /// The error that an answer is.
    pub(crate) fn status(&self, response: &Response) -> RegistryError {
        #[derive(Deserialize)]
        struct Errors {
            errors: Vec<OciError>,
        }
        #[derive(Deserialize)]
        struct OciError {
            #[serde(default)]
            code: String,
            #[serde(default)]
            message: String,
        }
        let (authority, status) = (self.authority(), response.status);
        match status {
            404 => RegistryError::NotFound { reference: self.reference.to_string(), authority },
            401 | 403 => RegistryError::Denied {
                authority,
                who: if self.authorization.is_some() { "the credentials" } else { "who is not logged in" },
            },
            _ => {
                let errors = serde_json::from_slice::<Errors>(&response.body).map(|errors| errors.errors);
                let first = errors.ok().and_then(|errors| errors.into_iter().next());
                let text = first.map(|OciError { code, message }| format!("{code} {message}")).unwrap_or_default();
                // What a server says is shown to people: a line of it.
                let message = text.chars().filter(|c| !c.is_control()).take(200).collect::<String>().trim().to_owned();
                RegistryError::Status { authority, status, message }
            }
        }
    }
}

fn is_same_place(a: &Url, b: &Url) -> bool {
    (a.scheme(), a.host(), a.port_or_known_default()) == (b.scheme(), b.host(), b.port_or_known_default())
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

fn header_values<'a>(response: &'a Response, name: &'a str) -> impl Iterator<Item = &'a str> {
    response.headers.iter().filter(move |(header, _)| header == name).map(|(_, value)| &**value)
}

/// The first header of this name.
pub(crate) fn header<'a>(response: &'a Response, name: &'a str) -> Option<&'a str> {
    header_values(response, name).next()
}
