//! Calls of well-behaved tasks, and the ways in which they can end.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use hotcell_definition::ErrorKind;
use hotcell_sandbox::{CallError, CallLimits, Cells, Digest, InProcessOptions, LogLevel, LogStream};
use serde_json::json;

use crate::guest::{echo, quoted, task, task_with};
use crate::host::{Recorder, call, cells, cells_with, prepare, run, run_with};

#[tokio::test]
async fn a_tasks_output_comes_back_as_json() {
    let (end, _) = run(&echo(), r#"{"order":[1,2.5,"três"]}"#).await;
    assert_eq!(end.result, Ok(json!({"order": [1, 2.5, "três"]})));
    assert!(end.usage.cpu > Duration::ZERO && end.usage.wall >= end.usage.cpu / 2);
    assert_eq!((end.usage.memory_peak, end.usage.waited), (1 << 20, Duration::ZERO));
}

#[tokio::test]
async fn every_call_finds_the_memory_as_it_was_before_the_first() {
    let counting = task(
        "(i32.store8 (i32.const 2048) (i32.add (i32.const 49) (i32.load8_u (i32.const 2048))))
         (call $ok (i32.const 2048) (i32.const 1))",
    );
    let cells = cells();
    let digest = prepare(&cells, &counting).await.unwrap();
    for _ in 0..20 {
        let end = Cells::call(&cells, call(digest, "null", CallLimits::default()), Arc::new(Recorder::default())).await;
        assert_eq!(end.result, Ok(json!(1)));
    }
}

#[tokio::test]
async fn a_task_learns_what_its_call_is() {
    // The strings of `current`, in the order of the record: the address and length of each.
    let fields = [("price", 0), ("/do/0/price", 8), ("test", 16), ("orders", 24), ("1.0.0", 32), ("execution-1", 40)];
    for (expected, offset) in fields.into_iter().chain([("call-1", 52)]) {
        let printing = task(&format!(
            "(call $current (i32.const 1200))
             (call $log (i32.const 2) (i32.load (i32.const {})) (i32.load (i32.const {})))
             (call $ok (local.get $input) (local.get $length))",
            1200 + offset,
            1204 + offset
        ));
        let (_, host) = run(&printing, "null").await;
        assert_eq!(host.lines(LogStream::Log), [expected]);
    }
}

#[tokio::test]
async fn a_task_learns_when_it_will_be_interrupted() {
    // The guest compares it itself, as it has no way to print a number.
    let now = jiff::Timestamp::now().as_millisecond();
    let comparing = task(&format!(
        "(call $current (i32.const 1200))
         (if (i64.lt_s (i64.load (i32.const 1264)) (i64.const {})) (then unreachable))
         (if (i64.gt_s (i64.load (i32.const 1264)) (i64.const {})) (then unreachable))
         (call $ok (local.get $input) (local.get $length))",
        now + 29_000,
        now + 3_600_000
    ));
    let limits = CallLimits { wall_time: Duration::from_secs(30), ..CallLimits::default() };
    let (end, _) = run_with(&comparing, "null", limits).await;
    assert_eq!(end.result, Ok(json!(null)));
}

#[tokio::test]
async fn log_lines_reports_and_output_reach_the_host() {
    let talkative = task_with(
        "(call $log (i32.const 4) (i32.const 2048) (i32.const 5))
         (call $report (i32.const 1) (f64.const 1.5) (i32.const 1) (i32.const 2048) (i32.const 5)
           (i32.const 1) (i32.const 2060) (i32.const 7))
         (call $report (i32.const 1) (f64.const nan) (i32.const 0) (i32.const 0) (i32.const 0)
           (i32.const 0) (i32.const 0) (i32.const 0))
         (call $write (call $get-stdout) (i32.const 2070) (i32.const 8) (i32.const 1100))
         (call $ok (local.get $input) (local.get $length))",
        r#"(data (i32.const 2048) "hello") (data (i32.const 2060) "{\"a\":1}") (data (i32.const 2070) "one\ntwo!")"#,
    );
    let (end, host) = run(&talkative, "true").await;
    assert_eq!(end.result, Ok(json!(true)));
    assert_eq!(
        *host.logs.lock().unwrap(),
        [
            (LogLevel::Error, LogStream::Log, "hello".to_owned()),
            (LogLevel::Info, LogStream::Stdout, "one".to_owned()),
            (LogLevel::Info, LogStream::Stdout, "two!".to_owned()),
        ]
    );
    assert_eq!(
        *host.reports.lock().unwrap(),
        [(Some(1.0), Some("hello".to_owned()), Some(json!({"a": 1}))), (None, None, None)]
    );
    assert_eq!((end.usage.log_bytes, end.usage.reports), (13, 2));
}

/// A task that asks for a secret, and returns it or passes the problem on.
fn asking_for(name: &str) -> Vec<u8> {
    task_with(
        &format!(
            "(call $secret (i32.const 2048) (i32.const {}) (i32.const 1024))
             (if (i32.eqz (i32.load8_u (i32.const 1024))) (then
               (call $log (i32.const 2) (i32.load (i32.const 1028)) (i32.load (i32.const 1032)))
               (return (call $ok (local.get $input) (local.get $length)))))
             (i32.const 1024)",
            name.len()
        ),
        &format!("(data (i32.const 2048) {})", quoted(name)),
    )
}

#[tokio::test]
async fn a_granted_secret_is_given() {
    let (end, host) = run(&asking_for("token"), "1").await;
    assert_eq!(end.result, Ok(json!(1)));
    assert_eq!(host.lines(LogStream::Log), ["s3cret"]);
}

#[tokio::test]
async fn a_secret_that_was_not_granted_is_an_authorization_problem() {
    let (end, _) = run(&asking_for("password"), "1").await;
    let problem = end.result.unwrap_err().to_problem();
    assert!(problem.is(ErrorKind::Authorization));
    assert_eq!(problem.status, 403);
    assert!(problem.detail.unwrap().contains("\"password\""));
}

#[tokio::test]
async fn a_returned_problem_keeps_its_members() {
    let text = r#"https://example.com/bad-order Bad order {"order":17,"status":200}"#;
    let member = |at: u32, offset: usize, length: usize| {
        format!(
            "(i32.store8 (i32.const {at}) (i32.const 1)) (i32.store (i32.const {}) (i32.const {}))
             (i32.store (i32.const {}) (i32.const {length}))",
            at + 4,
            2048 + offset,
            at + 8
        )
    };
    let run_body = [
        member(1028, 0, 29),
        "(i32.store8 (i32.const 1040) (i32.const 1)) (i32.store16 (i32.const 1042) (i32.const 422))".into(),
        member(1044, 30, 9),
        member(1068, 40, 25),
        "(call $fail)".into(),
    ]
    .concat();
    let failing = task_with(&run_body, &format!("(data (i32.const 2048) {})", quoted(text)));
    let problem = run(&failing, "null").await.0.result.unwrap_err().to_problem();
    assert_eq!(
        problem.to_value(),
        json!({"type": "https://example.com/bad-order", "status": 422, "title": "Bad order", "order": 17})
    );
}

#[tokio::test]
async fn a_problem_without_members_is_a_runtime_error() {
    let problem = run(&task("(call $fail)"), "null").await.0.result.unwrap_err().to_problem();
    assert!(problem.is(ErrorKind::Runtime));
    assert_eq!((problem.status, problem.title, problem.detail), (500, None, None));
}

#[tokio::test]
async fn a_task_that_exits_instead_of_returning_fails() {
    let exiting = task("(call $exit (i32.const 0)) unreachable");
    assert_eq!(run(&exiting, "null").await.0.result, Err(CallError::Exited { status: 0 }));
}

#[tokio::test]
async fn a_component_that_was_not_prepared_is_not_called() {
    let unknown = Digest::of(b"unknown");
    let end = Cells::call(&cells(), call(unknown, "null", CallLimits::default()), Arc::new(Recorder::default())).await;
    assert_eq!(end.result, Err(CallError::UnknownComponent { component: unknown }));
}

#[tokio::test]
async fn a_call_waits_until_a_cell_is_free() {
    let cells = cells_with(InProcessOptions { cells: 2, ..InProcessOptions::default() });
    let sleeping =
        prepare(&cells, &task("(call $block (call $sleep (i64.const 1000000000000))) unreachable")).await.unwrap();
    let echo = prepare(&cells, &echo()).await.unwrap();
    let host = || Arc::new(Recorder::default());
    let mut first = Cells::call(&cells, call(sleeping, "1", CallLimits::default()), host());
    let mut second = Cells::call(&cells, call(sleeping, "2", CallLimits::default()), host());
    let mut third = Cells::call(&cells, call(echo, "3", CallLimits::default()), host());

    assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
    assert_eq!(cells.free_cells(), 0);
    assert!((&mut third).now_or_never().is_none());
    // Nobody waits for the first one any more: it is interrupted, and its cell is free.
    drop(first);
    let end = third.await;
    assert_eq!(end.result, Ok(json!(3)));
    assert!(end.usage.waited > Duration::ZERO);
    drop(second);
    assert_eq!(cells.free_cells(), 2);
}

#[tokio::test]
async fn a_computing_call_that_nobody_waits_for_is_interrupted() {
    let cells = cells();
    let spinning = prepare(&cells, &task("(loop $forever (br $forever)) unreachable")).await.unwrap();
    let mut spinning =
        Cells::call(&cells, call(spinning, "null", CallLimits::default()), Arc::new(Recorder::default()));
    assert!((&mut spinning).now_or_never().is_none());
    assert_eq!(cells.free_cells(), 3);
    drop(spinning);
    assert_eq!(cells.free_cells(), 4);
    crate::host::assert_still_usable(&cells).await;
}

#[tokio::test]
async fn a_computing_call_lets_others_on_its_thread_go_on() {
    let cells = cells();
    let spinning = prepare(&cells, &task("(loop $forever (br $forever)) unreachable")).await.unwrap();
    let echo = prepare(&cells, &echo()).await.unwrap();
    let limits = CallLimits { cpu_time: Duration::from_secs(600), ..CallLimits::default() };
    let spinning = Cells::call(&cells, call(spinning, "null", limits), Arc::new(Recorder::default()));
    let echoes = async {
        for number in 0..10 {
            let call = call(echo, &number.to_string(), CallLimits::default());
            assert_eq!(Cells::call(&cells, call, Arc::new(Recorder::default())).await.result, Ok(json!(number)));
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        _ = spinning => panic!("nothing ends an endless loop within this time"),
        () = echoes => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_calls_at_once_do_not_disturb_each_other() {
    let cells = Arc::new(cells_with(InProcessOptions { cells: 8, ..InProcessOptions::default() }));
    let echo = prepare(&cells, &echo()).await.unwrap();
    let calls: Vec<_> = (0..500)
        .map(|number| {
            let cells = cells.clone();
            tokio::spawn(async move {
                let call = call(echo, &number.to_string(), CallLimits::default());
                (number, Cells::call(&*cells, call, Arc::new(Recorder::default())).await)
            })
        })
        .collect();
    for call in calls {
        let (number, end) = call.await.unwrap();
        assert_eq!(end.result, Ok(json!(number)));
    }
    assert_eq!(cells.free_cells(), 8);
}
