//! What a definition will ask of an evaluator, told before it is executed.

use hotcell_definition::{Definition, EvaluationMode};
use hotcell_expression::{Expression, Mode, Needs, Part, Template};
use serde_json::Value;

/// The fields that are expressions as a whole, with or without `${ }`.
const EXPRESSIONS: [&str; 8] = ["if", "when", "exceptWhen", "while", "until", "in", "from", "as"];

/// Looks through the document for what an evaluator has to be ready for.
///
/// This is for making things ready early, and for nothing else: what is missed here is made ready when it is first
/// used, and what is found in vain costs a little time. So it looks at names of fields only, and knows of no task by name.
pub fn needs(definition: &Definition) -> Needs {
    // Every string is tried, the title of the document included.
    let mut needs = Needs { jq: definition.evaluate.mode == EvaluationMode::Loose, schemas: false };
    let mut open = vec![("", "", &*definition.source)];
    while let Some((within, field, value)) = open.pop() {
        match value {
            Value::Object(members) => {
                needs.schemas |=
                    field == "schema" && (members.contains_key("document") || members.contains_key("resource"));
                open.extend(members.iter().map(|(name, member)| (field, name.as_str(), member)));
            }
            Value::Array(items) => open.extend(items.iter().map(|item| (field, "", item))),
            // `catch.as` is the name of a variable.
            Value::String(text) if EXPRESSIONS.contains(&field) && (within, field) != ("catch", "as") => {
                needs.jq |= enclosed(text) || (!text.contains("${") && is_program(&Expression::parse(text)));
            }
            Value::String(text) => needs.jq |= enclosed(text),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        if needs.jq && needs.schemas {
            break;
        }
    }
    needs
}

/// Whether a `${ … }` in the text is a program.
fn enclosed(text: &str) -> bool {
    if !text.contains("${") {
        return false;
    }
    match Template::parse(&Value::from(text), Mode::Strict) {
        Ok(Template::Expression(expression)) => is_program(&expression),
        Ok(Template::Text(parts)) => {
            parts.iter().any(|part| matches!(part, Part::Expression(expression) if is_program(expression)))
        }
        _ => false,
    }
}

fn is_program(expression: &Expression) -> bool {
    expression.program().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs_of(rest: &str) -> Needs {
        let document = format!("document: {{ dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }}\n{rest}");
        needs(&Definition::parse(document.as_bytes()).expect("a valid document").definition)
    }

    #[test]
    fn what_the_host_evaluates_by_itself_needs_nothing() {
        let nothing = Needs { jq: false, schemas: false };
        assert_eq!(needs_of("do: [{ a: { if: .ready, set: { text: 'Hello ${ .name }!', n: 1 } } }]"), nothing);
        let caught = "do: [{ a: { try: [{ b: { set: { n: 1 } } }], catch: { as: refusal, do: [] } } }]";
        assert_eq!(needs_of(caught), nothing);
    }

    #[test]
    fn a_program_needs_jq_wherever_it_stands() {
        let jq = Needs { jq: true, schemas: false };
        for rest in [
            "do: [{ a: { if: '.n > 1', set: { n: 1 } } }]",
            "do: [{ a: { set: { deep: [{ text: 'and ${ .n + 1 } more' }] } } }]",
            "do: [{ a: { for: { in: 'range(3)' }, do: [] } }]",
            "do: [{ a: { set: { n: 1 } } }]\noutput: { as: length }",
            "evaluate: { mode: loose }\ndo: [{ a: { set: { n: 1 } } }]",
        ] {
            assert_eq!(needs_of(rest), jq, "{rest}");
        }
    }

    #[test]
    fn a_schema_needs_the_validator() {
        let schemas = Needs { jq: false, schemas: true };
        let schema = "{ schema: { document: { type: object } } }";
        assert_eq!(needs_of(&format!("input: {schema}\ndo: [{{ a: {{ set: {{ n: 1 }} }} }}]")), schemas);
        assert_eq!(needs_of(&format!("do: [{{ a: {{ set: {{ n: 1 }}, output: {schema} }} }}]")), schemas);
    }
}
