//! What is said about an execution as a whole.

use hotcell_definition::Problem;
use jiff::Timestamp;
use serde_json::Value;

use super::execution::{Execution, Phase};
use super::figures::{count, counted, duration};
use super::line::{Line, Tone};
use super::look::spinner;
use super::task::in_short;
use super::text::{self, clean};

/// How many lines of a problem's detail are shown.
const DETAIL_LINES: usize = 12;
/// How many members of a problem beyond the standard ones are shown.
const EXTENSIONS: usize = 8;

/// Which execution it is: `acme/orders:1.0.0  0198a1…`.
pub(super) fn heading(execution: &Execution) -> Line {
    match &execution.workflow {
        Some(workflow) => {
            Line::new().with(Tone::Strong, workflow.clone()).with(Tone::Faint, format!("  {}", execution.id))
        }
        None => Line::new().with(Tone::Strong, execution.id.clone()),
    }
}

/// How it stands: `⠹ executing 4.2s · 1,204 tasks · 3 caught`, or at the end `✓ completed in 4.2s · …`.
pub(super) fn standing(execution: &Execution, now: Timestamp) -> Line {
    let (tone, sign, what) = state(execution, now);
    let mut line = Line::new().with(tone, format!("{sign} {what}"));
    tell(&mut line, execution);
    line
}

/// All of it on one line, for one of several executions.
pub(super) fn compact(execution: &Execution, now: Timestamp) -> Line {
    let (tone, sign, what) = state(execution, now);
    let name = execution.workflow.clone().unwrap_or_else(|| "an execution".into());
    let mut line = Line::new().with(tone, format!("{sign} ")).with(Tone::Strong, name).with(tone, format!(" {what}"));
    if let Phase::Failed(problem) = &execution.phase {
        line.part(Tone::Bad, in_short(problem));
    }
    tell(&mut line, execution);
    line.with(Tone::Faint, format!("  {}", execution.id))
}

fn state(execution: &Execution, now: Timestamp) -> (Tone, &'static str, String) {
    let (tone, sign, what) = match &execution.phase {
        Phase::Starting => (Tone::Active, spinner(now), "starting"),
        Phase::Parsing => (Tone::Active, spinner(now), "reading the definition"),
        Phase::Building => (Tone::Active, spinner(now), "building"),
        Phase::Executing => (Tone::Active, spinner(now), "executing"),
        Phase::Suspended => (Tone::Warning, "‖", "suspended"),
        Phase::Completed => (Tone::Good, "✓", "completed in"),
        Phase::Failed(_) => (Tone::Bad, "✗", "failed in"),
        Phase::Cancelled(_) => (Tone::Warning, "■", "cancelled in"),
    };
    (tone, sign, format!("{what} {}", duration(execution.elapsed(now))))
}

fn tell(line: &mut Line, Execution { tally, phase, .. }: &Execution) {
    if let Phase::Cancelled(Some(reason)) = phase {
        line.part(Tone::Plain, reason.clone());
    }
    line.part(Tone::Faint, counted(tally.tasks, "task", "tasks"));
    if tally.skipped > 0 {
        line.part(Tone::Faint, format!("{} skipped", count(tally.skipped)));
    }
    if tally.cancelled > 0 {
        line.part(Tone::Faint, format!("{} cancelled", count(tally.cancelled)));
    }
    if tally.failures > 0 {
        line.part(Tone::Warning, counted(tally.failures, "failure", "failures"));
    }
    if tally.caught > 0 {
        line.part(Tone::Warning, format!("{} caught", count(tally.caught)));
    }
    if tally.retries > 0 {
        line.part(Tone::Warning, counted(tally.retries, "retry", "retries"));
    }
    if tally.undrawn > 0 {
        line.part(Tone::Faint, format!("{} not drawn", count(tally.undrawn)));
    }
}

/// The whole problem with which an execution failed; nothing for one that did not fail.
pub(super) fn problem(execution: &Execution, columns: usize) -> Vec<Line> {
    let Phase::Failed(problem) = &execution.phase else { return Vec::new() };
    let Problem { kind, status, title, detail, instance, extensions } = problem.as_ref();
    let width = columns.saturating_sub(4).clamp(10, 100);
    let mut lines = vec![Line::new()];
    if let Some(title) = title {
        lines.push(Line::new().with(Tone::Bad, format!("  {}", clean(title, 200))));
    }
    for written in detail.as_deref().unwrap_or_default().lines().take(DETAIL_LINES) {
        for part in textwrap::wrap(&clean(written, 600), width) {
            lines.push(Line::new().with(Tone::Plain, format!("  {part}")));
        }
    }
    let mut member = |name: &str, value: &str| {
        let mut name = format!("  {:<8} ", text::cut(&clean(name, 40), width / 3));
        let value = clean(value, 300);
        // A type is a URI, which people copy: it is broken where there is no room only, and not at its hyphens.
        let room = columns.saturating_sub(1 + text::width(&name)).max(8);
        let options = textwrap::Options::new(room).word_splitter(textwrap::WordSplitter::NoHyphenation);
        for part in textwrap::wrap(&value, options) {
            let next = " ".repeat(text::width(&name));
            lines.push(Line::new().with(Tone::Faint, std::mem::replace(&mut name, next)).with(Tone::Plain, part));
        }
    };
    if let Some(instance) = instance {
        member("at", if instance.is_empty() { "the workflow itself" } else { instance });
    }
    member("type", kind);
    member("status", &status.to_string());
    for (name, value) in extensions.iter().take(EXTENSIONS) {
        match value {
            Value::String(text) => member(name, text),
            // Only its beginning is shown; there is no need to write it all.
            value => member(name, &beginning(value)),
        }
    }
    lines
}

/// The first characters of a value as JSON.
fn beginning(value: &Value) -> String {
    struct Bounded(Vec<u8>);
    impl std::io::Write for Bounded {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let room = 2_000_usize.saturating_sub(self.0.len());
            self.0.extend_from_slice(&bytes[..bytes.len().min(room)]);
            if room < bytes.len() { Err(std::io::ErrorKind::WriteZero.into()) } else { Ok(bytes.len()) }
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut bounded = Bounded(Vec::new());
    // It ends with an error if the value is longer, and what was written until then is what is wanted.
    let _ = serde_json::to_writer(&mut bounded, value);
    String::from_utf8_lossy(&bounded.0).into_owned()
}
