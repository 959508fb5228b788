//! Running the tools of other languages.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, bail};

use crate::drawing::printable;
use crate::say::say;

/// Where a program is, if it can be run.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|folder| {
            let extension = std::env::consts::EXE_EXTENSION;
            [folder.join(program), folder.join(program).with_extension(extension)]
        })
        .find(|candidate| is_program(candidate))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// The same, or how to get it.
pub(super) fn need(program: &str, how: &str) -> anyhow::Result<PathBuf> {
    find(program).with_context(|| format!("there is no `{program}` on the PATH; {how}"))
}

/// A command that is about to run in the folder of a task.
pub(super) struct Tool {
    command: Command,
}

impl Tool {
    /// The program, in the folder.
    pub(super) fn new(program: impl Into<OsString>, folder: &Path) -> Self {
        let mut command = Command::new(program.into());
        command.current_dir(folder).stdin(Stdio::null());
        Tool { command }
    }

    /// Adds arguments.
    pub(super) fn with<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of the environment.
    pub(super) fn environment(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.command.env(name, value.into());
        self
    }

    /// Takes variables out of the environment.
    pub(super) fn without(mut self, names: &[&str]) -> Self {
        for name in names {
            self.command.env_remove(name);
        }
        self
    }

    /// Runs it; what it says goes to standard error.
    ///
    /// # Errors
    /// It cannot be started, or does not succeed.
    pub(super) fn run(mut self) -> anyhow::Result<()> {
        self.tell();
        self.command.stdout(Stdio::from(io::stderr()));
        let status = self.command.status().with_context(|| format!("could not start {}", self.words()))?;
        self.expect_success(status)
    }

    /// Runs it, and returns what it writes to standard output.
    ///
    /// # Errors
    /// It cannot be started, or does not succeed.
    pub(super) fn output(mut self) -> anyhow::Result<Vec<u8>> {
        self.tell();
        self.command.stdout(Stdio::piped()).stderr(Stdio::inherit());
        let output = self.command.output().with_context(|| format!("could not start {}", self.words()))?;
        self.expect_success(output.status)?;
        Ok(output.stdout)
    }

    /// What a program answers when asked about itself, if it answers.
    pub(super) fn ask(mut self) -> Option<String> {
        let output = self.command.stdout(Stdio::piped()).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn tell(&self) {
        say(format_args!("$ {}", printable(&self.words())));
    }

    fn words(&self) -> String {
        let program = Path::new(self.command.get_program());
        // Where a tool was found says nothing to most people.
        let program = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
        let arguments = self.command.get_args().map(|argument| argument.to_string_lossy().into_owned());
        std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ")
    }

    fn expect_success(&self, status: ExitStatus) -> anyhow::Result<()> {
        if !status.success() {
            bail!("`{}` failed ({status}); what it said stands above", printable(&self.words()));
        }
        Ok(())
    }
}
