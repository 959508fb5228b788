//! The `hotcell` command.

mod arguments;
mod authoring;
mod catalog;
mod completions;
mod component;
mod components;
mod diagnostics;
#[cfg(target_os = "linux")]
mod doctor;
mod document;
mod drawing;
mod engine;
mod events;
mod explain;
mod graph;
mod inspect;
mod known_workflows;
mod lifecycle;
mod policy;
mod progress;
mod run;
mod say;
mod schedule;
mod secrets;
mod show;
mod signals;
mod validate;

use std::process::ExitCode;

use arguments::{Arguments, Command, ComponentCommand, PolicyCommand, ProgressCommand};
use clap::Parser;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Before anything else: what they take from themselves has to be gone before there is a second thread.
    #[cfg(target_os = "linux")]
    match arguments.command {
        Command::Worker => return hotcell_sandbox::worker_main(),
        Command::Compile => return hotcell_sandbox::compiler_main(),
        _ => {}
    }
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_env("HOTCELL_LOG"))
        .with_writer(std::io::stderr)
        .init();
    let result = match arguments.command {
        Command::Run(command) => asynchronously(run::run(*command)),
        Command::New(command) => authoring::new(&command),
        Command::Build(command) => authoring::build(&command),
        Command::Dev(command) => asynchronously(authoring::dev(command)),
        Command::Graph(command) => graph::graph(&command),
        Command::Validate(command) => asynchronously(validate::validate(command)),
        Command::Policy(PolicyCommand::Explain(command)) => explain::explain(&command),
        Command::Policy(PolicyCommand::Schema) => policy::print_schema(),
        Command::Progress(ProgressCommand::Serve(command)) => asynchronously(progress::serve(command)),
        Command::Progress(ProgressCommand::Watch(command)) => asynchronously(progress::watch(command)),
        Command::Component(ComponentCommand::Inspect(command)) => inspect::inspect(&command),
        Command::Component(ComponentCommand::Push(command)) => asynchronously(component::push(command)),
        Command::Component(ComponentCommand::Pull(command)) => asynchronously(component::pull(command)),
        Command::Completions(command) => completions::print(&command),
        #[cfg(target_os = "linux")]
        Command::Doctor => asynchronously(doctor::doctor()),
        #[cfg(target_os = "linux")]
        Command::Worker | Command::Compile => unreachable!("they have run"),
    };
    result.unwrap_or_else(|error| {
        say::say(format_args!("{}", drawing::printable(&format!("{error:#}"))));
        ExitCode::from(exit::REFUSED)
    })
}

/// What the exit codes mean. Scripts rely on them.
mod exit {
    /// The workflow failed, or its output could not be written.
    pub(crate) const FAULTED: u8 = 1;
    /// Something was refused before anything ran: arguments, a definition, a component.
    pub(crate) const REFUSED: u8 = 2;
    /// The workflow was cancelled, as for a program that SIGINT ended.
    pub(crate) const CANCELLED: u8 = 130;
}

fn asynchronously(command: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    // What runs workflows has threads of its own. Of these, one may stand still before a terminal that takes
    // nothing (Ctrl-S) while the other serves the network.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(command);
    runtime.shutdown_background();
    result
}
