//! Starts the runs of a schedule when their time has come.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use hotcell_machine::{ExecutionId, Input, InputKind, Outcome};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::Timetable;
use crate::execution::{End, StartExecution};
use crate::runtime::Runtime;

/// How a schedule is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleOptions {
    /// After how many runs it ends. Default: never.
    pub runs: Option<u64>,
    /// How many runs there are at once at the most. A time that comes while so many run is skipped. Default: 16.
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
    /// Runs that stood for more than one time: the clock was set forward, or the machine was suspended.
    pub made_up: u64,
}

impl Runtime {
    /// Runs a workflow by its schedule, until `stop` is ready, the number of runs is reached, or there is no further
    /// time; then until all runs have ended. When it is stopped, runs that go on are cancelled.
    ///
    /// `start` makes each run, `ended` is told how each has ended.
    ///
    /// - A run that fails ends nothing but itself.
    /// - Times that have passed when the clock is looked at (it was set forward, the machine was suspended) become one
    ///   run; it starts at once, and the next one at the next regular time.
    /// - A clock that is set back brings no time twice: what was due stays due when the clock shows it.
    pub async fn run_schedule(
        &self,
        timetable: &Timetable,
        options: ScheduleOptions,
        start: impl FnMut() -> StartExecution,
        ended: impl FnMut(&ExecutionId, End),
        stop: impl Future<Output = ()>,
    ) -> ScheduleSummary {
        let begun = self.shared.clock.now();
        let runs = Runs {
            runtime: self,
            timetable,
            options,
            begun,
            due: timetable.first(begun),
            running: HashMap::new(),
            ends: FuturesUnordered::new(),
            stopped: false,
            summary: ScheduleSummary::default(),
        };
        runs.run(start, ended, stop).await
    }
}

/// A schedule that is being run.
struct Runs<'a> {
    runtime: &'a Runtime,
    timetable: &'a Timetable,
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
        mut start: impl FnMut() -> StartExecution,
        mut ended: impl FnMut(&ExecutionId, End),
        stop: impl Future<Output = ()>,
    ) -> ScheduleSummary {
        let clock = Arc::clone(&self.runtime.shared.clock);
        let mut stop = pin!(stop);
        loop {
            let wake = self.due.filter(|_| self.may_start());
            if wake.is_none() && self.ends.is_empty() {
                return self.summary;
            }
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
            }
        }
    }

    fn may_start(&self) -> bool {
        !self.stopped && self.options.runs.is_none_or(|most| self.summary.started < most)
    }

    /// The time of the next run has come.
    fn come(&mut self, start: &mut impl FnMut() -> StartExecution) {
        let now = self.runtime.shared.clock.now();
        let Some(due) = self.due.take() else { return };
        self.due = self.timetable.next(self.begun, due);
        if self.due.is_some_and(|next| next <= now) {
            self.summary.made_up += 1;
            self.due = self.timetable.next(self.begun, now);
        }
        if self.running.len() >= self.options.concurrency.max(1) {
            self.summary.skipped += 1;
            tracing::warn!(at = %due, running = self.running.len(), "a run was not started: too many are going on");
            return;
        }
        let mut execution = self.runtime.start(start());
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
        if self.timetable.waits_for_ends() {
            self.due = self.timetable.next_after_end(self.runtime.shared.clock.now());
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
