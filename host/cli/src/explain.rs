//! `hotcell policy explain`

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context, bail};
use hotcell_definition::Definition;
use hotcell_policy::{Ask, Asked, Asks, Effective, HostAsk, Limit, Scope, TaskPattern, asks};
use serde_json::{Map, Value, json};

use crate::arguments::ExplainCommand;
use crate::drawing::printable;
use crate::say::{read_enough, say_text};
use crate::{diagnostics, document, exit, policy};

/// What holds for one call.
struct Explained<'a> {
    ask: &'a Ask,
    effective: Effective,
}

/// Says what each call may use and reach, and which level decided it.
pub(crate) fn explain(command: &ExplainCommand) -> anyhow::Result<ExitCode> {
    let tenant = policy::for_tenant(&command.policy)?;
    let is_there = tenant.is_some();
    let bytes = document::read(&command.file)?;
    let definition = match Definition::parse(&bytes) {
        Ok(parsed) => parsed.definition,
        Err(refused) => {
            let source = String::from_utf8_lossy(&bytes);
            say_text(&diagnostics::render(&command.file.display().to_string(), &source, &refused.diagnostics));
            return Ok(ExitCode::from(exit::REFUSED));
        }
    };
    let version = definition.document.version.to_string();
    let rules = tenant.unwrap_or_default().workflow(&policy::workflow(&definition, &version));
    let asks = asks(&definition);
    let calls = asks.calls.iter().map(|ask| {
        let effective = rules.task(&ask.reference);
        let effective = match ask.timeout {
            Some(timeout) => effective.asking_for(Limit::WallTime, timeout),
            None => effective,
        };
        Explained { ask, effective }
    });
    let meant = wanted(command.task.as_deref())?;
    let calls: Vec<_> =
        calls.filter(|call| meant.as_ref().is_none_or(|task| task.matches(&call.ask.reference))).collect();
    if let (Some(task), true) = (&command.task, calls.is_empty()) {
        bail!("--task {task}: the workflow has no call in a task of this name or reference");
    }
    let whole = rules.whole();
    let text = match command.json {
        true => format!("{:#}\n", as_json(&definition, command, is_there, &whole, &calls, &asks)),
        false => as_text(&definition, command, is_there, &whole, &calls, &asks),
    };
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    read_enough(written).context("could not write what holds")?;
    Ok(ExitCode::SUCCESS)
}

fn wanted(task: Option<&str>) -> anyhow::Result<Option<TaskPattern>> {
    let Some(text) = task else { return Ok(None) };
    let Some(pattern) = TaskPattern::new(text) else {
        bail!("--task {text}: this is neither a name nor a reference; write `charge` or `/do/0/charge`");
    };
    Ok(Some(pattern))
}

/// Without a policy, nothing bounds how long compiling takes.
fn limits(scope: Scope, has_policy: bool) -> impl Iterator<Item = Limit> {
    let all = Limit::ALL.iter().copied().filter(move |limit| limit.scope() == scope);
    all.filter(move |limit| has_policy || *limit != Limit::CompileTime)
}

fn as_text(
    definition: &Definition,
    command: &ExplainCommand,
    has_policy: bool,
    whole: &Effective,
    calls: &[Explained<'_>],
    asks: &Asks,
) -> String {
    let document = &definition.document;
    let mut text = format!("{}/{} {}", document.namespace, document.name, document.version);
    match (&command.policy.policy, &command.policy.tenant) {
        (Some(file), Some(tenant)) if has_policy => {
            let _ = write!(text, ", tenant {tenant} of {}", file.display());
        }
        (Some(file), None) if has_policy => {
            let _ = write!(text, ", {}", file.display());
        }
        _ => text.push_str(", without a policy"),
    }
    let mut text = format!("{}\n", printable(&text));
    table(&mut text, limits(Scope::Workflow, has_policy).map(|limit| row(limit, whole)).collect());
    for Explained { ask, effective } in calls {
        let _ = write!(text, "\n{}\n", printable(&format!("{}  {}", ask.reference, ask.what)));
        let mut rows: Vec<_> = limits(Scope::Call, has_policy).map(|limit| row(limit, effective)).collect();
        rows.extend(host_rows(ask, effective, has_policy));
        for secret in &asks.secrets {
            let (granted, source) = match effective.withholds_secret(secret) {
                Some(source) => (format!("{secret}: withheld"), source.to_string()),
                None => (format!("{secret}: granted"), last(effective.secrets().map(|(source, _)| source.to_string()))),
            };
            rows.push(("secret".into(), granted, source));
        }
        table(&mut text, rows);
    }
    text
}

/// The lowest level that says anything is the one that grants what all grant.
fn last(sources: impl Iterator<Item = String>) -> String {
    sources.last().unwrap_or_else(|| "--secret".into())
}

fn row(limit: Limit, effective: &Effective) -> (String, String, String) {
    let decided = effective.limit(limit);
    (limit.name().into(), limit.show(decided.amount), decided.source.to_string())
}

fn host_rows(ask: &Ask, effective: &Effective, has_policy: bool) -> Vec<(String, String, String)> {
    let row = |what: String, source: String| ("host".to_owned(), what, source);
    let levels = || effective.hosts().map(|(source, _)| source.to_string());
    match &ask.host {
        HostAsk::Nothing => vec![row("none".into(), "definition".into())],
        _ if !has_policy => vec![row("those of --allow-net".into(), "arguments".into())],
        HostAsk::Host { method, host, port } => {
            let shown = format!("{} {host}:{port}", method.as_deref().unwrap_or("any method"));
            let answer = match verdict(effective, method.as_deref(), host, *port) {
                Ok(()) => row(format!("{shown}: allowed"), last(levels())),
                Err(reason) => row(format!("{shown}: denied"), reason),
            };
            vec![answer]
        }
        HostAsk::Unknown => effective
            .hosts()
            .map(|(source, rules)| {
                let rules: Vec<_> = rules.iter().map(ToString::to_string).collect();
                let shown = if rules.is_empty() { "none".into() } else { format!("only {}", rules.join(" | ")) };
                row(shown, source.to_string())
            })
            .collect(),
    }
}

/// Whether the call may send its request; with a method that is computed, whether it may send any.
fn verdict(effective: &Effective, method: Option<&str>, host: &str, port: u16) -> Result<(), String> {
    let methods = match method {
        Some(method) => vec![method],
        None => vec!["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
    };
    let mut denied = String::new();
    for method in methods {
        match effective.allows(Asked { method, host, port }) {
            Ok(_) => return Ok(()),
            Err(error) => denied = error.source.to_string(),
        }
    }
    Err(denied)
}

/// Rows with three columns, as wide as what stands in them.
fn table(text: &mut String, rows: Vec<(String, String, String)>) {
    let rows: Vec<_> =
        rows.iter().map(|(name, value, source)| (printable(name), printable(value), printable(source))).collect();
    let width = |column: fn(&(String, String, String)) -> &String| {
        rows.iter().map(|row| unicode_width::UnicodeWidthStr::width(column(row).as_str())).max().unwrap_or(0).min(60)
    };
    let (names, values) = (width(|row| &row.0).max(16), width(|row| &row.1).max(8));
    for (name, value, source) in &rows {
        let _ = writeln!(text, "  {name:names$}  {value:values$}  {source}");
    }
}

fn as_json(
    definition: &Definition,
    command: &ExplainCommand,
    has_policy: bool,
    whole: &Effective,
    calls: &[Explained<'_>],
    asks: &Asks,
) -> Value {
    let document = &definition.document;
    let calls: Vec<_> = calls.iter().map(|call| call_as_json(call, asks)).collect();
    json!({
        "workflow": {
            "namespace": document.namespace, "name": document.name, "version": document.version.to_string(),
        },
        "policy": command.policy.policy,
        "tenant": command.policy.tenant,
        "limits": limits_as_json(Scope::Workflow, whole, has_policy),
        "calls": calls,
    })
}

fn call_as_json(Explained { ask, effective }: &Explained<'_>, asks: &Asks) -> Value {
    let levels = effective.hosts().map(|(source, rules)| {
        let rules: Vec<_> = rules.iter().map(ToString::to_string).collect();
        json!({ "source": source, "hosts": rules })
    });
    let host = match &ask.host {
        HostAsk::Nothing => json!({ "asks": "nothing" }),
        HostAsk::Unknown => json!({ "asks": "unknown" }),
        HostAsk::Host { method, host, port } => {
            let verdict = verdict(effective, method.as_deref(), host, *port);
            let asks = json!({ "method": method, "host": host, "port": port });
            json!({ "asks": asks, "allowed": verdict.is_ok(), "deniedBy": verdict.err() })
        }
    };
    let secrets = asks.secrets.iter().map(|name| {
        let withheld = effective.withholds_secret(name);
        (name.clone(), json!({ "granted": withheld.is_none(), "withheldBy": withheld }))
    });
    json!({
        "reference": ask.reference,
        "task": ask.name,
        "call": ask.what,
        "limits": limits_as_json(Scope::Call, effective, true),
        "host": host,
        "hosts": levels.collect::<Vec<_>>(),
        "secrets": Map::from_iter(secrets),
    })
}

fn limits_as_json(scope: Scope, effective: &Effective, has_policy: bool) -> Value {
    let named = limits(scope, has_policy).map(|limit| {
        let decided = effective.limit(limit);
        let shown = limit.show(decided.amount);
        (limit.name().to_owned(), json!({ "value": shown, "amount": decided.amount, "source": decided.source }))
    });
    Value::Object(Map::from_iter(named))
}
