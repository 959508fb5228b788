//! Workers that are lost, and the calls that they had.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use hotcell_sandbox::{CallError, CallLimits, Cells, Host, LogLevel, LogStream, SecretDenied, Workers, WorkersOptions};
use serde_json::{Value, json};
use tokio::sync::{Notify, Semaphore};

use crate::guest::{echo, task, task_with};
use crate::host::{Recorder, assert_still_usable, call, options, prepare, program, run_with, start};

fn kill(process: u32) {
    assert!(Command::new("kill").args(["-9", &process.to_string()]).status().unwrap().success());
}

/// A task that asks for a secret and then returns its input.
fn asking() -> Vec<u8> {
    task_with(
        "(call $secret (i32.const 2048) (i32.const 5) (i32.const 1100))
         (call $ok (local.get $input) (local.get $length))",
        r#"(data (i32.const 2048) "token")"#,
    )
}

/// A host that tells when it is asked for a secret, and answers when the test lets it.
struct Gate {
    asked: Notify,
    times: AtomicUsize,
    open: Semaphore,
}

impl Gate {
    fn closed() -> Arc<Self> {
        Arc::new(Gate { asked: Notify::new(), times: AtomicUsize::new(0), open: Semaphore::new(0) })
    }
}

impl Host for Gate {
    fn log(&self, _: LogLevel, _: LogStream, _: String) {}

    fn report(&self, _: Option<f64>, _: Option<String>, _: Option<Value>) {}

    fn secret(&self, _: &str) -> Result<String, SecretDenied> {
        Err(SecretDenied)
    }

    fn fetch_secret<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<String, SecretDenied>> {
        async {
            self.times.fetch_add(1, Relaxed);
            self.asked.notify_one();
            self.open.acquire().await.unwrap().forget();
            Ok("s3cret".into())
        }
        .boxed()
    }
}

/// A call that has begun: it waits for its host.
async fn begun(workers: &Workers, host: &Arc<Gate>) -> tokio::task::JoinHandle<hotcell_sandbox::CallEnd> {
    let asking = prepare(workers, &asking()).await.unwrap();
    let (workers, gate) = (workers.clone(), host.clone());
    let running =
        tokio::spawn(async move { Cells::call(&workers, call(asking, "7", CallLimits::default()), gate).await });
    host.asked.notified().await;
    running
}

#[tokio::test]
async fn a_call_whose_worker_is_killed_runs_again_under_the_same_id_in_another() {
    let workers = start(options(1)).await;
    let host = Gate::closed();
    let running = begun(&workers, &host).await;
    let [killed] = workers.processes()[..] else { panic!("there is one worker") };
    kill(killed);
    host.asked.notified().await;
    host.open.add_permits(2);
    assert_eq!(running.await.unwrap().result, Ok(json!(7)));
    assert_eq!(host.times.load(Relaxed), 2);
    assert_ne!(workers.processes(), [killed]);
    assert_still_usable(&workers).await;
}

#[tokio::test]
async fn a_call_that_loses_two_workers_ends_with_a_problem_of_its_own() {
    let workers = start(options(1)).await;
    let host = Gate::closed();
    let running = begun(&workers, &host).await;
    kill(workers.processes()[0]);
    host.asked.notified().await;
    kill(workers.processes()[0]);
    let error = running.await.unwrap().result.unwrap_err();
    assert!(matches!(&error, CallError::WorkerCrashed { reason } if reason.contains("signal: 9")), "{error:?}");
    let problem = error.to_problem();
    assert_eq!((problem.title.as_deref(), problem.status), (Some("Worker crashed"), 500));
    assert_still_usable(&workers).await;
}

#[tokio::test]
async fn no_other_worker_notices_that_one_is_killed() {
    let workers = start(options(2)).await;
    let hosts = [Gate::closed(), Gate::closed()];
    let first = begun(&workers, &hosts[0]).await;
    let second = begun(&workers, &hosts[1]).await;
    kill(workers.processes()[0]);
    // One of the two was in it, and asks again.
    tokio::select! {
        () = hosts[0].asked.notified() => {}
        () = hosts[1].asked.notified() => {}
    }
    for host in &hosts {
        host.open.add_permits(2);
    }
    assert_eq!((first.await.unwrap().result, second.await.unwrap().result), (Ok(json!(7)), Ok(json!(7))));
    assert_eq!(hosts[0].times.load(Relaxed) + hosts[1].times.load(Relaxed), 3);
}

#[tokio::test]
async fn a_worker_that_is_stopped_is_silent_and_is_replaced() {
    let silence = Duration::from_secs(2);
    let workers = start(WorkersOptions { silence, ..options(1) }).await;
    let host = Gate::closed();
    let running = begun(&workers, &host).await;
    let stopped = workers.processes()[0];
    assert!(Command::new("kill").args(["-STOP", &stopped.to_string()]).status().unwrap().success());
    host.asked.notified().await;
    host.open.add_permits(2);
    assert_eq!(running.await.unwrap().result, Ok(json!(7)));
    assert_ne!(workers.processes()[0], stopped);
}

#[tokio::test]
async fn a_worker_that_takes_too_much_memory_is_replaced() {
    let workers = start(WorkersOptions { memory: 200 << 20, ..options(1) }).await;
    // 400 MiB, which this call may use, but this worker may not.
    let growing = task(
        "(drop (memory.grow (i32.const 6400)))
         (memory.fill (i32.const 65536) (i32.const 1) (i32.const 410000000))
         (call $block (call $sleep (i64.const 1000000000000))) unreachable",
    );
    let growing = prepare(&workers, &growing).await.unwrap();
    let limits = CallLimits { memory: 512 << 20, ..CallLimits::default() };
    let error = Cells::call(&workers, call(growing, "1", limits), Arc::new(Recorder::default())).await.result;
    assert!(
        matches!(&error, Err(CallError::WorkerCrashed { reason }) if reason.contains("more than 200 MiB of memory")),
        "{error:?}"
    );
    assert_still_usable(&workers).await;
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_cancelled_in_its_worker() {
    let workers = start(options(1)).await;
    let spinning = prepare(&workers, &task("(loop $forever (br $forever)) unreachable")).await.unwrap();
    let limits = CallLimits { cpu_time: Duration::from_secs(600), ..CallLimits::default() };
    let before = workers.processes();
    for _ in 0..3 {
        let calls = (0..4).map(|_| Cells::call(&workers, call(spinning, "1", limits), Arc::new(Recorder::default())));
        let ended = tokio::time::timeout(Duration::from_millis(100), futures::future::join_all(calls)).await;
        assert!(ended.is_err());
    }
    assert_still_usable(&workers).await;
    assert_eq!(workers.processes(), before, "nobody had to be killed for it");
}

#[tokio::test]
async fn workers_end_with_their_host() {
    let workers = start(options(2)).await;
    let processes = workers.processes();
    drop(workers);
    let until = Instant::now() + Duration::from_secs(20);
    for process in processes {
        // A zombie is gone, too; whoever reaps it is not told when.
        let is_there = || {
            std::fs::read_to_string(format!("/proc/{process}/stat"))
                .is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
        };
        while is_there() {
            assert!(Instant::now() < until, "{process} lives on");
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn without_a_program_that_is_a_worker_there_are_none() {
    let nonsense = WorkersOptions { program: program("nonsense"), ..options(1) };
    let error = Workers::start(nonsense).await.err().expect("it does not start").to_string();
    assert!(error.contains("cannot start a worker process"), "{error}");
}

#[tokio::test]
async fn secrets_log_lines_and_reports_pass_between_a_worker_and_its_host() {
    let talkative = task_with(
        "(call $secret (i32.const 2048) (i32.const 5) (i32.const 1024))
         (call $log (i32.const 2) (i32.load (i32.const 1028)) (i32.load (i32.const 1032)))
         (call $report (i32.const 1) (f64.const 0.5) (i32.const 1) (i32.const 2048) (i32.const 5)
           (i32.const 1) (i32.const 2060) (i32.const 7))
         (call $ok (local.get $input) (local.get $length))",
        r#"(data (i32.const 2048) "token") (data (i32.const 2060) "{\"a\":1}")"#,
    );
    let (end, host) = run_with(&talkative, "1", CallLimits::default()).await;
    assert_eq!(end.result, Ok(json!(1)));
    assert_eq!(host.lines(LogStream::Log), ["s3cret"]);
    assert_eq!(*host.reports.lock().unwrap(), [(Some(0.5), Some("token".to_owned()), Some(json!({"a": 1})))]);
    assert_eq!((end.usage.log_bytes, end.usage.reports), (6, 1));
}

#[tokio::test]
async fn many_calls_at_once_do_not_disturb_each_other() {
    let workers = start(options(2)).await;
    let echo = prepare(&workers, &echo()).await.unwrap();
    let calls = (0..300).map(|number| {
        Cells::call(&workers, call(echo, &number.to_string(), CallLimits::default()), Arc::new(Recorder::default()))
    });
    for (number, end) in futures::future::join_all(calls).await.into_iter().enumerate() {
        assert_eq!(end.result, Ok(number.into()));
    }
    assert_eq!(workers.free_cells(), 8);
}

#[tokio::test]
async fn short_calls_go_on_beside_more_spinning_guests_than_there_are_workers() {
    let workers = start(WorkersOptions { cells: 8, ..options(2) }).await;
    let spinning = prepare(&workers, &task("(loop $forever (br $forever)) unreachable")).await.unwrap();
    let echo = prepare(&workers, &echo()).await.unwrap();
    let limits =
        CallLimits { cpu_time: Duration::from_secs(600), wall_time: Duration::from_secs(600), ..CallLimits::default() };
    let spinning = (0..8).map(|_| {
        let workers = workers.clone();
        tokio::spawn(
            async move { Cells::call(&workers, call(spinning, "1", limits), Arc::new(Recorder::default())).await },
        )
    });
    let spinning: Vec<_> = spinning.collect();
    for number in 0..50 {
        let call = call(echo, &number.to_string(), CallLimits::default());
        assert_eq!(Cells::call(&workers, call, Arc::new(Recorder::default())).await.result, Ok(json!(number)));
    }
    assert!(spinning.iter().all(|spinning| !spinning.is_finished()));
    spinning.iter().for_each(tokio::task::JoinHandle::abort);
    assert_still_usable(&workers).await;
}
