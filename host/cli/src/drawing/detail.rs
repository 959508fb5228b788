//! A row of the tree as a line of text.

use std::time::Duration;

use hotcell_machine::LogLevel;
use jiff::Timestamp;

use super::execution::Execution;
use super::figures::{between, count, counted, duration};
use super::line::{Line, Tone};
use super::look::Look;
use super::target::Size;
use super::task::{Repeat, State, Task};
use super::text;
use super::tree::{Row, What};

/// The columns of a duration.
const DURATION: usize = 7;
/// The columns that a detail needs.
const LEAST_DETAIL: usize = 8;
/// The columns of a bar.
const BAR: usize = 16;

/// The columns of a tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    /// Where durations begin.
    label: usize,
    indent: usize,
    /// Where the screen ends.
    end: usize,
}

impl Columns {
    /// Columns for this tree on a terminal of this size.
    pub(super) fn of(execution: &Execution, size: Size) -> Self {
        let most = (size.columns / 2).clamp(size.columns.saturating_sub(DURATION + 2).min(28), 44);
        let widest = execution.tasks().map(|task| 3 + 2 * task.depth + text::width(&task.name)).max().unwrap_or(0);
        Columns { label: widest.clamp(most.min(12), most), indent: size.columns / 3, end: size.columns }
    }

    fn indent(self, depth: usize) -> String {
        " ".repeat((1 + 2 * depth).min(self.indent.max(1)))
    }
}

/// The line for a row.
pub(super) fn line(execution: &Execution, row: &Row, columns: Columns, now: Timestamp) -> Line {
    let mut line = Line::new();
    match row.what {
        What::Task { id, look, folded } => {
            let task = execution.task(id);
            let (tone, sign) = look.sign(now);
            let indent = columns.indent(row.depth);
            let name = text::cut(&task.name, columns.label.saturating_sub(indent.len() + 2));
            line.push(tone, format!("{indent}{sign} "));
            line.push(look.tone(), name);
            line.pad(columns.label);
            let spent = match spent(task, look, now) {
                Some(spent) => duration(spent),
                None => String::new(),
            };
            line.push(Tone::Faint, format!(" {spent:>DURATION$}"));
            let detail = detail(execution, task, look, folded, now);
            // Less than that says nothing, and its ellipsis would cover the duration.
            if !detail.is_empty() && line.width() + LEAST_DETAIL < columns.end {
                line.push(Tone::Plain, "  ");
                line.append(detail);
            }
        }
        What::Log { id, at } => {
            line.push(Tone::Faint, format!("{}│ ", columns.indent(row.depth + 1)));
            if let Some((level, message)) = execution.task(id).logs.get(at) {
                line.push(tone_of(*level), message.clone());
            }
        }
        What::Failure { id, at } => {
            let failure = execution.task(id).repeat.as_ref().and_then(|repeat| repeat.caught.get(at));
            if let Some(failure) = failure {
                let index = failure.iteration.map(|index| format!("[{index}] ")).unwrap_or_default();
                let name = &execution.task(failure.task).name;
                line.push(Tone::Warning, format!("{}✗ {index}{name}  ", columns.indent(row.depth + 1)));
                line.push(Tone::Faint, failure.why.clone());
            }
        }
        What::Gap { tasks, quiet } => {
            let what = if quiet { "over or not begun" } else { "under way or failed" };
            let tasks = counted(tasks as u64, "more task", "more tasks");
            line.push(Tone::Faint, format!("{}⋮ {tasks}, {what}", columns.indent(row.depth)));
        }
    }
    line
}

/// The time of all performances together.
fn spent(task: &Task, look: Look, now: Timestamp) -> Option<Duration> {
    let running = matches!(look, Look::Running | Look::Waiting).then(|| between(task.began, now));
    (running.is_some() || task.totals.ended > 0).then(|| task.totals.time + running.unwrap_or_default())
}

fn detail(execution: &Execution, task: &Task, look: Look, folded: usize, now: Timestamp) -> Line {
    let mut detail = Line::new();
    match (&task.state, look) {
        (State::Waiting { until, why }, Look::Waiting) => {
            let delay = between(now, *until);
            let delay = if delay.as_secs() < 60 { format!("{:.1}s", delay.as_secs_f64()) } else { duration(delay) };
            detail.part(Tone::Warning, format!("attempt {} in {delay}", task.attempt));
            // Mostly the task that failed stands below and says it.
            if !task.children.iter().any(|child| matches!(execution.task(*child).state, State::Failed(_))) {
                detail.part(Tone::Faint, why.clone());
            }
        }
        (State::Failed(why), Look::Failed) => detail.part(Tone::Bad, why.clone()),
        (State::Failed(why), Look::Caught) => {
            detail.part(Tone::Warning, "caught");
            detail.part(Tone::Faint, why.clone());
        }
        (State::Running, Look::Running) => {
            let around = task.parent.map_or(1, |parent| execution.task(parent).attempt);
            if task.attempt > around.max(1) {
                detail.part(Tone::Warning, format!("attempt {}", task.attempt));
            }
        }
        (_, Look::Skipped) => detail.part(Tone::Faint, "skipped"),
        (_, Look::Cancelled) => detail.part(Tone::Faint, "cancelled"),
        _ => {}
    }
    if let Some(repeat) = &task.repeat {
        iterations(&mut detail, task, repeat, look);
    } else if let (Some(progress), Look::Running) = (&task.progress, look) {
        if let Some(fraction) = progress.fraction {
            bar(&mut detail, fraction);
            detail.push(Tone::Plain, format!(" {:.0}%", (fraction * 100.0).floor()));
        }
        if let Some(message) = progress.message.as_ref().filter(|message| !message.is_empty()) {
            detail.part(Tone::Plain, message.clone());
        }
    }
    totals(&mut detail, task, look);
    if folded > 0 {
        detail.part(Tone::Faint, format!("{} in it", counted(folded as u64, "task", "tasks")));
    }
    detail
}

fn iterations(detail: &mut Line, task: &Task, repeat: &Repeat, look: Look) {
    let done = if task.state == State::Completed { repeat.index.saturating_add(1) } else { repeat.index };
    match repeat.total.filter(|total| *total > 0) {
        Some(total) if matches!(look, Look::Running | Look::Waiting) => {
            bar(detail, (done as f64 / total as f64).min(1.0));
            detail.push(Tone::Plain, format!(" {}/{}", count(done), count(total)));
        }
        _ if look == Look::Pending => {}
        _ => detail.part(Tone::Plain, counted(done, "iteration", "iterations")),
    }
}

fn totals(detail: &mut Line, task: &Task, look: Look) {
    let totals = &task.totals;
    let performed = totals.ended + totals.skipped;
    if performed > 1 {
        detail.part(Tone::Faint, format!("{}×", count(performed)));
        if let Some(mean) = u32::try_from(totals.ended).ok().and_then(|ended| totals.time.checked_div(ended)) {
            detail.part(Tone::Faint, format!("mean {}", duration(mean)));
        }
        if totals.skipped > 0 && look != Look::Skipped {
            detail.part(Tone::Faint, format!("{} skipped", count(totals.skipped)));
        }
        if totals.failed > 0 {
            detail.part(Tone::Warning, format!("{} failed", count(totals.failed)));
        }
    }
    if totals.caught > 0 {
        detail.part(Tone::Warning, format!("{} caught", count(totals.caught)));
    }
    if totals.retried > 0 && look != Look::Waiting {
        detail.part(Tone::Warning, counted(totals.retried, "retry", "retries"));
    }
}

/// A bar of which a part, from 0 to 1, is done.
fn bar(line: &mut Line, fraction: f64) {
    let done = ((BAR as f64 * fraction) as usize).min(BAR);
    line.part(Tone::Active, "━".repeat(done));
    line.push(Tone::Faint, "─".repeat(BAR - done));
}

fn tone_of(level: LogLevel) -> Tone {
    match level {
        LogLevel::Trace | LogLevel::Debug | LogLevel::Info => Tone::Faint,
        LogLevel::Warn => Tone::Warning,
        LogLevel::Error => Tone::Bad,
    }
}
