//! Starts the runs of a schedule when their time has come.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use hotcell_definition::Problem;
use hotcell_expression::Data;
use hotcell_machine::{ExecutionId, Input, InputKind, Outcome, Position};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::{Occasions, Timetable};
use crate::execution::{End, StartExecution};
use crate::listener::EventListener;
use crate::runtime::Runtime;

/// How a schedule is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleOptions {
    /// After how many runs it ends. Default: never.
    pub runs: Option<u64>,
    /// How many runs there are at once at the most. A time that comes while so many run is skipped; events that come wait in
    /// the broker. Default: 16.
    pub concurrency: usize,
}

impl Default for ScheduleOptions {
    fn default() -> Self {
        ScheduleOptions { runs: None, concurrency: 16 }
    }
}

/// What became of a schedule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScheduleSummary {
    /// The runs that were started.
    pub started: u64,
    /// Those that ended with an output.
    pub completed: u64,
    /// Those that ended with an error.
    pub failed: u64,
    /// Those that were cancelled.
    pub cancelled: u64,
    /// Whether a run was refused before its first task. No further one is started then, as it would be refused too.
    pub refused: bool,
    /// Times at which nothing was started, because too many runs were going on.
    pub skipped: u64,
    /// Events that started nothing: a filter could not be evaluated, they were too large together, or they came faster than
    /// they could be heard. The runs that go on know nothing of it.
    pub unheard: u64,
    /// Runs that stood for more than one time: the clock was set forward, or the machine was suspended.
    pub made_up: u64,
}

impl Runtime {
    /// Runs a workflow by its schedule, until `stop` is ready, the number of runs is reached, or there is no further
    /// time; then until all runs have ended. When it is stopped, runs that go on are cancelled.
    ///
    /// `start` makes each run, from the events that start it if events do; `ended` is told how each has ended. Needs a
    /// runtime of several threads for events, as it may evaluate expressions.
    ///
    /// - A run that fails ends nothing but itself.
    /// - A run that itself listens hears what is published after the events that started it, or after its start; the
    ///   first of those that times start, all that the broker holds.
    /// - Times that have passed when the clock is looked at (it was set forward, the machine was suspended) become one
    ///   run; it starts at once, and the next one at the next regular time.
    /// - A clock that is set back brings no time twice: what was due stays due when the clock shows it.
    pub async fn run_schedule(
        &self,
        occasions: Occasions,
        options: ScheduleOptions,
        start: impl FnMut(Option<Data>) -> StartExecution,
        ended: impl FnMut(&ExecutionId, End),
        stop: impl Future<Output = ()>,
    ) -> ScheduleSummary {
        let begun = self.shared.clock.now();
        let (timetable, listener) = match occasions {
            Occasions::Times(timetable) => (Some(timetable), None),
            Occasions::Events(listener) => (None, Some(*listener)),
        };
        let runs = Runs {
            runtime: self,
            options,
            begun,
            due: timetable.as_ref().and_then(|timetable| timetable.first(begun)),
            timetable,
            running: HashMap::new(),
            ends: FuturesUnordered::new(),
            stopped: false,
            summary: ScheduleSummary::default(),
        };
        runs.run(listener, start, ended, stop).await
    }
}

/// A schedule that is being run.
struct Runs<'a> {
    runtime: &'a Runtime,
    timetable: Option<Timetable>,
    options: ScheduleOptions,
    begun: Timestamp,
    /// When the next run starts, if that is known.
    due: Option<Timestamp>,
    /// The runs that go on, and how they are told something.
    running: HashMap<ExecutionId, mpsc::UnboundedSender<Input>>,
    ends: FuturesUnordered<BoxFuture<'static, (ExecutionId, End)>>,
    stopped: bool,
    summary: ScheduleSummary,
}

impl Runs<'_> {
    async fn run(
        mut self,
        mut listener: Option<EventListener>,
        mut start: impl FnMut(Option<Data>) -> StartExecution,
        mut ended: impl FnMut(&ExecutionId, End),
        stop: impl Future<Output = ()>,
    ) -> ScheduleSummary {
        let clock = Arc::clone(&self.runtime.shared.clock);
        let mut stop = pin!(stop);
        loop {
            let wake = self.due.filter(|_| self.may_start());
            let listens = listener.is_some() && self.may_start();
            if wake.is_none() && !listens && self.ends.is_empty() {
                return self.summary;
            }
            // What has no room yet stays in the broker.
            let hear = listener.as_mut().filter(|_| listens && self.has_room());
            let sleep = async {
                match wake {
                    Some(at) => clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // What has ended makes room for what is due.
                biased;
                () = &mut stop, if !self.stopped => self.stop(),
                Some((id, end)) = self.ends.next() => {
                    self.ended(&id, &end);
                    ended(&id, end);
                }
                () = sleep => self.come(&mut start),
                heard = heard(hear) => match heard {
                    Ok((events, position)) => self.start(start(Some(events)), position),
                    Err(problem) => {
                        self.summary.unheard += 1;
                        tracing::warn!(%problem, "events started nothing");
                    }
                },
            }
        }
    }

    fn has_room(&self) -> bool {
        self.running.len() < self.options.concurrency.max(1)
    }

    fn may_start(&self) -> bool {
        !self.stopped && self.options.runs.is_none_or(|most| self.summary.started < most)
    }

    /// The time of the next run has come.
    fn come(&mut self, start: &mut impl FnMut(Option<Data>) -> StartExecution) {
        let now = self.runtime.shared.clock.now();
        let (Some(due), Some(timetable)) = (self.due.take(), &self.timetable) else { return };
        self.due = timetable.next(self.begun, due);
        if self.due.is_some_and(|next| next <= now) {
            self.summary.made_up += 1;
            self.due = timetable.next(self.begun, now);
        }
        if !self.has_room() {
            self.summary.skipped += 1;
            tracing::warn!(at = %due, running = self.running.len(), "a run was not started: too many are going on");
            return;
        }
        // What was published before is meant for the first run, if for any.
        let hears_after = if self.summary.started == 0 { Position(0) } else { self.runtime.broker().position() };
        self.start(start(None), hears_after);
    }

    fn start(&mut self, start: StartExecution, hears_after: Position) {
        let mut execution = self.runtime.start_hearing_after(start, hears_after);
        let id = execution.id().clone();
        self.summary.started += 1;
        self.running.insert(id.clone(), execution.inputs.clone());
        self.ends.push(Box::pin(async move { (id, execution.end().await) }));
    }

    fn ended(&mut self, id: &ExecutionId, end: &End) {
        self.running.remove(id);
        match end {
            End::Ran(Outcome::Completed(_)) => self.summary.completed += 1,
            End::Ran(Outcome::Faulted(_)) => self.summary.failed += 1,
            End::Ran(Outcome::Cancelled) => self.summary.cancelled += 1,
            End::Refused(_) => {
                self.summary.refused = true;
                self.stop();
            }
        }
        if let Some(timetable) = self.timetable.as_ref().filter(|timetable| timetable.waits_for_ends()) {
            self.due = timetable.next_after_end(self.runtime.shared.clock.now());
        }
    }

    fn stop(&mut self) {
        self.stopped = true;
        let time = self.runtime.shared.clock.now();
        for inputs in self.running.values() {
            let reason = Some("the schedule was stopped".to_owned());
            // One that has just ended does not listen any more.
            let _ = inputs.send(Input { time, kind: InputKind::Cancel { reason } });
        }
    }
}

/// The next events that start a run, and the position of the last of them; never, if none are listened for.
async fn heard(listener: Option<&mut EventListener>) -> Result<(Data, Position), Problem> {
    match listener {
        Some(listener) => Ok((listener.next().await?, listener.position())),
        None => std::future::pending().await,
    }
}
