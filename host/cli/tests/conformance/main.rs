//! The conformance suite: workflows and what becomes of them, as data, run by the `hotcell` command as a user runs it.
//!
//! The cases stand in `tests/conformance/cases` (see the README there for their form), features in the language of the
//! specification's conformance test kit in `tests/conformance/features`. Each case and each scenario is a test:
//!
//! ```sh
//! cargo test --workspace --test conformance                 everything
//! cargo test --workspace --test conformance -- data-flow    what has this in its name
//! scripts/conformance FOLDER                                the features of any folder
//! ```
//!
//! What needs something that the command refuses as "does not run yet" is skipped, and counted aloud at the end.

mod case;
mod compare;
mod expectation;
mod features;
mod gherkin;
mod requirements;
mod run;
mod stand_in;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use crate::requirements::Requirements;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance");
    let requirements = Requirements::read(&root.join("requires.yaml"));
    let trials = match std::env::var_os("HOTCELL_FEATURES") {
        Some(folder) => features::trials(&PathBuf::from(folder), &requirements),
        None => {
            let mut trials = case::trials(&root.join("cases"), &requirements);
            trials.extend(features::trials(&root.join("features"), &requirements));
            trials.extend(expectation::trials());
            trials
        }
    };
    let skipped: usize = trials.iter().filter(|trial| trial.has_ignored_flag()).count();
    if trials.is_empty() {
        eprintln!("there is nothing to test");
        return ExitCode::FAILURE;
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if skipped > 0 && !arguments.list {
        eprintln!("SKIPPED: {skipped} cases need what this version does not run yet: {}", requirements.missing());
    }
    conclusion.exit_code()
}

/// Every file of a folder with this extension, in the order of their names.
///
/// # Panics
/// If the folder cannot be read.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = folder.read_dir().unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.expect("an entry of the folder").path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|is| is == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// YAML 1.2, as for definitions: `n` is no boolean.
fn from_yaml<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
}

/// A test that reports what did not fit.
fn trial(name: String, check: impl FnOnce() -> Result<(), String> + Send + 'static) -> Trial {
    Trial::test(name, move || check().map_err(Into::into))
}
