//! "Authentication": a policy of the definition, evaluated for the component that authenticates.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hotcell_definition as dsl;
use hotcell_definition::{ClientAuthentication, Credentials, ErrorKind, Grant, Problem, Reusable};
use hotcell_expression::{Data, Evaluator, ExpressionError, Mode, Scope, Template};
use serde_json::{Map, Value, json};

use crate::bindings::Place;
use crate::http::Compile;
use crate::machine::Run;
use crate::uri::UriPlan;

/// How to authenticate.
#[derive(Debug)]
pub(crate) struct AuthenticationPlan {
    scheme: &'static str,
    properties: Properties,
}

#[derive(Debug)]
enum Properties {
    /// All of them are in the secret of this name.
    Secret(String),
    /// They are written in place: what is always the same, what is evaluated, and URIs. The names are paths.
    Inline {
        constant: Map<String, Value>,
        evaluated: Vec<(&'static str, Template)>,
        uris: Vec<(&'static str, UriPlan)>,
    },
}

impl AuthenticationPlan {
    /// A policy, in place or of `use.authentications`.
    pub(crate) fn new(
        policy: &Reusable<dsl::Authentication>,
        components: &dsl::Components,
        compile: &mut Compile<'_>,
    ) -> Self {
        let policy = match policy {
            Reusable::Inline(policy) => policy,
            Reusable::Named(name) => components
                .authentications
                .get(name)
                .expect("validation refuses names that `use.authentications` does not have"),
        };
        let (scheme, properties) = match policy {
            dsl::Authentication::Basic(credentials) => ("basic", properties(credentials, compile, user_password)),
            dsl::Authentication::Digest(credentials) => ("digest", properties(credentials, compile, user_password)),
            dsl::Authentication::Bearer(credentials) => {
                ("bearer", properties(credentials, compile, |token, compile| inline(vec![("token", compile(token))])))
            }
            dsl::Authentication::OAuth2(credentials) => {
                ("oauth2", properties(credentials, compile, |policy, compile| oauth2(policy, true, compile)))
            }
            dsl::Authentication::Oidc(credentials) => {
                ("oidc", properties(credentials, compile, |policy, compile| oauth2(policy, false, compile)))
            }
        };
        AuthenticationPlan { scheme, properties }
    }
}

fn properties<T>(
    credentials: &Credentials<T>,
    compile: &mut Compile<'_>,
    inline: impl FnOnce(&T, &mut Compile<'_>) -> Properties,
) -> Properties {
    match credentials {
        Credentials::Secret(name) => Properties::Secret(name.clone()),
        Credentials::Inline(properties) => inline(properties, compile),
    }
}

fn inline(evaluated: Vec<(&'static str, Template)>) -> Properties {
    Properties::Inline { constant: Map::new(), evaluated, uris: Vec::new() }
}

fn user_password(user: &dsl::UserPassword, compile: &mut Compile<'_>) -> Properties {
    inline(vec![("username", compile(&user.username)), ("password", compile(&user.password))])
}

/// The same shape that a secret with these properties has, and that the specification gives them.
fn oauth2(policy: &dsl::OAuth2, with_endpoints: bool, compile: &mut Compile<'_>) -> Properties {
    let list = |items: &[dsl::Template]| {
        dsl::Template(Value::Array(items.iter().map(|item| (*item.0).clone()).collect()).into())
    };
    let optional = [
        ("username", &policy.username),
        ("password", &policy.password),
        ("client.id", &policy.client.id),
        ("client.secret", &policy.client.secret),
        ("client.assertion", &policy.client.assertion),
    ];
    let mut evaluated: Vec<(&'static str, Template)> = optional
        .into_iter()
        .filter_map(|(name, template)| template.as_ref().map(|template| (name, compile(template))))
        .collect();
    for (name, items) in [("issuers", &policy.issuers), ("scopes", &policy.scopes), ("audiences", &policy.audiences)] {
        if !items.is_empty() {
            evaluated.push((name, compile(&list(items))));
        }
    }
    for (token, kind, tokens) in
        [("subject.token", "subject.type", &policy.subject), ("actor.token", "actor.type", &policy.actor)]
    {
        if let Some(given) = tokens {
            evaluated.push((token, compile(&given.token)));
            evaluated.push((kind, compile(&given.kind)));
        }
    }
    let mut uris = vec![("authority", UriPlan::new(&compile(&policy.authority)))];
    if with_endpoints {
        uris.push(("endpoints.token", UriPlan::new(&compile(&policy.token_endpoint))));
    }
    let encoding = if policy.json_encoding { "application/json" } else { "application/x-www-form-urlencoded" };
    let constant = json!({
        "grant": match policy.grant {
            Grant::AuthorizationCode => "authorization_code",
            Grant::ClientCredentials => "client_credentials",
            Grant::Password => "password",
            Grant::RefreshToken => "refresh_token",
            Grant::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
        },
        "client": { "authentication": match policy.client.authentication {
            ClientAuthentication::SecretBasic => "client_secret_basic",
            ClientAuthentication::SecretPost => "client_secret_post",
            ClientAuthentication::SecretJwt => "client_secret_jwt",
            ClientAuthentication::PrivateKeyJwt => "private_key_jwt",
            ClientAuthentication::None => "none",
        }},
        "request": { "encoding": encoding },
    });
    let Value::Object(constant) = constant else { unreachable!("it is written as an object") };
    Properties::Inline { constant, evaluated, uris }
}

/// A policy, evaluated. It holds secrets.
pub(crate) struct Policy {
    scheme: &'static str,
    properties: Value,
}

impl Policy {
    /// The authorization, where it is known before anything has been sent: `$authorization` within the task's definition.
    pub(crate) fn known(&self) -> Result<Option<Data>, Problem> {
        let text = |name: &str| self.properties.get(name).and_then(Value::as_str).unwrap_or_default();
        let (scheme, parameter) = match self.scheme {
            "basic" => ("Basic", BASE64_STANDARD.encode(format!("{}:{}", text("username"), text("password")))),
            "bearer" => ("Bearer", self.properties.as_str().unwrap_or_else(|| text("token")).to_owned()),
            _ => return Ok(None),
        };
        Ok(Data::new(json!({"scheme": scheme, "parameter": parameter})).ok())
    }

    /// What the component gets.
    pub(crate) fn into_value(self) -> Value {
        json!({ self.scheme: self.properties })
    }
}

/// A policy for a document that is fetched before there is an execution, and thus any data: what the component that fetches it
/// gets. Texts of it are evaluated in `scope`; `secret` finds the secret that holds a whole policy.
///
/// # Errors
/// An expression of it fails, or the secret is not there.
pub fn policy_of_document<E: From<ExpressionError>>(
    policy: &Reusable<dsl::Authentication>,
    components: &dsl::Components,
    scope: &Scope<'_>,
    evaluator: &mut dyn Evaluator,
    secret: impl FnOnce(&str) -> Result<Value, E>,
) -> Result<Value, E> {
    let mut invalid = None;
    let plan = AuthenticationPlan::new(policy, components, &mut |source| {
        Template::parse(&source.0, Mode::Strict).unwrap_or_else(|error| {
            invalid.get_or_insert(error);
            Template::Literal(Data::null())
        })
    });
    if let Some(error) = invalid {
        return Err(error.into());
    }
    let scheme = plan.scheme;
    let properties = match plan.properties {
        Properties::Secret(name) => secret(&name)?,
        Properties::Inline { constant: mut properties, evaluated, uris } => {
            for (name, template) in evaluated {
                set(&mut properties, name, template.evaluate(scope, evaluator)?.value().clone());
            }
            for (name, plan) in uris {
                let uri = plan.expand::<E>(scope.input, |part| Ok(part.evaluate(scope, evaluator)?))?;
                set(&mut properties, name, uri.into());
            }
            properties.into()
        }
    };
    Ok(Policy { scheme, properties }.into_value())
}

impl Run<'_> {
    /// Evaluates a policy.
    pub(crate) fn authentication(
        &mut self,
        id: u64,
        plan: &AuthenticationPlan,
        input: &Data,
    ) -> Result<Policy, Problem> {
        let scheme = plan.scheme;
        let (constant, evaluated, uris) = match &plan.properties {
            Properties::Secret(name) => return Ok(Policy { scheme, properties: self.secret(id, name)? }),
            Properties::Inline { constant, evaluated, uris } => (constant, evaluated, uris),
        };
        let mut properties = constant.clone();
        for (name, template) in evaluated {
            let what = format!("authentication.{scheme}.{name}");
            let data = self.evaluate(id, Place::TaskDefinition, &what, template, input)?;
            set(&mut properties, name, data.value().clone());
        }
        for (name, plan) in uris {
            let uri = self.uri(id, &format!("authentication.{scheme}.{name}"), plan, input)?;
            set(&mut properties, name, uri.into());
        }
        Ok(Policy { scheme, properties: properties.into() })
    }

    /// A secret that the definition declares and the operator granted to the task of the frame.
    fn secret(&self, id: u64, name: &str) -> Result<Value, Problem> {
        let is_declared = self.program.definition.components.secrets.iter().any(|declared| declared == name);
        let is_granted = self.grants.is_none_or(|grants| grants.grants(name, self.reference(id).as_deref()));
        let secret = self.secrets.get(name).filter(|_| is_declared && is_granted);
        secret.cloned().ok_or_else(|| {
            let detail = format!("the secret {name:?} is not granted to this task");
            Problem::new(ErrorKind::Authorization, "Secret not granted", detail)
        })
    }
}

/// Sets a member, of an object within where the name has a dot.
fn set(properties: &mut Map<String, Value>, name: &str, value: Value) {
    match name.split_once('.') {
        None => drop(properties.insert(name.into(), value)),
        Some((outer, inner)) => {
            let outer = properties.entry(outer).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(members) = outer {
                members.insert(inner.into(), value);
            }
        }
    }
}
