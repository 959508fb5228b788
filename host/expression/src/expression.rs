//! One expression, compiled as far as the host does it.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::path::{Path, Root, Step};
use crate::{Data, Evaluation, Evaluator, ExpressionError};

/// A runtime expression: the text between `${` and `}`, or a field that is an expression as a whole.
#[derive(Debug, Clone)]
pub struct Expression {
    source: Arc<str>,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    Path(Path),
    Literal(Data),
    /// A jq program, and the variables and secrets that it mentions.
    Program {
        variables: Vec<Box<str>>,
        secrets: Vec<Box<str>>,
    },
}

/// The variables that an expression may use.
pub trait Bindings {
    /// The value of `$name`, or nothing if there is no such variable where the expression stands.
    fn variable(&self, name: &str) -> Option<Arc<Value>>;

    /// Whether the secret of this name may be used.
    fn grants_secret(&self, name: &str) -> bool;
}

/// What an expression is evaluated on.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// What `.` is.
    pub input: &'a Data,
    /// The variables.
    pub bindings: &'a dyn Bindings,
    /// What `now` yields.
    pub now: Timestamp,
}

impl Expression {
    /// Compiles an expression. Whether a jq program is valid shows when it is first evaluated, or checked.
    pub fn parse(source: &str) -> Self {
        let source = source.trim();
        let form = if let Some(path) = Path::parse(source) {
            Form::Path(path)
        } else if let Some(literal) = literal(source) {
            Form::Literal(literal)
        } else {
            Form::Program { variables: mentioned_variables(source), secrets: mentioned_secrets(source) }
        };
        Expression { source: source.into(), form }
    }

    /// The text of the expression.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The jq program that an evaluator has to run and the variables that it mentions, if the host does not
    /// evaluate the expression by itself.
    pub fn program(&self) -> Option<(&str, impl Iterator<Item = &str>)> {
        match &self.form {
            Form::Program { variables, .. } => Some((&*self.source, variables.iter().map(|name| &**name))),
            Form::Path(_) | Form::Literal(_) => None,
        }
    }

    /// Whether the expression can be evaluated at all, as far as that can be told without running it. `has_variable`
    /// says which variables there are, without their `$`.
    ///
    /// # Errors
    /// [`ExpressionError::Syntax`] if it is not jq, or uses a function or a variable that does not exist; or an error of
    /// the evaluator.
    pub fn check(
        &self,
        has_variable: impl Fn(&str) -> bool,
        evaluator: &mut dyn Evaluator,
    ) -> Result<(), ExpressionError> {
        match &self.form {
            Form::Literal(_) => Ok(()),
            Form::Path(path) => match &path.root {
                Root::Variable(name) if !has_variable(name) => Err(unknown_variable(name)),
                Root::Variable(_) | Root::Input => Ok(()),
            },
            Form::Program { variables, .. } => {
                // Those that it is evaluated with, in the same order.
                let variables: Vec<&str> =
                    variables.iter().map(|name| &**name).filter(|name| has_variable(name)).collect();
                evaluator.check(&self.source, &variables)
            }
        }
    }

    /// The variables that the expression may mention, without their `$`. Some may stand in a string, or be bound by the
    /// program itself.
    pub fn mentioned_variables(&self) -> Vec<&str> {
        match &self.form {
            Form::Program { variables, .. } => variables.iter().map(|name| &**name).collect(),
            Form::Path(Path { root: Root::Variable(name), .. }) => vec![name],
            Form::Path(_) | Form::Literal(_) => Vec::new(),
        }
    }

    /// The secrets that the expression names as `$secrets.name` or `$secrets["name"]`, each with where `$secrets` stands, in
    /// bytes from the start. It is not evaluated unless all of them are granted.
    pub fn secrets(&self) -> impl Iterator<Item = (usize, &str)> {
        let mentioned = !matches!(self.form, Form::Literal(_));
        mentions_of_secrets(&self.source).filter(move |_| mentioned)
    }

    /// Evaluates the expression.
    ///
    /// # Errors
    /// Whatever the expression or the evaluator fails with, and results that are too large.
    pub fn evaluate(&self, scope: &Scope<'_>, evaluator: &mut dyn Evaluator) -> Result<Data, ExpressionError> {
        match &self.form {
            Form::Literal(data) => Ok(data.clone()),
            Form::Path(path) => evaluate_path(path, scope),
            Form::Program { variables, secrets } => {
                if let Some(denied) = secrets.iter().find(|name| !scope.bindings.grants_secret(name)) {
                    return Err(ExpressionError::SecretDenied(denied.to_string()));
                }
                let values: Vec<(&str, Arc<Value>)> = variables
                    .iter()
                    .filter_map(|name| scope.bindings.variable(name).map(|value| (&**name, value)))
                    .collect();
                let variables: Vec<(&str, &Value)> = values.iter().map(|(name, value)| (*name, &**value)).collect();
                let value = evaluator.evaluate(Evaluation {
                    program: &self.source,
                    input: scope.input.value(),
                    variables: &variables,
                    now: scope.now,
                })?;
                Data::new(value)
            }
        }
    }
}

fn unknown_variable(name: &str) -> ExpressionError {
    ExpressionError::Syntax { message: format!("${name} does not exist here"), offset: Some(0) }
}

fn evaluate_path(path: &Path, scope: &Scope<'_>) -> Result<Data, ExpressionError> {
    match &path.root {
        Root::Input if path.steps.is_empty() => Ok(scope.input.clone()),
        Root::Input => Data::new(path.follow(scope.input.value())?.clone()),
        Root::Variable(name) => {
            if &**name == "secrets"
                && let Some(Step::Key(secret)) = path.steps.first()
                && !scope.bindings.grants_secret(secret)
            {
                return Err(ExpressionError::SecretDenied(secret.to_string()));
            }
            let value = scope.bindings.variable(name).ok_or_else(|| unknown_variable(name))?;
            if path.steps.is_empty() { Data::new(value) } else { Data::new(path.follow(&value)?.clone()) }
        }
    }
}

/// A JSON text is a jq program that yields itself, unless a string in it has jq's interpolation; JSON knows no
/// `\(`, so such a text does not parse.
fn literal(source: &str) -> Option<Data> {
    Data::from_json(source).ok()
}

/// The variables that the text may mention. Some may stand in a string or be bound by the program itself; that
/// more are passed than needed does no harm.
fn mentioned_variables(source: &str) -> Vec<Box<str>> {
    let mut names: Vec<Box<str>> = Vec::new();
    for (at, _) in source.match_indices('$') {
        let name = leading_identifier(&source[at + 1..]);
        if !name.is_empty() && !names.iter().any(|known| **known == *name) {
            names.push(name.into());
        }
    }
    names
}

/// The secrets that the text names as `$secrets.name` or `$secrets["name"]`.
fn mentioned_secrets(source: &str) -> Vec<Box<str>> {
    mentions_of_secrets(source).map(|(_, name)| name.into()).collect()
}

/// The same, each with where it stands.
fn mentions_of_secrets(source: &str) -> impl Iterator<Item = (usize, &str)> {
    source.match_indices("$secrets").filter_map(|(at, mention)| {
        let rest = &source[at + mention.len()..];
        let name =
            match rest.strip_prefix(".\"").or_else(|| rest.strip_prefix("[\"")).or_else(|| rest.strip_prefix(".[\"")) {
                Some(quoted) => quoted.split('"').next()?,
                None => leading_identifier(rest.strip_prefix('.')?),
            };
        (!name.is_empty()).then_some((at, name))
    })
}

fn leading_identifier(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct NoEvaluator;

    impl Evaluator for NoEvaluator {
        fn evaluate(&mut self, evaluation: Evaluation<'_>) -> Result<Value, ExpressionError> {
            panic!("the host evaluates {:?} by itself", evaluation.program);
        }

        fn check(&mut self, _: &str, _: &[&str]) -> Result<(), ExpressionError> {
            unreachable!()
        }

        fn validate(&mut self, _: &str, _: &Value) -> Result<Vec<crate::Violation>, ExpressionError> {
            unreachable!()
        }
    }

    struct Variables(Value);

    impl Bindings for Variables {
        fn variable(&self, name: &str) -> Option<Arc<Value>> {
            self.0.get(name).map(|value| Arc::new(value.clone()))
        }

        fn grants_secret(&self, name: &str) -> bool {
            self.0["secrets"].get(name).is_some()
        }
    }

    fn on_the_host(source: &str) -> Result<Value, ExpressionError> {
        let input = Data::new(json!({"a": {"b": [1, 2]}})).unwrap();
        let bindings = Variables(json!({"context": {"x": "y"}, "secrets": {"known": "s"}}));
        let scope = Scope { input: &input, bindings: &bindings, now: Timestamp::UNIX_EPOCH };
        Expression::parse(source).evaluate(&scope, &mut NoEvaluator).map(|data| data.value().clone())
    }

    #[test]
    fn paths_and_literals_are_evaluated_on_the_host() {
        assert_eq!(on_the_host(" .a.b[1] ").unwrap(), json!(2));
        assert_eq!(on_the_host("$context.x").unwrap(), json!("y"));
        assert_eq!(on_the_host("[1, {\"k\": null}]").unwrap(), json!([1, {"k": null}]));
        assert_eq!(on_the_host("\"text\"").unwrap(), json!("text"));
        assert_eq!(on_the_host("true").unwrap(), json!(true));
    }

    #[test]
    fn a_variable_that_does_not_exist_is_named() {
        assert_eq!(on_the_host("$output.x").unwrap_err().to_string(), "$output does not exist here");
    }

    #[test]
    fn a_secret_that_is_not_granted_is_denied_by_name() {
        assert_eq!(on_the_host("$secrets.known").unwrap(), json!("s"));
        assert_eq!(on_the_host("$secrets.other").unwrap_err(), ExpressionError::SecretDenied("other".into()));
        assert_eq!(
            on_the_host("$secrets[\"other\"] | length").unwrap_err(),
            ExpressionError::SecretDenied("other".into())
        );
    }

    #[test]
    fn a_program_says_which_variables_it_mentions() {
        let expression = Expression::parse("$item.price * $context.rate + $item.tax");
        let (_, variables) = expression.program().unwrap();
        assert_eq!(variables.collect::<Vec<_>>(), ["item", "context"]);
    }
}
