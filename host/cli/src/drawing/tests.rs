//! What a person sees, on a terminal in memory.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hotcell_definition::{ErrorKind, Problem, TaskReference};
use hotcell_machine::{Event, EventKind, EventTask, ExecutionId, LogLevel, LogStream, Payload, WorkflowIdentity};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::target::{Size, Target};
use super::{Drawing, Mode};

/// A drawing, the terminal on which it appears, and the events of one execution for it.
struct Stage {
    drawing: Drawing,
    terminal: Terminal,
    now: Timestamp,
    executions: Vec<(ExecutionId, u64)>,
    performances: u64,
}

/// A terminal in memory, and everything that was written to it.
#[derive(Clone)]
struct Terminal {
    screen: Arc<Mutex<(vt100::Parser, Vec<u8>, usize)>>,
    size: Arc<(AtomicUsize, AtomicUsize)>,
}

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut screen = self.screen.lock().unwrap();
        screen.0.process(bytes);
        screen.1.extend_from_slice(bytes);
        screen.2 += 1;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Terminal {
    fn contents(&self) -> String {
        self.screen.lock().unwrap().0.screen().contents()
    }

    fn written(&self) -> String {
        String::from_utf8(self.screen.lock().unwrap().1.clone()).unwrap()
    }

    fn writes(&self) -> usize {
        self.screen.lock().unwrap().2
    }

    fn resize(&self, rows: usize, columns: usize) {
        self.size.0.store(rows, Ordering::Relaxed);
        self.size.1.store(columns, Ordering::Relaxed);
        self.screen.lock().unwrap().0.screen_mut().set_size(rows as u16, columns as u16);
    }
}

impl Stage {
    fn new(mode: Mode, rows: usize, columns: usize) -> Self {
        Stage::in_colours(mode, rows, columns, false)
    }

    fn in_colours(mode: Mode, rows: usize, columns: usize, colours: bool) -> Self {
        let parser = vt100::Parser::new(rows as u16, columns as u16, 10_000);
        let terminal = Terminal {
            screen: Arc::new(Mutex::new((parser, Vec::new(), 0))),
            size: Arc::new((AtomicUsize::new(rows), AtomicUsize::new(columns))),
        };
        let size = Arc::clone(&terminal.size);
        let target = Target {
            writer: Box::new(terminal.clone()),
            size: Box::new(move || Size {
                rows: size.0.load(Ordering::Relaxed),
                columns: size.1.load(Ordering::Relaxed),
            }),
            colours,
        };
        let mut stage = Stage {
            drawing: Drawing::new(mode, target),
            terminal,
            now: "2026-07-01T12:00:00Z".parse().unwrap(),
            executions: Vec::new(),
            performances: 0,
        };
        stage.begin("orders");
        stage
    }

    /// One more execution, to which the events that follow happen.
    fn begin(&mut self, name: &str) {
        let id = ExecutionId::new(format!("execution-{}", self.executions.len() + 1));
        self.executions.push((id, 0));
        let workflow = WorkflowIdentity { namespace: "acme".into(), name: name.into(), version: "1.0.0".into() };
        self.happens(EventKind::WorkflowStarted { workflow }, None);
        self.happens(EventKind::WorkflowExecuting, None);
    }

    fn happens(&mut self, kind: EventKind, task: Option<&EventTask>) {
        let (id, sequence) = self.executions.last_mut().unwrap();
        *sequence += 1;
        let (execution, sequence) = (id.clone(), *sequence);
        self.drawing.event(&Event { sequence, kind, time: self.now, execution, task: task.cloned() });
    }

    fn pass(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
    }

    /// Some time goes by, and the drawing is brought up to date.
    fn after(&mut self, millis: u64) -> String {
        self.pass(millis);
        self.drawing.tick(self.now);
        self.terminal.contents()
    }

    fn start(&mut self, reference: &str, parent: Option<&EventTask>, iteration: Option<u64>) -> EventTask {
        self.performances += 1;
        let segments = reference.split('/').skip(1);
        let task = EventTask {
            name: reference.rsplit('/').next().unwrap().into(),
            reference: Arc::new(segments.fold(TaskReference::root(), |reference, segment| reference.join(segment))),
            attempt: 1,
            id: self.performances,
            parent: parent.map(|parent| parent.id),
            iteration,
        };
        self.happens(EventKind::TaskCreated, Some(&task));
        self.happens(EventKind::TaskStarted, Some(&task));
        task
    }

    fn complete(&mut self, task: &EventTask) {
        self.happens(EventKind::TaskCompleted, Some(task));
        let data = Payload::Value { value: Arc::new(Value::Null) };
        self.happens(EventKind::StateUpdated { data }, Some(task));
    }

    /// A task that takes so long and completes.
    fn perform(&mut self, reference: &str, parent: Option<&EventTask>, iteration: Option<u64>, millis: u64) {
        let task = self.start(reference, parent, iteration);
        self.pass(millis);
        self.complete(&task);
    }

    fn fail(&mut self, task: &EventTask) -> Problem {
        let mut problem = Problem::new(ErrorKind::Validation, "Bad order", "the quantity must be positive");
        problem.instance = Some(task.reference.to_string());
        self.happens(EventKind::TaskFailed { error: problem.clone() }, Some(task));
        problem
    }

    fn log(&mut self, task: &EventTask, level: LogLevel, message: &str) {
        self.happens(EventKind::TaskLog { level, stream: LogStream::Log, message: message.into() }, Some(task));
    }

    fn end(&mut self) {
        let output = Payload::Value { value: Arc::new(Value::Null) };
        self.happens(EventKind::WorkflowCompleted { output }, None);
    }

    fn finish(self) -> Terminal {
        self.drawing.finish();
        self.terminal
    }

    /// A loop in which every twentieth order is refused, and that is caught.
    fn price_orders(&mut self, orders: u64, until: u64) -> EventTask {
        let repeat = self.start("/do/1/priceAll", None, None);
        let data = Some(json!({ "iterations": orders }));
        self.happens(EventKind::TaskProgress { fraction: None, message: None, data }, Some(&repeat));
        for index in 0..until {
            let trial = self.start("/do/1/priceAll/do/0/guarded", Some(&repeat), Some(index));
            let price = self.start("/do/1/priceAll/do/0/guarded/try/0/price", Some(&trial), Some(index));
            self.pass(5);
            if index % 20 == 7 {
                self.log(&price, LogLevel::Warn, "refusing it");
                self.fail(&price);
                self.perform("/do/1/priceAll/do/0/guarded/catch/do/0/note", Some(&trial), Some(index), 1);
            } else {
                self.complete(&price);
            }
            self.complete(&trial);
        }
        repeat
    }
}

macro_rules! assert_seen {
    ($name:expr, $seen:expr) => {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!($name, $seen);
        });
    };
}

#[test]
fn a_loop_of_hundreds_is_one_subtree_with_numbers() {
    let mut stage = Stage::new(Mode::Live, 24, 80);
    stage.perform("/do/0/load", None, None, 12);
    let repeat = stage.price_orders(300, 143);
    let trial = stage.start("/do/1/priceAll/do/0/guarded", Some(&repeat), Some(143));
    let price = stage.start("/do/1/priceAll/do/0/guarded/try/0/price", Some(&trial), Some(143));
    let fast = stage.after(10);
    stage.log(&price, LogLevel::Info, "asking for the price");
    let slow = stage.after(700);

    assert_seen!("loop-fast", fast);
    assert_seen!("loop-slow", slow);
}

#[test]
fn branches_stand_side_by_side_with_their_progress_and_logs() {
    let mut stage = Stage::new(Mode::Live, 24, 80);
    let fork = stage.start("/do/0/both", None, None);
    let stock = stage.start("/do/0/both/fork/branches/0/stock", Some(&fork), None);
    let shipping = stage.start("/do/0/both/fork/branches/1/shipping", Some(&fork), None);
    stage.happens(
        EventKind::TaskProgress { fraction: Some(0.62), message: Some("warehouse 5 of 8".into()), data: None },
        Some(&stock),
    );
    for line in 1..=5 {
        stage.log(&shipping, LogLevel::Info, &format!("line {line}"));
    }
    assert_seen!("fork", stage.after(1_500));
}

#[test]
fn a_task_that_is_attempted_again_says_which_attempt_when_and_why() {
    let mut stage = Stage::new(Mode::Live, 24, 80);
    let trial = stage.start("/do/0/flaky", None, None);
    let call = stage.start("/do/0/flaky/try/0/ask", Some(&trial), None);
    stage.pass(250);
    let error = stage.fail(&call);
    let again = EventTask { attempt: 2, ..trial.clone() };
    stage.happens(EventKind::TaskRetried { error, delay: 2_000 }, Some(&again));
    let waiting = stage.after(500);
    stage.pass(1_500);
    stage.performances += 1;
    let second = EventTask { attempt: 2, id: stage.performances, ..call };
    stage.happens(EventKind::TaskCreated, Some(&second));
    let running = stage.after(100);
    stage.complete(&second);
    stage.complete(&trial);
    stage.end();

    assert_seen!("retry-waiting", waiting);
    assert_seen!("retry-running", running);
    assert_seen!("retry-over", stage.finish().contents());
}

#[test]
fn a_failed_workflow_leaves_its_whole_problem() {
    let mut stage = Stage::in_colours(Mode::Live, 24, 80, true);
    stage.perform("/do/0/load", None, None, 12);
    let task = stage.start("/do/1/report", None, None);
    stage.pass(40);
    let mut error = stage.fail(&task);
    error.extensions.insert("orderId".into(), 17.into());
    stage.happens(EventKind::WorkflowFailed { error }, None);

    let terminal = stage.finish();

    assert_seen!("failed", terminal.contents());
    assert_seen!("failed-in-colours", terminal.written().replace('\x1b', "␛").replace("\r\n", "\n"));
}

#[test]
fn what_does_not_fit_is_folded_and_what_runs_stays() {
    for (name, rows, columns) in [("small", 10, 60), ("tiny", 5, 20)] {
        let mut stage = Stage::new(Mode::Live, rows, columns);
        stage.perform("/do/0/load", None, None, 12);
        let repeat = stage.price_orders(100, 100);
        stage.complete(&repeat);
        for task in ["/do/2/sum", "/do/3/check", "/do/4/send"] {
            stage.perform(task, None, None, 3);
        }
        let outer = stage.start("/do/5/outer", None, None);
        stage.start("/do/5/outer/do/0/価格計算", Some(&outer), None);

        let seen = stage.after(100);

        assert!(seen.lines().count() < rows);
        assert_seen!(name, seen);
    }
}

#[test]
fn no_size_of_the_terminal_is_too_small() {
    for rows in 1..12 {
        for columns in [1, 2, 5, 9, 13, 30] {
            let mut stage = Stage::new(Mode::Live, rows, columns);
            stage.price_orders(50, 49);
            let seen = stage.after(500);
            assert!(seen.lines().count() <= rows, "{rows}x{columns}: {seen}");
            stage.finish();
        }
    }
}

#[test]
fn a_frame_replaces_the_one_before_also_after_a_resize() {
    let mut stage = Stage::new(Mode::Live, 24, 80);
    stage.perform("/do/0/load", None, None, 12);
    stage.start("/do/1/wait", None, None);
    stage.after(100);
    stage.terminal.resize(24, 60);
    let narrower = stage.after(100);
    stage.terminal.resize(30, 120);
    let wider = stage.after(100);

    assert_eq!(narrower.matches("load").count(), 1, "{narrower}");
    assert_eq!(wider.matches("load").count(), 1, "{wider}");
}

#[test]
fn frames_come_no_faster_than_eyes_and_each_is_one_write() {
    let mut stage = Stage::new(Mode::Live, 24, 80);
    stage.start("/do/0/wait", None, None);
    for _ in 0..1_000 {
        stage.after(1);
    }
    assert!(stage.terminal.writes() <= 16, "{}", stage.terminal.writes());
}

#[test]
fn a_program_that_is_killed_leaves_the_terminal_as_it_was() {
    let mut stage = Stage::new(Mode::Live, 24, 80);
    stage.after(100);
    let written = stage.terminal.written();

    for (on, off) in [("\x1b[?25l", "\x1b[?25h"), ("\x1b[?7l", "\x1b[?7h"), ("\x1b[?2026h", "\x1b[?2026l")] {
        assert!(written.rfind(off) > written.rfind(on), "{written:?}");
    }
}

#[test]
fn nothing_that_a_tenant_wrote_acts_on_the_terminal() {
    let hostile = "\x1b[2J\x1b]0;pwned\x07\u{202e}\r\nx\u{9b}5A";
    for mode in [Mode::Live, Mode::Lines] {
        let mut stage = Stage::new(mode, 24, 80);
        let mut task = stage.start("/do/0/wait", None, None);
        task.name = hostile.into();
        task.reference = Arc::new(TaskReference::root().join(hostile));
        task.id = 99;
        stage.happens(EventKind::TaskCreated, Some(&task));
        stage.log(&task, LogLevel::Error, hostile);
        let message = Some(hostile.to_owned());
        stage.happens(EventKind::TaskProgress { fraction: Some(f64::NAN), message, data: None }, Some(&task));
        stage.after(100);
        let mut error = Problem::new(ErrorKind::Runtime, hostile, hostile.repeat(1_000)).with_status(0);
        (error.kind, error.instance) = (hostile.into(), Some(hostile.into()));
        error.extensions.insert(hostile.into(), json!({ hostile: hostile }));
        stage.happens(EventKind::TaskFailed { error: error.clone() }, Some(&task));
        stage.happens(EventKind::WorkflowFailed { error }, None);

        let written = stage.finish().written();

        assert!(!written.contains("\x1b[2J") && !written.contains("\x1b]") && !written.contains('\u{202e}'));
        assert!(!written.contains('\u{9b}') && !written.contains('\x07'));
    }
}

#[test]
fn a_long_loop_and_more_tasks_than_are_drawn_stay_small() {
    let mut stage = Stage::new(Mode::Live, 24, 80);
    stage.price_orders(20_000, 20_000);
    for task in 0..21_000 {
        stage.perform(&format!("/do/{task}/many"), None, None, 0);
    }
    assert_seen!("many", stage.after(500));
}

#[test]
fn executions_that_end_beside_others_leave_a_line_above() {
    let mut stage = Stage::new(Mode::Live, 24, 100);
    stage.perform("/do/0/load", None, None, 12);
    stage.begin("invoices");
    stage.start("/do/0/send", None, None);
    let both = stage.after(100);
    let second = stage.executions.pop().unwrap();
    stage.end();
    stage.executions.push(second);
    let one = stage.after(100);
    for _ in 0..40 {
        stage.begin("flood");
        stage.start("/do/0/task", None, None);
    }

    assert_seen!("two-executions", both);
    assert_seen!("one-of-two-executions", one);
    assert_seen!("many-executions", stage.after(100));
}

#[test]
fn a_log_has_a_line_for_each_event_that_matters() {
    let mut stage = Stage::new(Mode::Lines, 24, 80);
    stage.perform("/do/0/load", None, None, 12);
    let repeat = stage.price_orders(1_000, 1_000);
    stage.complete(&repeat);
    let trial = stage.start("/do/2/flaky", None, None);
    let call = stage.start("/do/2/flaky/try/0/ask", Some(&trial), None);
    stage.pass(250);
    let error = stage.fail(&call);
    let again = EventTask { attempt: 2, ..trial.clone() };
    stage.happens(EventKind::TaskRetried { error, delay: 2_000 }, Some(&again));
    stage.pass(2_000);
    let second = stage.start("/do/2/flaky/try/0/ask", Some(&trial), None);
    stage.after(1);
    stage.after(40_000);
    stage.complete(&second);
    stage.complete(&trial);
    let skipped = stage.start("/do/3/never", None, None);
    stage.happens(EventKind::TaskSkipped, Some(&skipped));
    let report = stage.start("/do/4/report", None, None);
    let error = stage.fail(&report);
    stage.happens(EventKind::WorkflowFailed { error }, None);

    let written = stage.finish().written();

    let (beginning, end) = (written.lines().take(8), written.lines().skip(written.lines().count() - 26));
    assert_seen!("lines", beginning.chain(["[…]"]).chain(end).collect::<Vec<_>>().join("\n"));
}
