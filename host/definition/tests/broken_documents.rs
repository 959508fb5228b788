//! Documents that are wrong, each refused with what is wrong, where, and what to do: one snapshot for each.

use std::fmt::Write;
use std::path::Path;

use hotcell_definition::{Definition, Diagnostic, Severity};

/// A diagnostic with the line of the document and what it points at, as a person would want to see it.
fn show(diagnostic: &Diagnostic, document: &str) -> String {
    let place = diagnostic.place;
    let line = document.lines().nth(place.line as usize - 1).unwrap_or_default();
    let caret: String =
        line.chars().take(place.column as usize - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let here = &document[place.bytes()];
    let marks = "^".repeat(here.lines().next().unwrap_or_default().chars().count().max(1));
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut text = String::new();
    writeln!(text, "{severity} {} at {}:{} {}", diagnostic.code, place.line, place.column, diagnostic.pointer).unwrap();
    writeln!(text, "    {line}\n    {caret}{marks}").unwrap();
    writeln!(text, "  {}\n  {}", diagnostic.message, diagnostic.help).unwrap();
    if let Some(related) = &diagnostic.related {
        writeln!(text, "  {}:{} {}", related.place.line, related.place.column, related.message).unwrap();
    }
    text
}

#[test]
fn every_broken_document_is_refused_with_line_column_and_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    assert!(paths.len() >= 40, "{}", paths.len());

    for path in paths {
        let document = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();

        let Err(refused) = Definition::parse(document.as_bytes()) else { panic!("{name} is accepted") };

        let shown: Vec<_> = refused.diagnostics.iter().map(|diagnostic| show(diagnostic, &document)).collect();
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "broken" }, {
            insta::assert_snapshot!(name, shown.join("\n"));
        });
    }
}

#[test]
fn what_is_valid_and_not_as_it_should_be_is_warned_of_with_what_to_write_instead() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/warned");
    for name in ["standard-forms", "no-effect"] {
        let document = std::fs::read_to_string(folder.join(name).with_extension("yaml")).unwrap();

        let parsed = Definition::parse(document.as_bytes()).unwrap_or_else(|refused| panic!("{refused}"));

        let shown: Vec<_> = parsed.warnings.iter().map(|diagnostic| show(diagnostic, &document)).collect();
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "warned" }, {
            insta::assert_snapshot!(name, shown.join("\n"));
        });
    }
}

#[test]
fn diagnostics_are_json_for_scripts() {
    let document = "document: { dsl: '1.0.3', namespace: test, name: json, version: '1.0.0' }\ndo: []\ndo: []\n";

    let refused = Definition::parse(document.as_bytes()).unwrap_err();

    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "broken" }, {
        insta::assert_json_snapshot!("as-json", refused.diagnostics);
    });
}
