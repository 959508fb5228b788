//! How to authenticate where a document is.
//!
//! There is no data yet when documents are loaded: credentials are written in place, or come from secrets.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hotcell_definition::{Authentication, Components, Credentials, Reusable, Template as Source, UserPassword};
use hotcell_expression::{Bindings, Data, Evaluation, Evaluator, ExpressionError, Mode, Scope, Template, Violation};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// The secrets that the operator grants, and what the definition says about them.
pub(super) struct Vault<'a> {
    pub(super) secrets: &'a Map<String, Value>,
    pub(super) components: &'a Components,
}

impl Vault<'_> {
    /// The headers that authenticate as a policy says.
    pub(super) fn headers(&self, policy: &Reusable<Authentication>) -> Result<Vec<(String, String)>, String> {
        let policy = match policy {
            Reusable::Inline(policy) => policy,
            Reusable::Named(name) => {
                let named = self.components.authentications.get(name);
                named.expect("validation refuses names that `use.authentications` does not have")
            }
        };
        let value = match policy {
            Authentication::Basic(Credentials::Inline(UserPassword { username, password })) => {
                basic(&self.text(username)?, &self.text(password)?)
            }
            Authentication::Basic(Credentials::Secret(name)) => {
                basic(&self.member(name, "username")?, &self.member(name, "password")?)
            }
            Authentication::Bearer(Credentials::Inline(token)) => format!("Bearer {}", self.text(token)?),
            Authentication::Bearer(Credentials::Secret(name)) => format!("Bearer {}", self.member(name, "token")?),
            Authentication::Digest(_) | Authentication::OAuth2(_) | Authentication::Oidc(_) => {
                return Err("documents are fetched with `basic` or `bearer` authentication; use one of them".into());
            }
        };
        if value.contains(|c: char| c.is_control()) {
            return Err("the credentials have control characters in them".into());
        }
        Ok(vec![("authorization".into(), value)])
    }

    fn member(&self, name: &str, member: &str) -> Result<String, String> {
        if !self.grants_secret(name) {
            return Err(format!("the secret `{name}` is not granted; give it with `--secret`"));
        }
        // From the command line, a secret is a text.
        let parsed = self.secrets[name].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let secret = parsed.as_ref().unwrap_or(&self.secrets[name]);
        let text = secret.get(member).and_then(Value::as_str);
        text.map(str::to_owned).ok_or_else(|| format!("the secret `{name}` is no object with a text `{member}`"))
    }

    fn text(&self, source: &Source) -> Result<String, String> {
        let template = Template::parse(&source.0, Mode::Strict).map_err(|error| error.to_string())?;
        let scope = Scope { input: &Data::null(), bindings: self, now: Timestamp::UNIX_EPOCH };
        let data = template.evaluate(&scope, &mut NoPrograms).map_err(|error| error.to_string())?;
        data.value().as_str().map(str::to_owned).ok_or_else(|| "the credentials are no text".into())
    }
}

impl Bindings for Vault<'_> {
    fn variable(&self, name: &str) -> Option<Arc<Value>> {
        let granted = || self.secrets.iter().filter(|(name, _)| self.grants_secret(name));
        (name == "secrets")
            .then(|| Arc::new(Value::Object(granted().map(|(name, value)| (name.clone(), value.clone())).collect())))
    }

    fn grants_secret(&self, name: &str) -> bool {
        self.secrets.contains_key(name) && self.components.secrets.iter().any(|declared| declared == name)
    }
}

fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
}

/// Evaluates no jq: credentials are paths, `${ $secrets.token }`.
struct NoPrograms;

impl Evaluator for NoPrograms {
    fn evaluate(&mut self, evaluation: Evaluation<'_>) -> Result<Value, ExpressionError> {
        self.check(evaluation.program, &[]).map(|()| Value::Null)
    }

    fn check(&mut self, program: &str, _: &[&str]) -> Result<(), ExpressionError> {
        let why = "credentials for documents are a text, or a path like ${ $secrets.token }";
        Err(ExpressionError::Unavailable(format!("`{program}` is a program; {why}")))
    }

    fn validate(&mut self, _: &str, _: &Value) -> Result<Vec<Violation>, ExpressionError> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn headers(policy: &str) -> Result<Vec<(String, String)>, String> {
        let text = format!(
            "document: {{ dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }}\nuse: {{ secrets: [ t, both ], \
             authentications: {{ p: {policy} }} }}\ndo: [ {{ a: {{ set: {{}} }} }} ]"
        );
        let definition = hotcell_definition::Definition::parse(text.as_bytes()).expect("a valid document").definition;
        let Value::Object(secrets) =
            json!({"t": "tok", "both": "{\"username\":\"u\",\"password\":\"p\"}", "hidden": "x"})
        else {
            unreachable!()
        };
        let vault = Vault { secrets: &secrets, components: &definition.components };
        vault.headers(&Reusable::Named("p".into()))
    }

    #[test]
    fn credentials_are_written_in_place_or_secrets() {
        let value = |policy: &str| headers(policy).unwrap().remove(0).1;
        assert_eq!(value("{ basic: { username: u, password: p } }"), "Basic dTpw");
        assert_eq!(value("{ basic: { use: both } }"), "Basic dTpw");
        assert_eq!(value("{ bearer: { token: 'x' } }"), "Bearer x");
        assert_eq!(value("{ bearer: { token: '${ $secrets.t }' } }"), "Bearer tok");
    }

    #[test]
    fn what_is_not_granted_or_not_there_yet_is_told() {
        for (policy, part) in [
            ("{ bearer: { token: '${ $secrets.hidden }' } }", "hidden"),
            ("{ bearer: { token: '${ .a + .b }' } }", "is a program"),
            ("{ bearer: { use: t } }", "no object with a text `token`"),
            ("{ digest: { username: u, password: p } }", "`basic` or `bearer`"),
            ("{ bearer: { token: \"a\\nb\" } }", "control characters"),
        ] {
            let error = headers(policy).unwrap_err();
            assert!(error.contains(part), "{policy}: {error}");
        }
    }
}
