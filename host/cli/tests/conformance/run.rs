//! One run of `hotcell run`, as a user starts it.

use std::io::Read;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::stand_in::StandIn;

/// How long a run may take. The slowest case waits for a fraction of a second; the rest is for a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A run that is being prepared. Its folder goes with it.
pub(crate) struct Run {
    folder: tempfile::TempDir,
    command: Command,
}

/// What a run left.
pub(crate) struct Ran {
    /// The exit code; nothing if the run had to be killed.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    /// What `--progress json` told.
    pub(crate) events: Vec<Value>,
    /// Lines on standard error that are no events.
    pub(crate) messages: String,
}

/// The command, with one cache of compiled components for all tests: the one that was built with this test, or another
/// one that the environment names as `HOTCELL`.
pub(crate) fn hotcell() -> Command {
    let built = || env!("CARGO_BIN_EXE_hotcell").into();
    let mut command = Command::new(std::env::var_os("HOTCELL").unwrap_or_else(built));
    command.env("HOTCELL_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    command.env_remove("HOTCELL_LOG");
    command
}

impl Run {
    /// A run of this document. Requests for services that have a stand-in reach it.
    pub(crate) fn new(document: &str) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let file = folder.path().join("workflow.yaml");
        let mut command = hotcell();
        command.arg("run").arg(&file).args(["--progress", "json"]).current_dir(folder.path());
        if StandIn::is_named_in(document) {
            command.arg("--allow-net").arg(StandIn::start().address());
        }
        let run = Run { folder, command };
        run.file("workflow.yaml", document)?;
        Ok(run)
    }

    pub(crate) fn input(&mut self, input: &Value) {
        self.command.arg("--input").arg(input.to_string());
    }

    pub(crate) fn secret(&mut self, name: &str, value: &Value) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.command.arg("--secret").arg(format!("{name}={value}"));
    }

    /// Puts a definition where `run: workflow` finds it.
    pub(crate) fn workflow(&mut self, number: usize, document: &str) -> Result<(), String> {
        let catalog = self.folder.path().join("catalog");
        if number == 0 {
            self.command.arg("--catalog").arg(&catalog);
        }
        self.file(&format!("catalog/{number}.yaml"), document)
    }

    /// Puts a file beside the definition.
    pub(crate) fn file(&self, name: &str, content: &str) -> Result<(), String> {
        let path = self.folder.path().join(name);
        let parent = path.parent().expect("it stands in the folder");
        std::fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
        std::fs::write(&path, StandIn::redirect(content)).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub(crate) fn arguments(&mut self, arguments: &[String]) {
        self.command.args(arguments.iter().map(|argument| StandIn::redirect(argument)));
    }

    /// Runs it to its end.
    pub(crate) fn end(mut self) -> Result<Ran, String> {
        self.command.stdin(Stdio::null());
        let (status, stdout, stderr) = run_within(&mut self.command, LIMIT)?;
        let (mut events, mut messages) = (Vec::new(), String::new());
        for line in StandIn::restore(&stderr).lines() {
            match serde_json::from_str(line) {
                Ok(event @ Value::Object(_)) => events.push(event),
                _ => messages += &format!("{line}\n"),
            }
        }
        Ok(Ran {
            code: status.and_then(|status| status.code()),
            stdout: StandIn::restore(stdout.trim_end()),
            events,
            messages,
        })
    }
}

/// Runs a command, and kills it when its time is up. Its two outputs are read by threads of their own, so that neither
/// fills up.
pub(crate) fn run_within(
    command: &mut Command,
    limit: Duration,
) -> Result<(Option<ExitStatus>, String, String), String> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("hotcell does not start: {error}"))?;
    let stdout = read_all(child.stdout.take().expect("it is piped"));
    let stderr = read_all(child.stderr.take().expect("it is piped"));
    let status = wait_timeout(&mut child, limit).map_err(|error| error.to_string())?;
    let text = |reader: std::thread::JoinHandle<String>| reader.join().expect("the reader does not panic");
    Ok((status, text(stdout), text(stderr)))
}

/// Nothing if the child had to be killed.
fn wait_timeout(child: &mut std::process::Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let end = std::time::Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if std::time::Instant::now() >= end {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn read_all(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before an error is still worth showing.
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Ran {
    /// The output, if the workflow completed.
    pub(crate) fn output(&self) -> Option<Value> {
        (self.code == Some(0)).then(|| serde_json::from_str(&self.stdout).ok()).flatten()
    }

    /// The problem, if the workflow faulted.
    pub(crate) fn problem(&self) -> Option<&Value> {
        let last = self.named("workflow_failed").last();
        last.filter(|_| self.code == Some(1)).map(|event| &event["error"])
    }

    /// The events of this name.
    pub(crate) fn named<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r Value> {
        self.events.iter().filter(move |event| event["event"] == name)
    }

    /// The names of the tasks in the order in which they started.
    pub(crate) fn order(&self) -> Vec<&str> {
        self.named("task_started").filter_map(|event| event["task"]["name"].as_str()).collect()
    }

    /// How the run ended, for who reads why a test failed.
    pub(crate) fn told(&self) -> String {
        let mut told = match self.code {
            Some(code) => format!("exit code {code}\n"),
            None => format!("killed after {} s\n", LIMIT.as_secs()),
        };
        if !self.stdout.is_empty() {
            told += &format!("standard output: {}\n", self.stdout);
        }
        if let Some(problem) = self.problem() {
            told += &format!("problem: {problem}\n");
        }
        told + &self.messages
    }
}
