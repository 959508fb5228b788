//! One line for each event that matters, for logs.

use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

use hotcell_machine::{Event, EventKind, LogLevel};
use jiff::Timestamp;

use super::execution::{Change, Execution, Phase};
use super::executions::Executions;
use super::figures::{between, count, counted, duration};
use super::line::{Line, Tone};
use super::pace::Pace;
use super::summary;
use super::target::Target;
use super::task::{Task, TaskId, in_short};
use super::text::clean;

/// How often a loop, or a task that tells its progress, has a line.
const REPEATED: Duration = Duration::from_secs(2);
/// After so long without a line, what still runs has one.
const SILENCE: Duration = Duration::from_secs(30);
/// A task that is performed more often counts as one in a loop: `then` can lead back to it.
const FEW: u64 = 5;
/// How much is gathered before it is written.
const GATHERED: usize = 8 * 1024;

/// A drawing in lines.
pub(super) struct Lines {
    target: Target,
    gathered: String,
    executions: Executions,
    /// Whether lines say of which execution they are.
    several: bool,
    pace: Pace,
    /// When a task had its last line, of those that have one from time to time.
    told: HashMap<(String, TaskId), Timestamp>,
    /// Since when there has been no line, by the clock of the ticks.
    silent: Option<Timestamp>,
    broken: bool,
}

impl Lines {
    pub(super) fn new(target: Target) -> Self {
        Lines {
            target,
            gathered: String::new(),
            executions: Executions::default(),
            several: false,
            pace: Pace::default(),
            told: HashMap::new(),
            silent: None,
            broken: false,
        }
    }

    pub(super) fn event(&mut self, event: &Event) {
        let mut executions = std::mem::take(&mut self.executions);
        let (execution, change, _) = executions.apply(event);
        match change {
            Some(change) => self.of_task(execution, change, event),
            None if event.task.is_none() => self.of_workflow(execution, event),
            None => {}
        }
        if execution.phase.is_over() {
            self.told.retain(|(id, _), _| *id != execution.id);
            executions.forget(&event.execution);
        }
        self.several |= executions.iter().len() > 1;
        self.executions = executions;
    }

    pub(super) fn tick(&mut self, now: Timestamp) {
        let since = *self.silent.get_or_insert(now);
        if between(since, now) >= SILENCE {
            self.silent = Some(now);
            let executions = std::mem::take(&mut self.executions);
            for execution in executions.iter() {
                self.still(execution, now);
            }
            self.executions = executions;
        }
        self.write();
    }

    pub(super) fn finish(mut self) {
        self.write();
    }

    fn of_workflow(&mut self, execution: &Execution, event: &Event) {
        let said = match &event.kind {
            EventKind::WorkflowStarted { .. } => {
                Line::new().with(Tone::Active, "▶ ").with_all(summary::heading(execution))
            }
            EventKind::WorkflowSuspended => Line::new().with(Tone::Warning, "‖ suspended"),
            EventKind::WorkflowResumed => Line::new().with(Tone::Active, "▶ resumed"),
            kind if kind.is_last() => {
                let left_out = self.pace.left_out();
                self.admit_left_out(execution, event.time, left_out);
                summary::standing(execution, event.time)
            }
            _ => return,
        };
        self.say(execution, event.time, said);
        if matches!(execution.phase, Phase::Failed(_)) {
            for line in summary::problem(execution, 100) {
                self.put(&line);
            }
        }
    }

    fn of_task(&mut self, execution: &Execution, change: Change, event: &Event) {
        let task = execution.task(change.task);
        let repeated = is_repeated(execution, change.task);
        if let Some(repeat) = outermost_loop(execution, change.task) {
            self.of_loop(execution, repeat, event.time);
        }
        let (tone, sign, rest) = match &event.kind {
            EventKind::TaskCompleted if !repeated => (Tone::Good, "✓", results(task)),
            EventKind::TaskFailed { error } if change.origin => {
                (Tone::Bad, "✗", Line::new().with(Tone::Bad, in_short(error)))
            }
            EventKind::TaskFailed { .. } if !repeated => (Tone::Bad, "✗", results(task)),
            EventKind::TaskRetried { delay, .. } => {
                let delay = duration(Duration::from_millis(*delay));
                (Tone::Warning, "↻", Line::new().with(Tone::Warning, format!("attempt {} in {delay}", task.attempt)))
            }
            EventKind::TaskCancelled if !repeated => (Tone::Faint, "■", Line::new().with(Tone::Faint, "cancelled")),
            EventKind::TaskSkipped if !repeated => (Tone::Faint, "↷", Line::new().with(Tone::Faint, "skipped")),
            EventKind::TaskLog { level, message, .. } => {
                let tone = match level {
                    LogLevel::Trace | LogLevel::Debug | LogLevel::Info => Tone::Faint,
                    LogLevel::Warn => Tone::Warning,
                    LogLevel::Error => Tone::Bad,
                };
                (Tone::Faint, "│", Line::new().with(tone, clean(message, 500)))
            }
            EventKind::TaskProgress { .. } if !repeated && self.is_due(execution, change.task, event.time) => {
                (Tone::Active, "…", progress(task))
            }
            _ => return,
        };
        let (allowed, left_out) = self.pace.allow(event.time);
        self.admit_left_out(execution, event.time, left_out);
        if allowed {
            let lasted = change.lasted.filter(|_| event.kind != EventKind::TaskSkipped);
            let line = of_task(execution, change.task, (tone, sign), lasted, rest);
            self.say(execution, event.time, line);
        }
    }

    /// A loop goes on: it has a line from time to time.
    fn of_loop(&mut self, execution: &Execution, id: TaskId, now: Timestamp) {
        if self.is_due(execution, id, now) {
            let task = execution.task(id);
            let line = of_task(execution, id, (Tone::Active, "…"), Some(between(task.began, now)), results(task));
            self.say(execution, now, line);
        }
    }

    fn is_due(&mut self, execution: &Execution, id: TaskId, now: Timestamp) -> bool {
        let begun = execution.task(id).began;
        let told = self.told.entry((execution.id.clone(), id)).or_insert(begun);
        // The task may have been performed anew since.
        let due = between((*told).max(begun), now) >= REPEATED;
        if due {
            *told = now;
        }
        due
    }

    /// Nothing happens, but something runs: whoever looks on should not take it for dead.
    fn still(&mut self, execution: &Execution, now: Timestamp) {
        let mut running = execution.tasks().enumerate().filter(|(_, task)| {
            !task.state.is_over() && task.children.iter().all(|child| execution.task(*child).state.is_over())
        });
        let Some((id, task)) = running.next() else { return };
        let others = running.count() as u64;
        let rest = match others {
            0 => Line::new(),
            others => Line::new().with(Tone::Faint, format!("and {} more", count(others))),
        };
        let line = of_task(execution, TaskId(id), (Tone::Active, "…"), Some(between(task.began, now)), rest);
        self.say(execution, now, line);
    }

    fn admit_left_out(&mut self, execution: &Execution, now: Timestamp, lines: u64) {
        if lines > 0 {
            let text = format!("⋮ {} left out", counted(lines, "line", "lines"));
            self.say(execution, now, Line::new().with(Tone::Faint, text));
        }
    }

    fn say(&mut self, execution: &Execution, now: Timestamp, line: Line) {
        let seconds = between(execution.began, now).as_secs_f64();
        let mut said = Line::new().with(Tone::Faint, format!("{seconds:>9.3}s  "));
        if self.several {
            // Ids that begin with the time have what tells them apart at their end.
            let short: String = execution.id.chars().rev().take(8).collect::<Vec<_>>().into_iter().rev().collect();
            said.push(Tone::Faint, format!("[{short}] "));
        }
        said.append(line);
        self.put(&said);
    }

    fn put(&mut self, line: &Line) {
        self.silent = None;
        self.gathered.push_str(&line.write(usize::MAX, self.target.colours));
        self.gathered.push('\n');
        if self.gathered.len() >= GATHERED {
            self.write();
        }
    }

    fn write(&mut self) {
        let text = std::mem::take(&mut self.gathered);
        if !text.is_empty() && !self.broken {
            let writer = &mut self.target.writer;
            self.broken = writer.write_all(text.as_bytes()).and_then(|()| writer.flush()).is_err();
        }
    }
}

impl Drop for Lines {
    /// What was said is not lost when a panic unwinds.
    fn drop(&mut self) {
        self.write();
    }
}

/// A line about a task: `✓    12ms  orders[17] › price  …`.
fn of_task(execution: &Execution, id: TaskId, sign: (Tone, &str), lasted: Option<Duration>, rest: Line) -> Line {
    let (tone, sign) = sign;
    let lasted = lasted.map(duration).unwrap_or_default();
    let mut line = Line::new().with(tone, sign).with(Tone::Faint, format!(" {lasted:>7}  "));
    line.push(Tone::Plain, path(execution, id));
    if !rest.is_empty() {
        line.push(Tone::Plain, "  ");
        line.append(rest);
    }
    line
}

/// The names from the outermost task to this one, loops with their index: `orders[17] › price`.
fn path(execution: &Execution, id: TaskId) -> String {
    let mut names: Vec<String> = Vec::new();
    for outer in execution.around(id) {
        let task = execution.task(outer);
        names.push(match &task.repeat {
            Some(repeat) if outer != id => format!("{}[{}]", task.name, repeat.index),
            _ => task.name.clone(),
        });
    }
    names.reverse();
    names.join(" › ")
}

fn outermost_loop(execution: &Execution, id: TaskId) -> Option<TaskId> {
    execution.around(id).filter(|outer| *outer != id && execution.task(*outer).repeat.is_some()).last()
}

fn is_repeated(execution: &Execution, id: TaskId) -> bool {
    execution.task(id).totals.ended > FEW || outermost_loop(execution, id).is_some()
}

fn results(task: &Task) -> Line {
    let mut line = Line::new();
    if let Some(repeat) = &task.repeat {
        let done = repeat.index.saturating_add(u64::from(task.state == super::task::State::Completed));
        line.part(Tone::Plain, counted(done, "iteration", "iterations"));
    }
    if task.totals.caught > 0 {
        line.part(Tone::Warning, format!("{} caught", count(task.totals.caught)));
    }
    if task.totals.retried > 0 {
        line.part(Tone::Warning, counted(task.totals.retried, "retry", "retries"));
    }
    line
}

fn progress(task: &Task) -> Line {
    let mut line = Line::new();
    let Some(progress) = &task.progress else { return line };
    if let Some(fraction) = progress.fraction {
        line.part(Tone::Plain, format!("{:.0}%", (fraction * 100.0).floor()));
    }
    if let Some(message) = &progress.message {
        line.part(Tone::Plain, message.clone());
    }
    line
}
