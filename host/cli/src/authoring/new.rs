//! `hotcell new`

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::templates;
use crate::arguments::NewCommand;
use crate::say::say;

/// Begins a task: a folder with its source, its SDK, and a workflow that calls it.
pub(crate) fn new(command: &NewCommand) -> anyhow::Result<ExitCode> {
    let name = name_of(&command.path)?;
    refuse_what_is_there(&command.path)?;
    for template in templates::of(command.language) {
        write(&command.path.join(template.path), &filled_in(template.text, name))?;
    }
    let folder = command.path.display();
    let source = command.path.join(command.language.source());
    say(format_args!("{folder}: a task in {}; its source is {}", command.language.name(), source.display()));
    say(format_args!(
        "next: hotcell build {folder} && hotcell run {folder}/workflow.yaml --input @{folder}/order.json"
    ));
    Ok(ExitCode::SUCCESS)
}

/// The name of the task: the last part of its path.
fn name_of(path: &Path) -> anyhow::Result<&str> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    // What cargo, npm, Go and the specification (RFC 1123) take alike.
    let is_valid = name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !is_valid {
        bail!(
            "{name:?} cannot be the name of a task: it takes lower-case letters, digits and dashes, begins with a letter, \
             and has at most 63 of them"
        );
    }
    // A crate cannot be called like the crate that it uses, nor like a test of its own language.
    if ["hotcell", "hotcell-macros", "test", "core", "std", "main"].contains(&name) {
        bail!("{name:?} cannot be the name of a task: tools know something else by it; choose another one");
    }
    Ok(name)
}

/// Nothing of anybody's is overwritten.
fn refuse_what_is_there(path: &Path) -> anyhow::Result<()> {
    let is_empty = fs::read_dir(path).map(|mut entries| entries.next().is_none());
    match is_empty {
        Ok(true) => Ok(()),
        Ok(false) => bail!("{}: this folder is there already and is not empty; choose another name", path.display()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

fn filled_in(text: &str, name: &str) -> String {
    // In the repository, the contract stands elsewhere.
    text.replace(templates::NAME, name).replace("\"../../wit/task.wit\"", "\"wit/task.wit\"")
}

fn write(path: &PathBuf, text: &str) -> anyhow::Result<()> {
    let written = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
    };
    written().with_context(|| format!("could not write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::super::Language;
    use super::*;

    #[test]
    fn a_name_is_one_that_every_tool_takes() {
        for good in ["price", "a", "price-2"] {
            assert_eq!(name_of(&Path::new("tasks").join(good)).unwrap(), good);
        }
        let long = "a".repeat(64);
        for bad in ["", "..", "Price", "2price", "price-", "pr ice", "hotcell", &long] {
            assert!(name_of(Path::new(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_language_begins_with_a_folder_that_is_known_as_its_own() {
        for language in Language::ALL {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("price");
            new(&NewCommand { path: path.clone(), language }).unwrap();
            assert_eq!(Language::of(&path), Some(language));
            assert!(path.join(language.source()).is_file());
            let workflow = fs::read_to_string(path.join("workflow.yaml")).unwrap();
            assert!(workflow.contains("name: price\n"), "{workflow}");
            assert!(new(&NewCommand { path, language }).is_err(), "what is there is not overwritten");
        }
    }
}
