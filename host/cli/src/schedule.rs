//! `hotcell run --schedule`: the runs of a workflow that starts by itself.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use hotcell_expression::Data;
use hotcell_machine::{ExecutionId, Outcome};
use hotcell_runtime::{End, Occasions, Runtime, ScheduleOptions, ScheduleSummary, StartExecution, Workflow};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use tokio::sync::Notify;

use crate::arguments::{ProgressForm, RunCommand};
use crate::drawing::printable;
use crate::exit;
use crate::say::{read_enough, say};
use crate::signals::Interruptions;

/// What every run starts with. Events that start one are its input instead.
pub(crate) struct Runs {
    pub(crate) workflow: Arc<Workflow>,
    pub(crate) input: Data,
    pub(crate) secrets: Arc<Map<String, Value>>,
}

/// What became of a schedule.
pub(crate) struct Finished {
    pub(crate) code: ExitCode,
    /// For people.
    pub(crate) summary: String,
}

/// What starts a workflow by itself.
pub(crate) fn occasions(
    runtime: &Runtime,
    workflow: &Arc<Workflow>,
    command: &RunCommand,
) -> anyhow::Result<Occasions> {
    let zone = TimeZone::get(&command.timezone)
        .with_context(|| format!("--timezone: {} is not a time zone such as Europe/Paris", command.timezone))?;
    runtime
        .occasions(workflow, zone)
        .map_err(|error| anyhow::anyhow!("--schedule: {}: {}: {error}", command.file.display(), error.pointer()))
}

/// Runs a workflow by its schedule, until it is stopped or nobody reads its output. The first interruption stops it and cancels the runs, the second one ends the
/// program.
pub(crate) async fn run(
    runtime: &Runtime,
    occasions: Occasions,
    runs: Runs,
    command: &RunCommand,
    interruptions: &mut Interruptions,
) -> anyhow::Result<Finished> {
    let options = ScheduleOptions {
        runs: command.schedule_runs,
        concurrency: usize::try_from(command.schedule_concurrency).unwrap_or(usize::MAX),
    };
    let start = |events: Option<Data>| StartExecution {
        workflow: Arc::clone(&runs.workflow),
        id: ExecutionId::new(uuid::Uuid::now_v7().to_string()),
        input: events.unwrap_or_else(|| runs.input.clone()),
        secrets: Arc::clone(&runs.secrets),
    };
    let progress = command.progress;
    let mut unwritten = None;
    let stop = Notify::new();
    let ended = |id: &ExecutionId, end: End| {
        if let Err(error) = tell(id, &end, progress) {
            // Nobody gets what comes of further runs.
            unwritten.get_or_insert(error);
            stop.notify_one();
        }
    };
    let mut interrupted = false;
    let summary = {
        let mut running = std::pin::pin!(runtime.run_schedule(occasions, options, start, ended, stop.notified()));
        tokio::select! {
            summary = &mut running => summary,
            () = interruptions.next() => {
                interrupted = true;
                stop.notify_one();
                tokio::select! {
                    summary = running => summary,
                    () = interruptions.next() => std::process::exit(exit::CANCELLED.into()),
                }
            }
        }
    };
    let written = read_enough(unwritten.map_or(Ok(()), Err));
    let is_written = written.is_ok();
    if let Err(error) = written {
        say(format_args!("could not write the output of a run: {error}"));
    }
    let code = match () {
        () if !is_written => ExitCode::from(exit::FAULTED),
        () if summary.refused => ExitCode::from(exit::REFUSED),
        () if interrupted => ExitCode::from(exit::CANCELLED),
        () if summary.failed > 0 => ExitCode::from(exit::FAULTED),
        () => ExitCode::SUCCESS,
    };
    Ok(Finished { code, summary: sentence(&summary) })
}

/// The output of a run is one line; why there is none is told where no other form of progress tells it.
fn tell(id: &ExecutionId, end: &End, progress: ProgressForm) -> io::Result<()> {
    match end {
        End::Ran(Outcome::Completed(output)) => {
            let mut stdout = io::stdout().lock();
            serde_json::to_writer(&mut stdout, output.value())?;
            stdout.write_all(b"\n")?;
            stdout.flush()?;
        }
        End::Ran(Outcome::Faulted(problem)) if progress == ProgressForm::None => {
            say(format_args!("run {id} failed: {}", printable(&problem.to_string())));
        }
        End::Refused(problem) if progress == ProgressForm::None => {
            say(format_args!("{}", printable(&problem.to_string())));
        }
        End::Ran(_) | End::Refused(_) => {}
    }
    Ok(())
}

fn sentence(summary: &ScheduleSummary) -> String {
    let plural = |count: u64| if count == 1 { "" } else { "s" };
    let mut text = format!("{} run{}: {} completed", summary.started, plural(summary.started), summary.completed);
    for (count, what) in [(summary.failed, "failed"), (summary.cancelled, "cancelled")] {
        if count > 0 {
            text += &format!(", {count} {what}");
        }
    }
    if summary.skipped > 0 {
        text += &format!("; {} not started, as too many were going on", summary.skipped);
    }
    if summary.unheard > 0 {
        text += &format!("; events started nothing {} time{}", summary.unheard, plural(summary.unheard));
    }
    if summary.made_up > 0 {
        text += &format!("; {} stood for several times that had passed", summary.made_up);
    }
    text
}
