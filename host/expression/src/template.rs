//! Free-form values: data in which strings may hold `${ … }`.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::data::{too_deep, too_large};
use crate::{Bindings, Data, Evaluator, Expression, ExpressionError, Scope};

/// A free-form value, compiled.
#[derive(Debug, Clone)]
pub enum Template {
    /// Nothing in it is evaluated.
    Literal(Data),
    /// A string that is exactly one `${ … }`: the result keeps its type.
    Expression(Expression),
    /// A string with `${ … }` in it: results become text.
    Text(Vec<Part>),
    /// Loose mode: a string that is one expression, in `${ … }` or bare. It stays what it is if its evaluation fails.
    Attempt(Expression, Data),
    /// An array of which something is evaluated.
    Array(Vec<Template>),
    /// An object of which something is evaluated. Names are not.
    Object(Vec<(String, Template)>),
}

/// A part of a string.
#[derive(Debug, Clone)]
pub enum Part {
    /// Text as it stands.
    Text(String),
    /// `${ … }`
    Expression(Expression),
    /// Loose mode: `${ … }`, which stays what it is if its evaluation fails.
    Attempt(Expression),
}

/// What counts as an expression (`evaluate.mode`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Only `${ … }`.
    #[default]
    Strict,
    /// Every string is tried.
    Loose,
}

impl Template {
    /// Compiles a free-form value. The value comes from a document, which bounds its depth.
    ///
    /// # Errors
    /// [`ExpressionError::Syntax`] if a `${` is not closed, [`ExpressionError::DataLimit`] if the value is too
    /// large.
    pub fn parse(value: &Value, mode: Mode) -> Result<Self, ExpressionError> {
        let template = match value {
            Value::String(text) => return parse_string(text, mode),
            Value::Array(items) => {
                Template::Array(items.iter().map(|item| Template::parse(item, mode)).collect::<Result<_, _>>()?)
            }
            Value::Object(members) => Template::Object(
                members
                    .iter()
                    .map(|(name, member)| Ok((name.clone(), Template::parse(member, mode)?)))
                    .collect::<Result<_, ExpressionError>>()?,
            ),
            scalar => return Ok(Template::Literal(Data::new(scalar.clone())?)),
        };
        let constant = match &template {
            Template::Array(items) => items.iter().all(Template::is_literal),
            Template::Object(members) => members.iter().all(|(_, member)| member.is_literal()),
            _ => false,
        };
        if constant { Ok(Template::Literal(Data::new(value.clone())?)) } else { Ok(template) }
    }

    /// Evaluates what is to be evaluated.
    ///
    /// # Errors
    /// What an expression in it fails with, and results that are too large or too deep together; nothing larger
    /// than the limit is built on the way.
    pub fn evaluate(&self, scope: &Scope<'_>, evaluator: &mut dyn Evaluator) -> Result<Data, ExpressionError> {
        match self {
            Template::Literal(data) => Ok(data.clone()),
            Template::Expression(expression) => expression.evaluate(scope, evaluator),
            other => {
                let mut build = Build { scope, evaluator, bytes: 0, values: 0 };
                let value = build.value(other, 0)?;
                Data::new(value)
            }
        }
    }

    /// Whether nothing in it is evaluated.
    pub fn is_literal(&self) -> bool {
        matches!(self, Template::Literal(_))
    }

    /// Every expression in it.
    pub fn expressions(&self) -> Vec<&Expression> {
        let mut found = Vec::new();
        let mut open = vec![self];
        while let Some(template) = open.pop() {
            match template {
                Template::Literal(_) | Template::Attempt(..) => {}
                Template::Expression(expression) => found.push(expression),
                Template::Text(parts) => found.extend(parts.iter().filter_map(|part| match part {
                    Part::Expression(expression) => Some(expression),
                    Part::Text(_) | Part::Attempt(_) => None,
                })),
                Template::Array(items) => open.extend(items),
                Template::Object(members) => open.extend(members.iter().map(|(_, member)| member)),
            }
        }
        found
    }
}

fn parse_string(text: &str, mode: Mode) -> Result<Template, ExpressionError> {
    let mut parts = split(text)?;
    let blank = |part: &Part| matches!(part, Part::Text(text) if text.trim().is_empty());
    let mut expressions = parts.iter().filter(|part| !blank(part));
    match (expressions.next(), expressions.next()) {
        // Blanks around it, the line break of a block scalar for example, are not part of the value.
        (Some(Part::Expression(expression)), None) => Ok(match mode {
            Mode::Strict => Template::Expression(expression.clone()),
            Mode::Loose => Template::Attempt(expression.clone(), Data::new(Value::from(text))?),
        }),
        _ if mode == Mode::Loose && parts.len() > 1 => {
            for part in &mut parts {
                if let Part::Expression(expression) = part {
                    *part = Part::Attempt(expression.clone());
                }
            }
            Ok(Template::Text(parts))
        }
        _ if parts.iter().any(|part| matches!(part, Part::Expression(_))) => Ok(Template::Text(parts)),
        _ => {
            let data = Data::new(Value::from(text))?;
            match mode {
                Mode::Strict => Ok(Template::Literal(data)),
                Mode::Loose => Ok(Template::Attempt(Expression::parse(text), data)),
            }
        }
    }
}

/// Splits a string at its `${ … }`. jq's own braces, and its strings with whatever stands in them, are skipped.
fn split(text: &str) -> Result<Vec<Part>, ExpressionError> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        if start > 0 {
            parts.push(Part::Text(rest[..start].into()));
        }
        let body = &rest[start + 2..];
        let Some(end) = closing_brace(body) else {
            return Err(ExpressionError::Syntax {
                message: "a `${` is not closed; write `${ expression }`".into(),
                offset: Some(text.len() - rest.len() + start),
            });
        };
        parts.push(Part::Expression(Expression::parse(&body[..end])));
        rest = &body[end + 1..];
    }
    if !rest.is_empty() || parts.is_empty() {
        parts.push(Part::Text(rest.into()));
    }
    Ok(parts)
}

/// The place of the `}` that closes an expression.
fn closing_brace(body: &str) -> Option<usize> {
    #[derive(PartialEq)]
    enum Inside {
        Braces,
        Parentheses,
        String,
    }
    let mut open: Vec<Inside> = Vec::new();
    let mut characters = body.char_indices();
    while let Some((at, c)) = characters.next() {
        if open.last() == Some(&Inside::String) {
            match c {
                '"' => drop(open.pop()),
                '\\' if matches!(characters.next(), Some((_, '('))) => open.push(Inside::Parentheses),
                _ => {}
            }
            continue;
        }
        match c {
            '}' if open.is_empty() => return Some(at),
            '"' => open.push(Inside::String),
            '{' => open.push(Inside::Braces),
            '(' => open.push(Inside::Parentheses),
            '}' if open.last() == Some(&Inside::Braces) => drop(open.pop()),
            ')' if open.last() == Some(&Inside::Parentheses) => drop(open.pop()),
            _ => {}
        }
    }
    None
}

/// Builds a value, and stops before it becomes too large.
struct Build<'a, 's> {
    scope: &'a Scope<'s>,
    evaluator: &'a mut dyn Evaluator,
    bytes: u64,
    values: u64,
}

impl Build<'_, '_> {
    fn value(&mut self, template: &Template, depth: u16) -> Result<Value, ExpressionError> {
        match template {
            Template::Literal(data) => self.place(data, depth),
            Template::Expression(expression) => {
                let data = expression.evaluate(self.scope, self.evaluator)?;
                self.place(&data, depth)
            }
            Template::Attempt(expression, original) => {
                let data = match expression.evaluate(self.scope, self.evaluator) {
                    Ok(data) => data,
                    Err(denied @ ExpressionError::SecretDenied(_)) => return Err(denied),
                    Err(_) => original.clone(),
                };
                self.place(&data, depth)
            }
            Template::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Text(literal) => text.push_str(literal),
                        Part::Attempt(expression) => match expression.evaluate(self.scope, self.evaluator) {
                            Ok(data) => text.push_str(&as_text(&data)),
                            Err(denied @ ExpressionError::SecretDenied(_)) => return Err(denied),
                            Err(_) => text.push_str(&format!("${{ {} }}", expression.source())),
                        },
                        Part::Expression(expression) => {
                            text.push_str(&as_text(&expression.evaluate(self.scope, self.evaluator)?));
                        }
                    }
                    if self.bytes + text.len() as u64 > Data::MAX_BYTES {
                        return Err(too_large());
                    }
                }
                self.bytes += text.len() as u64;
                Ok(Value::String(text))
            }
            Template::Array(items) => {
                items.iter().map(|item| self.value(item, depth + 1)).collect::<Result<_, _>>().map(Value::Array)
            }
            Template::Object(members) => members
                .iter()
                .map(|(name, member)| Ok((name.clone(), self.value(member, depth + 1)?)))
                .collect::<Result<Map<_, _>, _>>()
                .map(Value::Object),
        }
    }

    /// Copies data to where it belongs.
    fn place(&mut self, data: &Data, depth: u16) -> Result<Value, ExpressionError> {
        self.bytes += data.bytes();
        self.values += u64::from(data.values());
        if self.bytes > Data::MAX_BYTES || self.values > Data::MAX_VALUES.into() {
            return Err(too_large());
        }
        if depth + data.depth() > Data::MAX_DEPTH {
            return Err(too_deep());
        }
        Ok(data.value().clone())
    }
}

/// A result in the midst of a text: as text, anything but a string as JSON.
fn as_text(data: &Data) -> Cow<'_, str> {
    match data.value() {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// No variables at all, for values that stand outside a workflow.
#[derive(Debug, Clone, Copy)]
pub struct NoBindings;

impl Bindings for NoBindings {
    fn variable(&self, _: &str) -> Option<std::sync::Arc<Value>> {
        None
    }

    fn grants_secret(&self, _: &str) -> bool {
        false
    }
}

impl<'a> Scope<'a> {
    /// A scope without variables, at the start of time.
    pub fn bare(input: &'a Data) -> Self {
        Scope { input, bindings: &NoBindings, now: Timestamp::UNIX_EPOCH }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Evaluation, Violation};

    /// Knows one program, `fail`, which fails.
    struct Fails;

    impl Evaluator for Fails {
        fn evaluate(&mut self, evaluation: Evaluation<'_>) -> Result<Value, ExpressionError> {
            Err(ExpressionError::Failed(format!("{} failed", evaluation.program)))
        }

        fn check(&mut self, _: &str, _: &[&str]) -> Result<(), ExpressionError> {
            unreachable!()
        }

        fn validate(&mut self, _: &str, _: &Value) -> Result<Vec<Violation>, ExpressionError> {
            unreachable!()
        }
    }

    fn evaluate(template: Value, mode: Mode, input: Value) -> Result<Value, ExpressionError> {
        let input = Data::new(input).unwrap();
        let data = Template::parse(&template, mode)?.evaluate(&Scope::bare(&input), &mut Fails)?;
        assert_eq!(Data::new(data.value().clone()).unwrap(), data, "the measure is right");
        Ok(data.value().clone())
    }

    #[test]
    fn only_what_stands_in_an_expression_is_evaluated() {
        let template = json!({"a": "${ .x }", "b": "plain .x", "c": ["${.y}", 3], "${ .k }": 1});
        let result = evaluate(template, Mode::Strict, json!({"x": {"deep": true}, "y": null})).unwrap();
        assert_eq!(result, json!({"a": {"deep": true}, "b": "plain .x", "c": [null, 3], "${ .k }": 1}));
    }

    #[test]
    fn a_single_expression_keeps_its_type_also_with_blanks_around_it() {
        assert_eq!(evaluate(json!(" ${ .n }\n"), Mode::Strict, json!({"n": 7})).unwrap(), json!(7));
    }

    #[test]
    fn expressions_in_a_text_become_text() {
        let result =
            evaluate(json!("Hello ${ .name }, ${ .n }${ .gone }!"), Mode::Strict, json!({"name": "A", "n": [1]}));
        assert_eq!(result.unwrap(), json!("Hello A, [1]null!"));
    }

    #[test]
    fn braces_and_quotes_of_jq_do_not_end_an_expression() {
        for program in [r#"{a: {b: 1}} | .a"#, r#""}" + "\"}""#, r#""\("}" + "\({a: "}"})")""#] {
            let text = format!("${{ {program} }} end");
            let Template::Text(parts) = Template::parse(&json!(text), Mode::Strict).unwrap() else {
                panic!("{program}")
            };
            let Part::Expression(expression) = &parts[0] else { panic!("{program}") };
            assert_eq!(expression.source(), program);
        }
    }

    #[test]
    fn an_expression_that_is_not_closed_is_refused_with_its_place() {
        let error = Template::parse(&json!("ab ${ .x"), Mode::Strict).unwrap_err();
        assert!(matches!(error, ExpressionError::Syntax { offset: Some(3), .. }), "{error:?}");
    }

    #[test]
    fn data_is_never_evaluated() {
        assert_eq!(
            evaluate(json!("${ .x }"), Mode::Strict, json!({"x": "${ .secret }"})).unwrap(),
            json!("${ .secret }")
        );
    }

    #[test]
    fn in_loose_mode_what_fails_stays_what_it_was() {
        let template = json!({"a": ".x", "b": "fail", "c": "${ .x }", "d": "${ fail }", "e": "${ .x } and ${ fail }"});
        let result = json!({"a": 1, "b": "fail", "c": 1, "d": "${ fail }", "e": "1 and ${ fail }"});
        assert_eq!(evaluate(template, Mode::Loose, json!({"x": 1})).unwrap(), result);
    }

    #[test]
    fn many_copies_of_large_data_are_refused_before_they_are_made() {
        let copies = Value::Array(vec![json!("${ . }"); 100_000]);
        let error = evaluate(copies, Mode::Strict, json!("x".repeat(1 << 20))).unwrap_err();
        assert_eq!(error, too_large());
    }

    #[test]
    fn data_does_not_grow_deeper_than_the_limit() {
        let deep = (0..99).fold(json!(1), |inner, _| json!([inner]));
        assert!(evaluate(json!(["${ . }"]), Mode::Strict, deep.clone()).is_ok());
        assert_eq!(evaluate(json!([["${ . }"]]), Mode::Strict, deep).unwrap_err(), too_deep());
    }
}
