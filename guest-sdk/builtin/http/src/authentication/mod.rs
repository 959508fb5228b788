//! Who asks: what makes a request one of somebody's.
//!
//! What the definition says may hold secrets, and comes partly from secrets themselves; messages name members, never
//! their values.

mod challenge;
mod digest;
mod token;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hotcell::{Problem, Value};
use serde_json::Map;

use self::digest::Digest;
use self::token::Tokens;
use crate::answer::Authorization;
use crate::exchange::send_plainly;
use crate::faults::invalid;
use crate::outside::{Request, Response};

/// How to authenticate.
pub(crate) enum Authentication {
    /// Not at all.
    None,
    /// With an authorization that is known before anything is sent.
    Known(Authorization),
    /// By answering a challenge.
    Digest(Digest),
    /// With a token that an authority gives.
    Tokens(Tokens),
}

impl Authentication {
    pub(crate) fn none() -> Self {
        Authentication::None
    }

    /// Reads what the machine says: an object with the scheme as its only member.
    pub(crate) fn read(value: Option<Value>) -> Result<Self, Problem> {
        let Some(value) = value else { return Ok(Authentication::None) };
        let Value::Object(policy) = value else { return Err(invalid("`authentication` is not an object")) };
        let Some((scheme, properties)) = policy.into_iter().next() else {
            return Err(invalid("`authentication` is empty"));
        };
        let properties = match (properties, scheme.as_str()) {
            (Value::Object(properties), _) => properties,
            // A secret that is the token itself.
            (token @ Value::String(_), "bearer") => Map::from_iter([("token".to_owned(), token)]),
            _ => return Err(invalid(format!("the properties of `authentication.{scheme}` are not an object"))),
        };
        let properties = Properties { scheme, members: properties };
        match properties.scheme.as_str() {
            "basic" => {
                let (username, password) = (properties.text("username")?, properties.text("password")?);
                if username.contains(':') {
                    return Err(invalid("the `username` for basic authentication has a colon in it (RFC 7617)"));
                }
                let parameter = BASE64_STANDARD.encode(format!("{username}:{password}"));
                Ok(Authentication::Known(Authorization { scheme: "Basic".into(), parameter }))
            }
            "bearer" => {
                let parameter = properties.text("token")?;
                Ok(Authentication::Known(Authorization { scheme: "Bearer".into(), parameter }))
            }
            "digest" => {
                let (username, password) = (properties.text("username")?, properties.text("password")?);
                Ok(Authentication::Digest(Digest { username, password }))
            }
            "oauth2" | "oidc" => Ok(Authentication::Tokens(Tokens::new(properties)?)),
            other => Err(invalid(format!("`authentication.{other}` is no scheme of authentication"))),
        }
    }

    /// Sends a request in somebody's name, and tells the authorization that was used.
    pub(crate) fn send(&mut self, request: &Request) -> Result<(Response, Option<Authorization>), Problem> {
        match self {
            Authentication::None => Ok((send_plainly(request)?, None)),
            Authentication::Known(authorization) => {
                let response = send_plainly(&authorized(request, authorization))?;
                Ok((response, Some(authorization.clone())))
            }
            Authentication::Digest(user) => user.send(request),
            Authentication::Tokens(tokens) => tokens.send(request),
        }
    }
}

/// The request with an authorization.
fn authorized(request: &Request, authorization: &Authorization) -> Request {
    let mut request = request.clone();
    request.set_header("authorization", format!("{} {}", authorization.scheme, authorization.parameter));
    request
}

/// The properties of a scheme.
pub(crate) struct Properties {
    pub(crate) scheme: String,
    pub(crate) members: Map<String, Value>,
}

impl Properties {
    /// A member that has to be there, as text.
    pub(crate) fn text(&self, member: &str) -> Result<String, Problem> {
        self.optional_text(member)?
            .ok_or_else(|| invalid(format!("`authentication.{}` has no `{member}`", self.scheme)))
    }

    /// A member as text. Null is not there; a number is what it looks like.
    pub(crate) fn optional_text(&self, member: &str) -> Result<Option<String>, Problem> {
        match self.members.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(invalid(format!("`authentication.{}.{member}` is not a text", self.scheme))),
        }
    }

    /// A member that is an object, or nothing but empty where it is not there.
    pub(crate) fn within(&self, member: &str) -> Result<Properties, Problem> {
        let scheme = format!("{}.{member}", self.scheme);
        match self.members.get(member) {
            Some(Value::Object(members)) => Ok(Properties { scheme, members: members.clone() }),
            None | Some(Value::Null) => Ok(Properties { scheme, members: Map::new() }),
            Some(_) => Err(invalid(format!("`authentication.{scheme}` is not an object"))),
        }
    }

    /// A member that is a list of texts, or one text. Where it is not there, none.
    pub(crate) fn texts(&self, member: &str) -> Result<Vec<String>, Problem> {
        let not_texts = || invalid(format!("`authentication.{}.{member}` is not a list of texts", self.scheme));
        match self.members.get(member) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text.clone()]),
            Some(Value::Array(items)) => {
                items.iter().map(|item| item.as_str().map(Into::into).ok_or_else(not_texts)).collect()
            }
            Some(_) => Err(not_texts()),
        }
    }
}
