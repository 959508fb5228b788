//! What holds for every document, whatever is in it.

use std::path::Path;

use hotcell_definition::{Definition, Severity};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// JSON of every shape, with every character in its strings and names.
fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![any::<String>(), "[ -~]{0,20}", r#"[\[\]{},:#&*!|>'"%@`\\ \t\n-]{0,12}"#];
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number)),
        text.clone().prop_map(Value::from),
    ];
    scalar.prop_recursive(6, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A workflow with free-form data in it that is not evaluated.
fn workflow_with(data: &Value) -> Value {
    json!({
        "document": { "dsl": "1.0.3", "namespace": "test", "name": "data", "version": "1.0.0", "metadata": { "data": data } },
        "do": [],
    })
}

fn check_diagnostics(document: &[u8]) {
    let Err(refused) = Definition::parse(document) else { return };
    assert!(refused.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error));
    for diagnostic in &refused.diagnostics {
        assert!(diagnostic.place.line >= 1 && diagnostic.place.column >= 1, "{diagnostic:?}");
        assert!(diagnostic.place.bytes().end <= document.len(), "{diagnostic:?}");
        if let Ok(text) = std::str::from_utf8(document) {
            assert!(text.get(diagnostic.place.bytes()).is_some(), "{diagnostic:?}");
        }
        assert!(!diagnostic.message.is_empty() && !diagnostic.help.is_empty(), "{diagnostic:?}");
    }
}

fn example(index: usize) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec-examples");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    std::fs::read(&files[index % files.len()]).unwrap()
}

proptest! {
    #[test]
    fn json_means_what_a_json_parser_says(data in any_json()) {
        let workflow = workflow_with(&data);
        let compact = serde_json::to_string(&workflow).unwrap();
        let pretty = serde_json::to_string_pretty(&workflow).unwrap();
        let mut tabs = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        serde::Serialize::serialize(&workflow, &mut serde_json::Serializer::with_formatter(&mut tabs, formatter)).unwrap();

        for text in [compact.into_bytes(), pretty.into_bytes(), tabs] {
            let parsed = Definition::parse(&text).map_err(|refused| TestCaseError::fail(format!("{refused:?} for {}", String::from_utf8_lossy(&text))))?;

            prop_assert_eq!(&*parsed.definition.source, &workflow);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        check_diagnostics(&bytes);
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        check_diagnostics(text.as_bytes());
    }

    #[test]
    fn arbitrary_yaml_like_text_never_panics(text in r#"([a-c]|[\[\]{},:#&*!|>'"%@` \t\n-]|- |: |\? |<<|\$\{|é|\r){0,60}"#) {
        check_diagnostics(text.as_bytes());
    }

    #[test]
    fn mutated_examples_never_panic(
        index in 0..68usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..4u8, any::<u8>(), 1..20usize), 1..8),
    ) {
        let mut bytes = example(index);
        for (at, kind, byte, length) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            let end = (at + length).min(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => drop(bytes.drain(at..end)),
                2 => {
                    let piece = bytes[at..end].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ => bytes.insert(at, b"\n :-{}[]'\"#"[usize::from(byte) % 11]),
            }
        }
        check_diagnostics(&bytes);
    }

    #[test]
    fn examples_with_any_value_exchanged_never_panic(index in 0..68usize, steps in prop::collection::vec(any::<prop::sample::Index>(), 1..8), value in any_json()) {
        let Ok(parsed) = Definition::parse(&example(index)) else { return Ok(()) };
        let mut document = (*parsed.definition.source).clone();
        let mut pointer = String::new();
        for step in steps {
            match document.pointer(&pointer).unwrap() {
                Value::Array(items) if !items.is_empty() => pointer.push_str(&format!("/{}", step.index(items.len()))),
                Value::Object(members) if !members.is_empty() => {
                    let name = members.keys().nth(step.index(members.len())).unwrap();
                    pointer.push_str(&format!("/{}", name.replace('~', "~0").replace('/', "~1")));
                }
                _ => break,
            }
        }
        *document.pointer_mut(&pointer).unwrap() = value;

        check_diagnostics(document.to_string().as_bytes());
    }
}
