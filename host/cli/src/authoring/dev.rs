//! `hotcell dev`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use hotcell_definition::Definition;
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::watch::Watch;
use super::{COMPONENT, Language, build};
use crate::arguments::DevCommand;
use crate::document;
use crate::drawing::printable;
use crate::say::say;
use crate::signals::Interruptions;

/// How long a run may take to end once it has been told to.
const FAREWELL: Duration = Duration::from_secs(3);
/// How many of the changed files are named.
const NAMED: usize = 3;

/// Builds the tasks of a workflow and runs it, again whenever something changes, until it is interrupted.
pub(crate) async fn dev(command: DevCommand) -> anyhow::Result<ExitCode> {
    let file = match command.file.is_dir() {
        true => command.file.join("workflow.yaml"),
        false => command.file.clone(),
    };
    let file = std::path::absolute(file)?;
    let Some(folder) = file.parent().filter(|_| file.is_file()) else {
        bail!("{}: there is no such file; give a definition, or a folder with a workflow.yaml", file.display());
    };
    let mut interruptions = Interruptions::listen()?;
    let mut tasks = tasks_of(&file);
    let mut watched: BTreeSet<PathBuf> = tasks.iter().cloned().chain([folder.to_owned()]).collect();
    // What is in a folder that is watched is watched with it.
    watched.retain(|path| path == folder || !path.starts_with(folder));
    let watch = Watch::begin(&watched)?;

    let mut stale = tasks.clone();
    loop {
        let mut run = match rebuild(&stale).await {
            true => {
                stale.clear();
                Some(start(&file, &command)?)
            }
            // What could not be built is built again when something changes.
            false => None,
        };
        say(format_args!("watching {} for changes; Ctrl-C ends this", folder.display()));
        let changed = loop {
            tokio::select! {
                () = interruptions.next() => {
                    stop(run).await;
                    return Ok(ExitCode::SUCCESS);
                }
                status = ended(&mut run) => {
                    run = None;
                    say(format_args!("{}; watching for changes", described(status)));
                }
                changed = watch.next() => break changed,
            }
        };
        stop(run).await;
        say(format_args!("{}", printable(&named(&changed, folder))));
        // The definition may name others by now.
        tasks.extend(tasks_of(&file));
        stale.extend(tasks.iter().filter(|task| changed.iter().any(|path| path.starts_with(task))).cloned());
        stale.retain(|task| task.is_dir());
    }
}

/// The folders of the tasks that a definition calls and that have a source: those where a component is what `hotcell build` makes. None
/// if the definition cannot be read; what is wrong with it, the run says.
fn tasks_of(file: &Path) -> BTreeSet<PathBuf> {
    let Some(folder) = file.parent() else { return BTreeSet::new() };
    let parsed = document::read(file).ok().and_then(|bytes| Definition::parse(&bytes).ok());
    let mut names = BTreeSet::new();
    if let Some(parsed) = parsed {
        components(&parsed.definition.source, &mut names);
    }
    let paths = names.iter().map(|name| folder.join(name));
    let built = paths.filter(|path| path.file_name().is_some_and(|name| name == COMPONENT));
    built.filter_map(|path| path.parent().map(Path::to_owned)).filter(|folder| Language::of(folder).is_some()).collect()
}

/// What stands as `component` in this part of a document. Documents are not nested deep.
fn components(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "component" => drop(names.insert(text.clone())),
                    other => components(other, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| components(item, names)),
        _ => {}
    }
}

/// Builds these, and says what is wrong. Returns whether all of them were built.
async fn rebuild(tasks: &BTreeSet<PathBuf>) -> bool {
    for task in tasks.clone() {
        let built = tokio::task::spawn_blocking(move || build::folder(&task)).await;
        if let Err(error) = built.map_err(Into::into).flatten() {
            say(format_args!("{}", printable(&format!("{error:#}"))));
            return false;
        }
    }
    true
}

/// Runs the workflow, as `hotcell run` in a process of its own, so that whatever it does can be ended.
fn start(file: &Path, command: &DevCommand) -> anyhow::Result<Child> {
    let mut run = Command::new(std::env::current_exe().context("where this program is cannot be found out")?);
    run.arg("run").arg(file).stdin(Stdio::null()).kill_on_drop(true);
    if let Some(input) = &command.input {
        run.arg("--input").arg(input);
    }
    run.args(&command.options);
    // Of its own, so that a Ctrl-C at the terminal comes to us alone, and to the run once.
    #[cfg(unix)]
    run.process_group(0);
    run.spawn().context("the workflow could not be started")
}

async fn ended(run: &mut Option<Child>) -> Option<ExitStatus> {
    match run {
        Some(child) => child.wait().await.ok(),
        None => std::future::pending().await,
    }
}

/// Tells a run to end, and makes it.
async fn stop(run: Option<Child>) {
    let Some(mut child) = run else { return };
    interrupt(&child);
    if timeout(FAREWELL, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

#[cfg(unix)]
fn interrupt(child: &Child) {
    let process = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(process) = process {
        // It may have ended by itself just now.
        let _ = rustix::process::kill_process(process, rustix::process::Signal::INT);
    }
}

#[cfg(not(unix))]
fn interrupt(_: &Child) {}

fn described(status: Option<ExitStatus>) -> String {
    match status.and_then(|status| status.code()) {
        Some(0) => "completed".into(),
        Some(code) => format!("ended with exit code {code}"),
        None => "ended".into(),
    }
}

/// `src/task.ts and 4 more changed`
fn named(changed: &BTreeSet<PathBuf>, folder: &Path) -> String {
    let names = changed.iter().map(|path| path.strip_prefix(folder).unwrap_or(path).display().to_string());
    let first: Vec<String> = names.take(NAMED).collect();
    match changed.len().saturating_sub(NAMED) {
        0 => format!("changed: {}", first.join(", ")),
        more => format!("changed: {} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tasks_of_a_definition_are_the_folders_in_which_it_looks_for_what_is_built() {
        let folder = tempfile::tempdir().unwrap();
        for task in ["price", "ship"] {
            std::fs::create_dir(folder.path().join(task)).unwrap();
        }
        std::fs::write(folder.path().join("price/go.mod"), "module price").unwrap();
        let file = folder.path().join("workflow.yaml");
        let definition = "
document: { dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }
do:
  - a: { call: wasm, with: { component: price/task.wasm } }
  - b: { do: [{ c: { call: wasm, with: { component: ship/task.wasm } } }] }
  - d: { call: wasm, with: { component: price/other.wasm } }
";
        std::fs::write(&file, definition).unwrap();
        assert_eq!(tasks_of(&file), BTreeSet::from([folder.path().join("price")]));
        std::fs::write(&file, "not a definition").unwrap();
        assert!(tasks_of(&file).is_empty());
    }

    #[test]
    fn a_few_of_the_changed_files_are_named() {
        let paths: BTreeSet<PathBuf> = ["/w/a", "/w/b", "/w/c", "/w/d"].map(PathBuf::from).into();
        assert_eq!(named(&paths, Path::new("/w")), "changed: a, b, c and 1 more");
    }
}
