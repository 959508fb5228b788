//! Cells in workers: two of them beside one and beside cells in this process, in one run; and what short calls notice of
//! guests that spin on every core.
//!
//! `cargo bench -p hotcell-sandbox --bench workers`, on a machine that does nothing else. The guest is as small as a task can be, so that
//! what is measured is what a fresh cell and the way to it cost; and one that computes for a millisecond, as most tasks do at least.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hotcell_sandbox::{
    Call, CallContext, CallId, CallLimits, Cells, Digest, Host, InProcess, InProcessOptions, LogLevel, LogStream,
    SecretDenied, WorkflowName,
};
use serde_json::Value;

#[path = "../tests/cells/guest.rs"]
#[expect(dead_code, reason = "tests have more guests")]
mod guest;

/// Asks nothing of anybody.
struct Nobody;

impl Host for Nobody {
    fn log(&self, _: LogLevel, _: LogStream, _: String) {}

    fn report(&self, _: Option<f64>, _: Option<String>, _: Option<Value>) {}

    fn secret(&self, _: &str) -> Result<String, SecretDenied> {
        Err(SecretDenied)
    }
}

fn call(component: Digest) -> Call {
    let workflow = WorkflowName { namespace: "bench".into(), name: "workers".into(), version: "1.0.0".into() };
    Call {
        id: CallId::new("call"),
        component,
        export: None,
        input: r#"{"value":1}"#.into(),
        context: CallContext {
            task: "call".into(),
            reference: "/do/0/call".into(),
            workflow: workflow.into(),
            execution: "execution".into(),
            attempt: 1,
        },
        limits: CallLimits {
            cpu_time: Duration::from_secs(3_600),
            wall_time: Duration::from_secs(3_600),
            ..CallLimits::default()
        },
    }
}

/// A task that computes for about a millisecond, and returns its input.
fn computing() -> Vec<u8> {
    guest::task(
        "(local.set $i (i32.const 1500000))
         (loop $more (br_if $more (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
         (call $ok (local.get $input) (local.get $length))",
    )
}

fn spinning() -> Vec<u8> {
    guest::task("(loop $forever (br $forever)) unreachable")
}

/// How long one run measures.
struct Length {
    throughput: Duration,
    short_calls: usize,
}

fn main() {
    // `cargo test --benches` only asks whether it runs.
    let is_test = std::env::args().any(|argument| argument == "--test");
    let length = match is_test {
        true => Length { throughput: Duration::from_millis(50), short_calls: 10 },
        false => Length { throughput: Duration::from_secs(5), short_calls: 1_000 },
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
    runtime.block_on(measure(&length));
    runtime.shutdown_background();
}

async fn measure(length: &Length) {
    let mut cases: Vec<(&str, Arc<dyn Cells>)> = Vec::new();
    let in_process = InProcess::new(InProcessOptions::default()).expect("cells");
    cases.push(("in this process", Arc::new(in_process)));
    #[cfg(target_os = "linux")]
    for (name, workers) in [("one worker", 1), ("two workers", 2)] {
        use hotcell_sandbox::{WorkerProgram, Workers, WorkersOptions};
        let program =
            WorkerProgram { path: env!("CARGO_BIN_EXE_hotcell-test-worker").into(), ..WorkerProgram::default() };
        let workers =
            Workers::start(WorkersOptions { program, ..WorkersOptions::new(workers) }).await.expect("workers");
        cases.push((name, Arc::new(workers)));
    }
    for (guest, component) in [("an empty task", guest::echo()), ("a task of a millisecond", computing())] {
        println!("{guest}                 calls/s      alone: p50        p99");
        for (name, cells) in &cases {
            let digest = cells.prepare(component.as_slice().into()).await.expect("a component");
            let _ = latencies(cells, digest, length.short_calls / 10 + 1).await;
            let rate = throughput(cells, digest, length.throughput).await;
            let alone = latencies(cells, digest, length.short_calls).await;
            println!(
                "  {name:<26} {rate:>12.0} {:>15} {:>10}",
                micros(percentile(&alone, 50)),
                micros(percentile(&alone, 99))
            );
        }
    }
    println!("short calls of one tenant     beside nobody: p50        p99     beside spinning guests: p50        p99");
    for (name, cells) in &cases {
        let (short, spinner) = (
            cells.prepare(guest::echo().into()).await.expect("a component"),
            cells.prepare(spinning().into()).await.expect("a component"),
        );
        let alone = latencies(cells, short, length.short_calls).await;
        let spinning: Vec<_> = (0..4)
            .map(|_| {
                let cells = Arc::clone(cells);
                tokio::spawn(async move { cells.call(call(spinner), Arc::new(Nobody)).await })
            })
            .collect();
        // From then on they are known to be heavy.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let beside = latencies(cells, short, length.short_calls).await;
        spinning.iter().for_each(tokio::task::JoinHandle::abort);
        println!(
            "  {name:<28} {:>19} {:>10} {:>27} {:>10}",
            micros(percentile(&alone, 50)),
            micros(percentile(&alone, 99)),
            micros(percentile(&beside, 50)),
            micros(percentile(&beside, 99))
        );
    }
}

/// Calls in a second, with enough of them at once that nobody waits for the next one.
async fn throughput(cells: &Arc<dyn Cells>, component: Digest, length: Duration) -> f64 {
    let began = Instant::now();
    let callers: Vec<_> = (0..32)
        .map(|_| {
            let cells = Arc::clone(cells);
            tokio::spawn(async move {
                let mut calls = 0_u64;
                while began.elapsed() < length {
                    cells.call(call(component), Arc::new(Nobody)).await.result.expect("it works");
                    calls += 1;
                }
                calls
            })
        })
        .collect();
    let mut calls = 0;
    for caller in callers {
        calls += caller.await.expect("no panic");
    }
    calls as f64 / began.elapsed().as_secs_f64()
}

/// How long calls take, one after the other with a pause between them.
async fn latencies(cells: &Arc<dyn Cells>, component: Digest, calls: usize) -> Vec<Duration> {
    let mut latencies = Vec::new();
    for _ in 0..calls {
        let began = Instant::now();
        cells.call(call(component), Arc::new(Nobody)).await.result.expect("it works");
        latencies.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    latencies.sort_unstable();
    latencies
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

fn micros(duration: Duration) -> String {
    format!("{:.0} µs", duration.as_secs_f64() * 1e6)
}
