//! `hotcell completions`

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::CommandFactory;

use crate::arguments::{Arguments, CompletionsCommand};
use crate::say::read_enough;

/// Prints the script.
pub(crate) fn print(command: &CompletionsCommand) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut Arguments::command(), "hotcell", &mut script);
    read_enough(io::stdout().write_all(&script)).context("could not write the script")?;
    Ok(ExitCode::SUCCESS)
}
