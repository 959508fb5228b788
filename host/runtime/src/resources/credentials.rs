//! How to authenticate where a document is.
//!
//! There is no data yet when documents are loaded: credentials are written in place, or come from secrets.

use std::sync::Arc;

use hotcell_definition::{Authentication, Components, Reusable};
use hotcell_expression::{Bindings, Data, Evaluation, Evaluator, ExpressionError, Scope, Violation};
use hotcell_machine::policy_of_document;
use jiff::Timestamp;
use serde_json::{Map, Value};

/// The secrets that the operator grants, and what the definition says about them.
pub(super) struct Vault<'a> {
    pub(super) secrets: &'a Map<String, Value>,
    pub(super) components: &'a Components,
}

impl Vault<'_> {
    /// A policy, evaluated.
    pub(super) fn policy(&self, policy: &Reusable<Authentication>) -> Result<Value, String> {
        let scope = Scope { input: &Data::null(), bindings: self, now: Timestamp::UNIX_EPOCH };
        let secret = |name: &str| self.whole(name);
        policy_of_document(policy, self.components, &scope, &mut NoPrograms, secret).map_err(|Reason(reason)| reason)
    }

    /// A secret that holds a whole policy, or a token.
    fn whole(&self, name: &str) -> Result<Value, Reason> {
        if !self.grants_secret(name) {
            return Err(Reason(format!("the secret `{name}` is not granted; give it with `--secret`")));
        }
        // From the command line, a secret may be a text.
        let parsed = self.secrets[name].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        Ok(parsed.filter(Value::is_object).unwrap_or_else(|| self.secrets[name].clone()))
    }
}

/// Why there is no policy, as a sentence.
struct Reason(String);

impl From<ExpressionError> for Reason {
    fn from(error: ExpressionError) -> Self {
        Reason(error.to_string())
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

    fn policy(policy: &str) -> Result<Value, String> {
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
        vault.policy(&Reusable::Named("p".into()))
    }

    #[test]
    fn credentials_are_written_in_place_or_secrets() {
        let user = json!({"username": "u", "password": "p"});
        for (written, evaluated) in [
            ("{ basic: { username: u, password: p } }", json!({"basic": user})),
            ("{ basic: { use: both } }", json!({"basic": user})),
            ("{ digest: { use: both } }", json!({"digest": user})),
            ("{ bearer: { token: 'x' } }", json!({"bearer": {"token": "x"}})),
            ("{ bearer: { token: '${ $secrets.t }' } }", json!({"bearer": {"token": "tok"}})),
            ("{ bearer: { use: t } }", json!({"bearer": "tok"})),
        ] {
            assert_eq!(policy(written), Ok(evaluated), "{written}");
        }
        let oauth2 = policy(
            "{ oauth2: { authority: 'https://a.example', grant: client_credentials, client: { id: me, secret: '${ $secrets.t }' } } }",
        );
        let oauth2 = oauth2.unwrap();
        assert_eq!(oauth2["oauth2"]["authority"], "https://a.example");
        assert_eq!(oauth2["oauth2"]["client"]["secret"], "tok");
    }

    #[test]
    fn what_is_not_granted_or_not_there_yet_is_told() {
        for (written, part) in [
            ("{ bearer: { token: '${ $secrets.hidden }' } }", "hidden"),
            ("{ bearer: { token: '${ .a + .b }' } }", "is a program"),
        ] {
            let error = policy(written).unwrap_err();
            assert!(error.contains(part), "{written}: {error}");
        }
    }
}
