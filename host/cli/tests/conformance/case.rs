//! The cases: files of groups, each of which names the sentence that its cases test.

use std::collections::BTreeMap;
use std::path::Path;

use libtest_mimic::Trial;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::expectation::Expectation;
use crate::requirements::Requirements;
use crate::run::{Ran, Run};
use crate::{files, from_yaml, trial};

/// Cases that test the same sentence.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    /// Where the sentence stands in the specification.
    section: String,
    /// What it demands, in our words.
    rule: String,
    /// What the cases need that may not run yet, by its names in `requires.yaml`.
    #[serde(default)]
    requires: Vec<String>,
    cases: Vec<Case>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What it shows, as a sentence.
    case: String,
    /// The document: as text, or as data of which `document` may be left out.
    definition: Value,
    #[serde(default, deserialize_with = "present")]
    input: Option<Value>,
    /// The secrets that are granted.
    #[serde(default)]
    secrets: Map<String, Value>,
    /// Definitions that `run: workflow` finds.
    #[serde(default)]
    workflows: Vec<Value>,
    /// CloudEvents that are fed to the workflow, in order. What every event has may be left out.
    #[serde(default)]
    events: Vec<Map<String, Value>>,
    /// Other files in the folder of the definition, by name.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Further arguments of `hotcell run`.
    #[serde(default)]
    arguments: Vec<String>,
    expect: Expectation,
}

/// A `null` that is written down is a value.
pub(crate) fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A test for each case of a folder.
///
/// # Panics
/// If a file is not one of cases, if a case expects nothing, or if two have the same name.
pub(crate) fn trials(folder: &Path, requirements: &Requirements) -> Vec<Trial> {
    let mut trials: BTreeMap<String, Trial> = BTreeMap::new();
    for file in files(folder, "yaml") {
        let text = std::fs::read_to_string(&file).expect("the file can be read");
        let groups: Vec<Group> = from_yaml(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let stem = file.file_stem().expect("a file has a name").display().to_string();
        for group in groups {
            let runs = requirements.meets(&group.requires);
            let about = format!("{}: {}", group.section, group.rule);
            for case in group.cases {
                let name = format!("{stem}: {}", case.case);
                case.expect.assert_complete().unwrap_or_else(|error| panic!("{name}: {error}"));
                let about = about.clone();
                let test = trial(name.clone(), move || case.check().map_err(|error| format!("{about}\n{error}")));
                let before = trials.insert(name.clone(), test.with_ignored_flag(!runs));
                assert!(before.is_none(), "two cases are named {name:?}");
            }
        }
    }
    trials.into_values().collect()
}

impl Case {
    fn check(&self) -> Result<(), String> {
        let ran = self.run()?;
        self.expect.check(&ran).map_err(|error| format!("{error}\n{}", ran.told()))
    }

    fn run(&self) -> Result<Ran, String> {
        let mut run = Run::new(&document(&self.definition, "test"))?;
        if let Some(input) = &self.input {
            run.input(input);
        }
        for (name, value) in &self.secrets {
            run.secret(name, value);
        }
        for (number, definition) in self.workflows.iter().enumerate() {
            run.workflow(number, &document(definition, &format!("workflow-{number}")))?;
        }
        if !self.events.is_empty() {
            let lines: String = self.events.iter().zip(1..).map(|(event, number)| cloud_event(event, number)).collect();
            run.file("events.ndjson", &lines)?;
            run.arguments(&["--event".into(), "@events.ndjson".into()]);
        }
        for (name, content) in &self.files {
            run.file(name, content)?;
        }
        run.arguments(&self.arguments);
        run.end()
    }
}

/// The text of a definition. That of data is JSON, which is YAML too.
fn document(definition: &Value, name: &str) -> String {
    let Value::Object(members) = definition else {
        return definition.as_str().map_or_else(|| definition.to_string(), str::to_owned);
    };
    let mut whole = serde_json::json!({
        "document": { "dsl": "1.0.3", "namespace": "test", "name": name, "version": "0.1.0" },
    });
    whole.as_object_mut().expect("it is an object").extend(members.clone());
    whole.to_string()
}

/// A line with an event, completed with what every event has.
fn cloud_event(event: &Map<String, Value>, number: usize) -> String {
    let mut whole = serde_json::json!({
        "specversion": "1.0",
        "id": number.to_string(),
        "source": "https://example.com/source",
        "type": "com.example.event",
    });
    whole.as_object_mut().expect("it is an object").extend(event.clone());
    format!("{whole}\n")
}
