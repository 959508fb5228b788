//! `hotcell run`

use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use hotcell_definition::{Definition, Diagnostic, Locations, Parsed, Severity};
use hotcell_expression::Data;
use hotcell_machine::{ExecutionId, HostShell, Outcome, Unsupported, WorkflowIdentity};
use hotcell_progress::{Definitions, EventLog, Reporter, ReporterOptions};
use hotcell_runtime::{
    Catalog, Clock, End, Execution, StartExecution, SystemClock, Workflow, WorkflowTimes, check_expressions,
    check_schemas,
};

use crate::arguments::{ProgressForm, RunCommand};
use crate::catalog::Sources;
use crate::drawing::printable;
use crate::engine::{Engine, cache_folder};
use crate::say::{say, say_text};
use crate::show::Show;
use crate::signals::Interruptions;
use crate::{
    catalog, diagnostics, document, engine, events, exit, known_workflows, lifecycle, policy, schedule, secrets,
};

/// Runs a workflow to its end.
pub(crate) async fn run(command: RunCommand) -> anyhow::Result<ExitCode> {
    if command.input.as_deref() == Some("-") && events::reads_standard_input(&command.event) {
        bail!("--input - and --event -: standard input can be read once; put one of them into a file");
    }
    let input = read_input(command.input.as_deref())?;
    let secrets = Arc::new(secrets::read(&command.secret)?);
    let feed = events::read(&command.event)?;
    let log = EventLog::new();
    let shown = log.subscribe();
    let reporter = command
        .report_to
        .as_deref()
        .map(|url| Reporter::start(log.subscribe(), url, ReporterOptions::default()))
        .transpose()
        .context("--report-to")?;

    let published = command.cloudevents.is_some().then(|| log.subscribe());

    let policy = policy::for_tenant(&command.policy)?;
    let egress = engine::egress(&command.allow_net, command.ca_file.as_deref(), policy.as_ref())?;
    let cache = cache_folder(command.cache.as_deref());
    let cells = engine::cells(&command, cache.clone()).await?;
    let engine = Engine::new(cells, log.clone(), cache, egress, policy)?;
    let shell = if command.allow_host_shell { HostShell::Allowed } else { HostShell::Refused };
    let catalog = command.catalog.as_deref();
    let sources = Sources { engine: &engine, catalog, secrets: Arc::clone(&secrets), shell };
    let Some((workflow, locations)) = load(&command.file, &sources, command.progress).await? else {
        return Ok(ExitCode::from(exit::REFUSED));
    };
    let workflow = Arc::new(workflow);
    let mut definitions = Definitions::from([definition(&workflow)]);
    let catalog = catalog::read(&command.file, &workflow, &sources).await?;
    definitions.extend(catalog.workflows().map(definition));
    if command.progress == ProgressForm::Pretty {
        warn_of_unknown_workflows(&command.file, &workflow, &catalog, &locations);
    }
    engine.runtime.set_catalog(catalog);
    let occasions = command.schedule.then(|| schedule::occasions(&engine.runtime, &workflow, &command)).transpose()?;
    if workflow.definition().schedule.is_some() && occasions.is_none() && command.progress == ProgressForm::Pretty {
        say(format_args!("the workflow has a schedule; it runs once now, by hand. --schedule runs it by its schedule"));
    }
    let publisher = lifecycle::publish(&command, published, definitions, &engine.runtime.egress())?;

    for event in feed {
        engine.runtime.broker().publish(event);
    }
    // Not before: until something runs, there is nothing to cancel, and an interruption ends the program as it ends any other;
    // one that waits for standard input, for example.
    let mut interruptions = Interruptions::listen()?;
    let show = Show::new(command.progress, Box::new(io::stderr()));
    // Outputs come in between, which a drawing that lives on the same terminal would paint over.
    let show = if occasions.is_some() { show.in_lines() } else { show };
    let showing = tokio::spawn(show.follow(shown));
    // The output first: whoever waits for it need not wait for the reporter.
    let code = match occasions {
        Some(occasions) => {
            let runs = schedule::Runs { workflow, input, secrets };
            let finished = schedule::run(&engine.runtime, occasions, runs, &command, &mut interruptions).await;
            log.close();
            showing.await.context("the drawing of progress failed")?;
            let schedule::Finished { code, summary } = finished?;
            if command.progress != ProgressForm::Json {
                say(format_args!("{summary}"));
            }
            code
        }
        None => {
            let id = ExecutionId::new(uuid::Uuid::now_v7().to_string());
            let execution = engine.runtime.start(StartExecution { workflow, id, input, secrets });
            let end = wait(execution, &mut interruptions).await;
            log.close();
            showing.await.context("the drawing of progress failed")?;
            conclude(end, command.progress)?
        }
    };
    if let Some(reporter) = reporter {
        let flushed = tokio::select! {
            flushed = reporter.flush(Duration::from_secs(command.report_grace)) => flushed,
            () = interruptions.next() => reporter.flush(Duration::ZERO).await,
        };
        if !flushed.is_complete() {
            say(format_args!("{}", printable(&flushed.to_string())));
        }
    }
    if let Some(publisher) = publisher {
        lifecycle::finish(publisher, &command, &mut interruptions).await;
    }
    Ok(code)
}

/// Waits for the end. The first interruption cancels the workflow, the second one ends the program.
async fn wait(mut execution: Execution, interruptions: &mut Interruptions) -> End {
    tokio::select! {
        end = execution.end() => return end,
        () = interruptions.next() => execution.cancel(Some("interrupted".into())),
    }
    tokio::select! {
        end = execution.end() => end,
        () = interruptions.next() => std::process::exit(exit::CANCELLED.into()),
    }
}

fn conclude(end: End, progress: ProgressForm) -> anyhow::Result<ExitCode> {
    match end {
        End::Ran(Outcome::Completed(output)) => {
            Ok(match print_output(&output) {
                Ok(()) => ExitCode::SUCCESS,
                // Not 2, which says that nothing has run.
                Err(error) => {
                    say(format_args!("could not write the output: {error}"));
                    ExitCode::from(exit::FAULTED)
                }
            })
        }
        End::Ran(Outcome::Faulted(problem)) => {
            // The other forms of progress have told it.
            if progress == ProgressForm::None {
                say(format_args!("the workflow failed: {}", printable(&problem.to_string())));
            }
            Ok(ExitCode::from(exit::FAULTED))
        }
        End::Ran(Outcome::Cancelled) => Ok(ExitCode::from(exit::CANCELLED)),
        End::Refused(problem) => {
            if progress == ProgressForm::None {
                say(format_args!("{}", printable(&problem.to_string())));
            }
            Ok(ExitCode::from(exit::REFUSED))
        }
    }
}

/// For people if a person looks, on one line if a program does.
fn print_output(output: &Data) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    if stdout.is_terminal() {
        serde_json::to_writer_pretty(&mut stdout, output.value())?;
    } else {
        serde_json::to_writer(&mut stdout, output.value())?;
    }
    stdout.write_all(b"\n")?;
    stdout.flush()
}

fn read_input(argument: Option<&str>) -> anyhow::Result<Data> {
    let (text, from) = match argument {
        None => ("{}".to_owned(), "--input".to_owned()),
        Some("-") => (
            read_bounded(io::stdin().lock()).context("--input -: could not read standard input")?,
            "standard input".into(),
        ),
        Some(text) => match text.strip_prefix('@') {
            Some(file) => {
                let opened = std::fs::File::open(file).with_context(|| format!("--input: could not open {file}"))?;
                (read_bounded(opened).with_context(|| format!("--input: could not read {file}"))?, file.to_owned())
            }
            None => (text.to_owned(), "--input".into()),
        },
    };
    Data::from_json(&text).map_err(|error| anyhow::anyhow!("{from}: {error}"))
}

/// Reads a text, a little more than data may have at the most; what is cut is refused as too large.
fn read_bounded(reader: impl Read) -> io::Result<String> {
    let mut text = String::new();
    reader.take(4 * Data::MAX_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

/// Reads the definition, and says what is wrong with it.
pub(crate) async fn load(
    file: &Path,
    sources: &Sources<'_>,
    progress: ProgressForm,
) -> anyhow::Result<Option<(Workflow, Locations)>> {
    let parsing = SystemClock.now();
    let bytes = document::read(file)?;
    let source = String::from_utf8_lossy(&bytes).into_owned();
    let name = file.display().to_string();
    let parsed = match Definition::parse(&bytes) {
        Ok(parsed) => parsed,
        Err(refused) => {
            say_text(&diagnostics::render(&name, &source, &refused.diagnostics));
            return Ok(None);
        }
    };
    if progress == ProgressForm::Pretty {
        // An expression that cannot be evaluated is an error of its task, which the workflow may catch ("Runtime Expressions" in
        // `dsl.md`). `hotcell validate` refuses it.
        if sources.engine.must_compile(hotcell_machine::needs(&parsed.definition)) {
            say(format_args!("preparing the evaluator of expressions and schemas, once for this version of hotcell…"));
        }
        let mut evaluator = sources.engine.evaluator();
        let mut found = check_expressions(&parsed, &source, &mut evaluator);
        found.extend(check_schemas(&parsed, &mut evaluator));
        found.iter_mut().for_each(|diagnostic| diagnostic.severity = Severity::Warning);
        found.extend(parsed.warnings.iter().cloned());
        found.sort_by_key(|diagnostic| diagnostic.place.offset);
        say_text(&diagnostics::render(&name, &source, &found));
    }
    let Parsed { definition, locations, .. } = parsed;
    let times = WorkflowTimes { parsing, parsed: SystemClock.now() };
    match sources.ready(file, definition, times).await {
        Ok(workflow) => Ok(Some((workflow, locations))),
        Err(unsupported) => {
            for Unsupported { pointer, message } in unsupported {
                let place = locations.pointer(&pointer);
                let line = format!("{name}:{}:{}: {pointer}: {message}\n", place.line, place.column);
                say_text(&printable(&line));
            }
            Ok(None)
        }
    }
}

/// Says which workflows there are not that a task would run. That is an error of the task, when it comes to that.
fn warn_of_unknown_workflows(file: &Path, workflow: &Workflow, catalog: &Catalog, locations: &Locations) {
    let unknown = workflow.named_workflows().filter_map(|named| {
        let problem = catalog.find(named.namespace, named.name, named.version).err()?;
        let detail = problem.detail.unwrap_or_default();
        let reason = detail.split_once(": ").map_or("it is not known", |(_, reason)| reason);
        let reason = reason.split(';').next().unwrap_or_default();
        Some(known_workflows::diagnostic(&named, reason, Severity::Warning, locations))
    });
    let found: Vec<Diagnostic> = unknown.collect();
    if !found.is_empty() {
        let source = document::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        say_text(&diagnostics::render(&file.display().to_string(), &source, &found));
    }
}

/// A definition as those look it up who tell of its executions.
fn definition(workflow: &Arc<Workflow>) -> (WorkflowIdentity, Arc<serde_json::Value>) {
    (workflow.identity().clone(), Arc::clone(&workflow.definition().source))
}
