//! Runs of scheduled workflows, by a clock that only these tests move.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hotcell_definition::Definition;
use hotcell_expression::Data;
use hotcell_machine::{CloudEvent, EventKind, ExecutionId, Outcome};
use hotcell_progress::{EventLog, Subscription};
use hotcell_runtime::{
    Broker, Clock, End, EvaluatorPool, Runtime, RuntimeOptions, ScheduleOptions, ScheduleSummary, SimulatedClock,
    StartExecution, Workflow, WorkflowTimes,
};
use hotcell_sandbox::{EvaluatorLimits, Evaluators, InProcess, InProcessOptions};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// A schedule that is being run.
struct Running {
    clock: SimulatedClock,
    begun: Timestamp,
    /// The events of all runs.
    events: Subscription,
    broker: Broker,
    /// How each run has ended.
    ended: mpsc::UnboundedReceiver<End>,
    stop: Option<oneshot::Sender<()>>,
    schedule: JoinHandle<ScheduleSummary>,
}

impl Running {
    fn start(schedule: &str, tasks: &str, options: ScheduleOptions) -> Self {
        let begun: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        let clock = SimulatedClock::new(begun);
        let log = EventLog::new();
        let events = log.subscribe();
        let cells = InProcess::new(InProcessOptions::default()).expect("a sandbox");
        let options_of_runtime =
            RuntimeOptions { clock: Arc::new(clock.clone()), threads: 2, ..RuntimeOptions::new(Arc::new(cells), log) };
        let runtime = Runtime::new(options_of_runtime).expect("threads");
        let evaluators = Arc::new(Evaluators::with_cache(None).expect("evaluators"));
        let pool = EvaluatorPool::new(move || Box::new(evaluators.evaluator(EvaluatorLimits::default())));
        let document = format!(
            "document: {{ dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }}\n\
             schedule: {schedule}\ndo: {tasks}\n"
        );
        let definition = Arc::new(Definition::parse(document.as_bytes()).expect("a valid document").definition);
        let times = WorkflowTimes { parsing: begun, parsed: begun };
        let workflow = Arc::new(Workflow::new(definition, Path::new("."), pool, times).expect("it runs"));
        let occasions = runtime.occasions(&workflow, TimeZone::UTC).expect("it can be scheduled");
        let broker = runtime.broker().clone();

        let (stop, stopped) = oneshot::channel();
        let (tell, ended) = mpsc::unbounded_channel();
        let schedule = tokio::spawn(async move {
            let mut number = 0;
            let start = |events: Option<Data>| {
                number += 1;
                let id = ExecutionId::new(format!("run-{number}"));
                let (input, secrets) = (events.unwrap_or_else(Data::null), Arc::new(Map::new()));
                StartExecution { workflow: Arc::clone(&workflow), id, input, secrets }
            };
            let told = |_: &ExecutionId, end| drop(tell.send(end));
            let stopped = async { stopped.await.expect("the test stops it, or goes on") };
            runtime.run_schedule(occasions, options, start, told, stopped).await
        });
        Running { clock, begun, broker, events, ended, stop: Some(stop), schedule }
    }

    /// Sets the clock to the time for which somebody waits, and says how long after the beginning that is.
    async fn go_on(&self) -> i64 {
        let next = soon(self.clock.next_sleep()).await;
        self.clock.set(next);
        self.seconds(next)
    }

    fn seconds(&self, time: Timestamp) -> i64 {
        time.duration_since(self.begun).as_secs()
    }

    /// Waits until the first task of so many further runs has been started.
    async fn tasks_started(&mut self, mut count: usize) {
        while count > 0 {
            let events = soon(self.events.next()).await.expect("the log is open");
            count = count.saturating_sub(events.iter().filter(|event| event.kind == EventKind::TaskStarted).count());
        }
    }

    async fn run_ended(&mut self) -> End {
        soon(self.ended.recv()).await.expect("the schedule goes on")
    }

    fn publish(&self, kind: &str, data: Value) {
        let event = json!({ "specversion": "1.0", "id": "1", "source": "/test", "type": kind, "data": data });
        self.broker.publish(CloudEvent::from_json(&event.to_string()).expect("an event"));
    }

    /// The output of the next run that ends.
    async fn output(&mut self) -> Value {
        match self.run_ended().await {
            End::Ran(Outcome::Completed(output)) => output.value().clone(),
            other => panic!("{other:?}"),
        }
    }

    /// What became of it, and when the runs were started.
    async fn summary(mut self) -> (ScheduleSummary, Vec<i64>) {
        let summary = soon(self.schedule).await.expect("no panic");
        let begun = self.begun;
        let events = self.events.try_next();
        let started = events.iter().filter(|event| matches!(event.kind, EventKind::WorkflowStarted { .. }));
        let times = started.map(|event| event.time.duration_since(begun).as_secs()).collect();
        (summary, times)
    }
}

/// Fails the test when something takes far longer than it can.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(120), what).await.expect("it should not take two minutes")
}

fn bounded(runs: u64) -> ScheduleOptions {
    ScheduleOptions { runs: Some(runs), ..ScheduleOptions::default() }
}

const QUICK: &str = "[{ a: { set: { n: 1 } } }]";

#[tokio::test]
async fn every_starts_at_once_and_then_at_its_multiples() {
    let mut running = Running::start("{ every: PT10S }", QUICK, bounded(3));

    for time in [10, 20] {
        running.run_ended().await;
        assert_eq!(running.go_on().await, time);
    }

    let (summary, times) = running.summary().await;
    assert_eq!(summary, ScheduleSummary { started: 3, completed: 3, ..ScheduleSummary::default() });
    assert_eq!(times, [0, 10, 20]);
}

#[tokio::test]
async fn every_starts_although_the_run_before_goes_on_up_to_a_bound() {
    let options = ScheduleOptions { runs: Some(3), concurrency: 2 };
    let mut running = Running::start("{ every: PT10S }", "[{ a: { wait: PT25S } }]", options);

    running.tasks_started(1).await;
    assert_eq!(running.go_on().await, 10);
    running.tasks_started(1).await;
    // Two are going on: nothing starts at 20.
    assert_eq!(running.go_on().await, 20);
    soon(running.clock.slept_until(running.begun + 30.seconds())).await;
    assert_eq!(running.go_on().await, 25);
    running.run_ended().await;
    assert_eq!(running.go_on().await, 30);
    running.tasks_started(1).await;
    assert_eq!(running.go_on().await, 35);
    assert_eq!(running.go_on().await, 55);

    let (summary, _) = running.summary().await;
    assert_eq!(summary, ScheduleSummary { started: 3, completed: 3, skipped: 1, ..ScheduleSummary::default() });
}

#[tokio::test]
async fn after_waits_for_the_end_of_the_run_before() {
    let running = Running::start("{ after: PT5S }", "[{ a: { wait: PT7S } }]", bounded(3));

    for time in [7, 12, 19, 24, 31] {
        assert_eq!(running.go_on().await, time);
    }

    let (summary, times) = running.summary().await;
    assert_eq!((summary.completed, times), (3, vec![0, 12, 24]));
}

#[tokio::test]
async fn cron_starts_at_its_times_only() {
    let mut running = Running::start("{ cron: '30 */2 * * *' }", QUICK, bounded(2));

    assert_eq!(running.go_on().await, 30 * 60);
    running.run_ended().await;
    assert_eq!(running.go_on().await, 150 * 60);

    let (summary, times) = running.summary().await;
    assert_eq!((summary.completed, times), (2, vec![1_800, 9_000]));
}

#[tokio::test]
async fn times_that_a_jump_of_the_clock_passed_become_one_run() {
    let mut running = Running::start("{ every: PT10S }", QUICK, bounded(3));
    running.run_ended().await;

    assert_eq!(running.clock.next_sleep().await, running.begun + 10.seconds());
    running.clock.set(running.begun + 35.seconds());
    running.run_ended().await;
    assert_eq!(running.go_on().await, 40);

    let (summary, times) = running.summary().await;
    assert_eq!((summary.started, summary.made_up), (3, 1));
    assert_eq!(times, [0, 35, 40]);
}

#[tokio::test]
async fn a_clock_that_is_set_back_brings_no_time_twice() {
    let mut running = Running::start("{ every: PT10S }", QUICK, bounded(3));
    running.run_ended().await;
    assert_eq!(running.go_on().await, 10);
    running.run_ended().await;

    running.clock.set(running.begun - 1.hour());
    assert_eq!(running.go_on().await, 20);

    let (summary, times) = running.summary().await;
    assert_eq!((summary.completed, times), (3, vec![0, 10, 20]));
}

#[tokio::test]
async fn a_run_that_fails_ends_nothing_but_itself() {
    let raise = "[{ a: { raise: { error: { type: 'https://example.com/e', status: 500 } } } }]";
    for schedule in ["{ every: PT1H }", "{ after: PT1H }"] {
        let mut running = Running::start(schedule, raise, bounded(2));
        running.run_ended().await;
        running.go_on().await;

        let (summary, _) = running.summary().await;
        assert_eq!(summary, ScheduleSummary { started: 2, failed: 2, ..ScheduleSummary::default() });
    }
}

#[tokio::test]
async fn a_schedule_that_is_stopped_cancels_what_runs() {
    let mut running = Running::start("{ every: PT1H }", "[{ a: { wait: P1D } }]", ScheduleOptions::default());
    running.tasks_started(1).await;

    running.stop.take().expect("not stopped").send(()).expect("it listens");

    let (summary, _) = running.summary().await;
    assert_eq!(summary, ScheduleSummary { started: 1, cancelled: 1, ..ScheduleSummary::default() });
}

#[tokio::test]
async fn timers_of_a_workflow_go_by_the_clock_of_its_runtime() {
    let tasks = "[{ a: { wait: P1M } }, { b: { timeout: { after: PT1H }, do: [{ c: { wait: P1D } }] } }]";
    let running = Running::start("{ every: P1Y }", tasks, bounded(1));

    assert_eq!(running.go_on().await, 31 * 86_400);
    assert_eq!(running.go_on().await, 31 * 86_400 + 3_600);

    let clock = running.clock.clone();
    let (summary, _) = running.summary().await;
    assert_eq!(summary.failed, 1);
    assert_eq!(clock.now().to_string(), "2026-02-01T01:00:00Z");
}

/// The input is the array of the events.
const ECHO: &str = "[{ a: { set: '${ $workflow.input }' } }]";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_start_a_run_whose_input_they_are() {
    let mut running = Running::start("{ on: { one: { with: { type: a } } } }", ECHO, bounded(2));

    running.publish("b", json!(0));
    running.publish("a", json!({ "n": 1 }));
    assert_eq!(running.output().await, json!([{ "n": 1 }]));
    running.publish("a", json!(2));
    assert_eq!(running.output().await, json!([2]));

    let (summary, _) = running.summary().await;
    assert_eq!(summary, ScheduleSummary { started: 2, completed: 2, ..ScheduleSummary::default() });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_can_need_several_events_and_read_their_envelopes() {
    let schedule =
        "{ on: { all: [{ with: { type: a } }, { with: { type: b, data: '${ .n > 1 }' } }] }, read: envelope }";
    let mut running = Running::start(schedule, ECHO, bounded(1));

    running.publish("b", json!({ "n": 1 }));
    running.publish("b", json!({ "n": 2 }));
    running.publish("a", json!(null));

    let input = running.output().await;
    let mut kinds: Vec<&str> = input.as_array().expect("an array").iter().filter_map(|e| e["type"].as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["a", "b"]);
    running.summary().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_wait_for_room_and_start_their_runs_in_order() {
    let options = ScheduleOptions { runs: Some(20), concurrency: 1 };
    let mut running = Running::start("{ on: { one: { with: { type: a } } } }", ECHO, options);

    (0..20).for_each(|n| running.publish("a", json!(n)));
    for n in 0..20 {
        assert_eq!(running.output().await, json!([n]));
    }

    let (summary, _) = running.summary().await;
    assert_eq!((summary.completed, summary.skipped), (20, 0));
}
