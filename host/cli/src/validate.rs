//! `hotcell validate`

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use hotcell_definition::{Code, Definition, Diagnostic, Locations, Severity};
use hotcell_machine::HostShell;
use hotcell_runtime::{
    Clock, Loader, SystemClock, check_expressions, check_loaded_schemas, check_schedule, check_schemas,
};
use hotcell_sandbox::{EvaluatorLimits, Evaluators};
use serde::Serialize;

use crate::arguments::{Format, ValidateCommand};
use crate::drawing::printable;
use crate::engine::cache_folder;
use crate::known_workflows::KnownWorkflows;
use crate::say::{read_enough, say, say_text};
use crate::{components, diagnostics, document, exit};

const NOT_WRITTEN: &str = "could not write what was found";

/// What was found in one file.
#[derive(Serialize)]
struct Report {
    file: String,
    valid: bool,
    diagnostics: Vec<Diagnostic>,
    /// What is valid and does not run in this version.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unsupported: Vec<Unsupported>,
}

#[derive(Serialize)]
struct Unsupported {
    pointer: String,
    message: String,
}

/// Checks every file, and says what is wrong with each.
pub(crate) async fn validate(command: ValidateCommand) -> anyhow::Result<ExitCode> {
    let evaluators =
        Evaluators::with_cache(cache_folder(command.cache.as_deref())).context("could not start the jq evaluator")?;
    let mut reports = Vec::new();
    let mut failed = false;
    for file in &command.files {
        let (report, source) = match check(file, command.catalog.as_deref(), &evaluators).await {
            Ok(checked) => checked,
            Err(error) => {
                failed = true;
                say(format_args!("{error:#}"));
                continue;
            }
        };
        failed |= !report.valid;
        if command.format == Format::Text {
            read_enough(print_report(&report, &source)).context(NOT_WRITTEN)?;
        }
        reports.push(report);
    }
    if command.format == Format::Json {
        let json = serde_json::to_string_pretty(&reports)?;
        read_enough(writeln!(io::stdout(), "{json}")).context(NOT_WRITTEN)?;
    }
    Ok(if failed { ExitCode::from(exit::REFUSED) } else { ExitCode::SUCCESS })
}

async fn check(file: &Path, catalog: Option<&Path>, evaluators: &Evaluators) -> anyhow::Result<(Report, String)> {
    let bytes = document::read(file)?;
    let source = String::from_utf8_lossy(&bytes).into_owned();
    let (valid, diagnostics, unsupported) = match Definition::parse(&bytes) {
        Ok(parsed) => {
            let mut evaluator = evaluators.evaluator(EvaluatorLimits::default());
            let mut found = check_expressions(&parsed, &source, &mut evaluator);
            found.extend(check_schemas(&parsed, &mut evaluator));
            found.extend(check_schedule(&parsed.definition, &parsed.locations, SystemClock.now()));
            found.extend(parsed.warnings);
            let loader = Loader::new(file.parent().unwrap_or(Path::new("."))).with_catalog(catalog);
            let linked = loader.link(parsed.definition.into(), HostShell::Refused).await;
            let unsupported = match linked {
                Ok(program) => {
                    let invalid = check_loaded_schemas(&program, &mut evaluator);
                    found.extend(invalid.into_iter().map(|invalid| invalid_schema(invalid, &parsed.locations)));
                    if program.runs_workflows() {
                        found.extend(KnownWorkflows::read(file, catalog)?.check(&program, &parsed.locations));
                    }
                    found.extend(components::check(&program, &parsed.locations, file));
                    Vec::new()
                }
                Err(unsupported) => unsupported,
            };
            found.sort_by_key(|diagnostic| diagnostic.place.offset);
            let valid = !found.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
            (valid, found, unsupported)
        }
        Err(refused) => {
            let mut found = refused.diagnostics;
            if let Some(draft) = refused.draft {
                let mut evaluator = evaluators.evaluator(EvaluatorLimits::default());
                found.extend(check_expressions(&*draft, &source, &mut evaluator));
                found.extend(check_schemas(&*draft, &mut evaluator));
            }
            found.sort_by_key(|diagnostic| diagnostic.place.offset);
            (false, found, Vec::new())
        }
    };
    let unsupported =
        unsupported.into_iter().map(|found| Unsupported { pointer: found.pointer, message: found.message }).collect();
    Ok((Report { file: file.display().to_string(), valid, diagnostics, unsupported }, source))
}

fn invalid_schema(invalid: hotcell_machine::Unsupported, locations: &Locations) -> Diagnostic {
    let hotcell_machine::Unsupported { pointer, message } = invalid;
    Diagnostic {
        severity: Severity::Error,
        code: Code::InvalidSchema,
        place: locations.pointer(&pointer),
        pointer,
        message: format!("What this refers to is not a JSON Schema: {message}."),
        help: "Correct the schema, or a document to which it refers.".into(),
        related: None,
    }
}

fn print_report(report: &Report, source: &str) -> io::Result<()> {
    say_text(&diagnostics::render(&report.file, source, &report.diagnostics));
    let mut stdout = io::stdout().lock();
    let file = printable(&report.file);
    if !report.valid {
        writeln!(stdout, "{file}: refused, {}", count(report.diagnostics.len(), "problem"))?;
    } else if report.diagnostics.is_empty() {
        writeln!(stdout, "{file}: valid")?;
    } else {
        writeln!(stdout, "{file}: valid, {}", count(report.diagnostics.len(), "warning"))?;
    }
    for unsupported in &report.unsupported {
        let (pointer, message) = (printable(&unsupported.pointer), printable(&unsupported.message));
        writeln!(stdout, "  does not run yet: {pointer}: {message}")?;
    }
    Ok(())
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
