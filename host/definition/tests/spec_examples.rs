//! The examples of the specification, and the whole documents in its texts, unchanged.

use std::path::{Path, PathBuf};

use hotcell_definition::Definition;

fn documents(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder is part of the repository")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files
}

fn accept_without_a_warning(path: &Path) {
    let text = std::fs::read(path).expect("readable");

    let parsed = Definition::parse(&text).unwrap_or_else(|refused| panic!("{path:?}: {:#?}", refused.diagnostics));

    assert_eq!(parsed.warnings, [], "{path:?}");
}

#[test]
fn every_example_of_the_specification_is_accepted_without_a_warning() {
    let examples = documents("spec-examples");
    assert_eq!(examples.len(), 68);

    for path in examples {
        accept_without_a_warning(&path);
    }
}

#[test]
fn every_document_in_the_reference_and_in_the_guide_is_accepted_without_a_warning() {
    let documents = documents("reference-examples");
    assert_eq!(documents.len(), 41);

    for path in documents {
        accept_without_a_warning(&path);
    }
}

#[test]
fn every_example_means_the_same_in_json() {
    for path in documents("spec-examples") {
        let text = std::fs::read(&path).expect("readable");
        let from_yaml = Definition::parse(&text).unwrap().definition;
        let compact = serde_json::to_vec(&*from_yaml.source).unwrap();
        let pretty = serde_json::to_string_pretty(&*from_yaml.source).unwrap().replace("  ", "\t");

        for json in [compact, pretty.into_bytes()] {
            let from_json = Definition::parse(&json).unwrap_or_else(|refused| panic!("{path:?}: {refused}"));

            assert_eq!(from_json.definition, from_yaml, "{path:?}");
        }
    }
}
