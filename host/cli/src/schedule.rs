//! `hotcell run --schedule`: the runs of a workflow that starts by itself.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use hotcell_definition::Schedule;
use hotcell_expression::Data;
use hotcell_machine::{ExecutionId, Outcome};
use hotcell_runtime::{End, Runtime, ScheduleOptions, ScheduleSummary, StartExecution, Timetable, Workflow};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use tokio::sync::oneshot;

use crate::arguments::{ProgressForm, RunCommand};
use crate::exit;
use crate::signals::Interruptions;

/// What every run starts with.
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

/// The times at which a workflow starts by itself.
pub(crate) fn timetable(schedule: Option<&Schedule>, command: &RunCommand) -> anyhow::Result<Timetable> {
    let file = command.file.display();
    let Some(schedule) = schedule else {
        bail!("--schedule: {file} has no `schedule`; add one, or leave --schedule out to run it once");
    };
    let zone = TimeZone::get(&command.timezone)
        .with_context(|| format!("--timezone: {} is not a time zone such as Europe/Paris", command.timezone))?;
    Timetable::new(schedule, zone).map_err(|error| anyhow::anyhow!("{file}: {}: {error}", error.pointer()))
}

/// Runs a workflow by its schedule. The first interruption stops it and cancels the runs, the second one ends the
/// program.
pub(crate) async fn run(
    runtime: &Runtime,
    timetable: &Timetable,
    runs: Runs,
    command: &RunCommand,
    interruptions: &mut Interruptions,
) -> anyhow::Result<Finished> {
    let options = ScheduleOptions {
        runs: command.schedule_runs,
        concurrency: usize::try_from(command.schedule_concurrency).unwrap_or(usize::MAX),
    };
    let start = || StartExecution {
        workflow: Arc::clone(&runs.workflow),
        id: ExecutionId::new(uuid::Uuid::now_v7().to_string()),
        input: runs.input.clone(),
        secrets: Arc::clone(&runs.secrets),
    };
    let progress = command.progress;
    let mut unwritten = None;
    let ended = |id: &ExecutionId, end: End| {
        if let Err(error) = tell(id, &end, progress) {
            unwritten.get_or_insert(error);
        }
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let mut interrupted = false;
    let summary = {
        let stopped = async {
            let _ = stopped.await;
        };
        let mut running = std::pin::pin!(runtime.run_schedule(timetable, options, start, ended, stopped));
        tokio::select! {
            summary = &mut running => summary,
            () = interruptions.next() => {
                interrupted = true;
                let _ = stop.send(());
                tokio::select! {
                    summary = running => summary,
                    () = interruptions.next() => std::process::exit(exit::CANCELLED.into()),
                }
            }
        }
    };
    if let Some(error) = unwritten {
        return Err(error).context("could not write the output of a run");
    }
    let code = match () {
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
            eprintln!("hotcell: run {id} failed: {problem}");
        }
        End::Refused(problem) if progress == ProgressForm::None => eprintln!("hotcell: {problem}"),
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
    if summary.made_up > 0 {
        text += &format!("; {} stood for several times that had passed", summary.made_up);
    }
    text
}
