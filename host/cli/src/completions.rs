//! `hotcell completions`

use std::process::ExitCode;

use clap::CommandFactory;

use crate::arguments::{Arguments, CompletionsCommand};

/// Prints the script.
pub(crate) fn print(command: &CompletionsCommand) -> anyhow::Result<ExitCode> {
    clap_complete::generate(command.shell, &mut Arguments::command(), "hotcell", &mut std::io::stdout());
    Ok(ExitCode::SUCCESS)
}
