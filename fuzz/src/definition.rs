//! Documents: read, checked, drawn.

use hotcell_definition::{Code, Definition, Diagnostic, Fault, Proceed, Severity};

/// Reads a document. Whatever comes of it must be consistent: places within the text, texts that say something, a
/// definition that is one when its data is written as JSON, with the same data.
pub fn definition(document: &[u8]) {
    match Definition::parse(document) {
        Err(refused) => {
            assert!(refused.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error));
            refused.diagnostics.iter().for_each(|diagnostic| check(diagnostic, document));
        }
        Ok(parsed) => {
            parsed.warnings.iter().for_each(|warning| check(warning, document));
            let text = std::str::from_utf8(document).expect("what was read is UTF-8");
            // Something wrong with every expression, at another place in each.
            let mut count = 0;
            let found = parsed.locations.check_expressions(text, |site, faults| {
                count += 1;
                let offset = count * 7 % (site.source().len() + 2);
                faults.push(Fault {
                    code: Code::InvalidExpression,
                    offset: offset.checked_sub(1),
                    message: "Wrong.".into(),
                    help: "Correct it.".into(),
                });
                assert!(!site.has_variable("") && site.variables().all(|name| site.has_variable(name)));
                Proceed::Yes
            });
            found.iter().for_each(|diagnostic| check(diagnostic, document));
            hotcell_graph::svg(&parsed.definition);
            hotcell_graph::mermaid(&parsed.definition);
            let json = serde_json::to_vec(&*parsed.definition.source).expect("it is JSON");
            let again = Definition::parse(&json).unwrap_or_else(|refused| panic!("{refused}"));
            // Not the whole definition: `TRUE` where a text is wanted is that text, and the data has a boolean there.
            assert_eq!(again.definition.source, parsed.definition.source);
        }
    }
}

fn check(diagnostic: &Diagnostic, document: &[u8]) {
    let Diagnostic { place, message, help, .. } = diagnostic;
    assert!(place.line >= 1 && place.column >= 1, "{diagnostic:?}");
    assert!(place.bytes().end <= document.len(), "{diagnostic:?}");
    if let Ok(text) = std::str::from_utf8(document) {
        assert!(text.get(place.bytes()).is_some(), "{diagnostic:?}");
        // A line break is what YAML calls one.
        let before = &text[..place.offset as usize];
        let lines = before.replace("\r\n", "\n").matches(['\n', '\r']).count();
        assert!((place.line as usize) <= lines + 1, "{diagnostic:?}");
    }
    assert!(!message.is_empty() && !help.is_empty(), "{diagnostic:?}");
}
