//! What hostile tasks try. Each leaves the process usable, which `failure` and `run_with` check.

use std::time::Duration;

use hotcell_sandbox::{CallError, CallLimits, LogStream, ResourceKind, TrapKind};
use serde_json::json;

use crate::guest::{task, task_with};
use crate::host::{failure, run, run_with};

/// Limits that are quick to pass.
fn short() -> CallLimits {
    CallLimits { cpu_time: Duration::from_millis(50), ..CallLimits::default() }
}

/// The kind of trap that this task ends with, and its backtrace.
async fn trap(component: &[u8]) -> (TrapKind, Vec<String>) {
    match failure(component, CallLimits::default()).await {
        CallError::Trap { trap, backtrace, .. } => (trap, backtrace),
        other => panic!("not a trap: {other:?}"),
    }
}

#[tokio::test]
async fn an_endless_loop_uses_up_its_cpu_time() {
    let error = failure(&task("(loop $forever (br $forever)) unreachable"), short()).await;
    assert_eq!(error, CallError::CpuLimit { limit: Duration::from_millis(50) });
    assert_eq!(error.to_problem().title.as_deref(), Some("CPU limit"));
}

#[tokio::test]
async fn an_endless_loop_in_a_start_function_uses_up_its_cpu_time() {
    let looping = task_with("unreachable", "(func $init (loop $forever (br $forever))) (start $init)");
    assert_eq!(failure(&looping, short()).await, CallError::CpuLimit { limit: Duration::from_millis(50) });
}

#[tokio::test]
async fn endless_bulk_operations_use_up_their_cpu_time() {
    let filling = task(
        "(loop $forever (memory.fill (i32.const 65536) (i32.const 1) (i32.const 900000)) (br $forever)) unreachable",
    );
    assert_eq!(failure(&filling, short()).await, CallError::CpuLimit { limit: Duration::from_millis(50) });
}

#[tokio::test]
async fn a_computing_task_has_only_so_much_wall_time() {
    let limits = CallLimits { wall_time: Duration::from_millis(30), ..CallLimits::default() };
    let error = failure(&task("(loop $forever (br $forever)) unreachable"), limits).await;
    assert_eq!(error, CallError::TimeLimit { limit: Duration::from_millis(30) });
    assert_eq!(error.to_problem().status, 408);
}

#[tokio::test]
async fn a_sleeping_task_has_only_so_much_wall_time() {
    let limits = CallLimits { wall_time: Duration::from_millis(300), ..CallLimits::default() };
    let sleeping = task("(call $block (call $sleep (i64.const 1000000000000))) unreachable");
    let (end, _) = run_with(&sleeping, "null", limits).await;
    assert_eq!(end.result, Err(CallError::TimeLimit { limit: Duration::from_millis(300) }));
    assert!(end.usage.cpu < Duration::from_millis(200), "{:?}", end.usage);
}

#[tokio::test]
async fn a_task_that_gives_up_for_want_of_memory_passed_the_memory_limit() {
    let bomb = task(
        "(loop $more (br_if $more (i32.ne (i32.const -1) (memory.grow (i32.const 16)))))
         unreachable",
    );
    let limits = CallLimits { memory: 32 << 20, ..CallLimits::default() };
    let (end, _) = run_with(&bomb, "null", limits).await;
    let error = end.result.unwrap_err();
    assert_eq!(error, CallError::MemoryLimit { limit: 32 << 20 });
    assert_eq!(error.to_problem().title.as_deref(), Some("Memory limit"));
    assert_eq!(end.usage.memory_peak, 32 << 20);
}

#[tokio::test]
async fn a_task_that_does_with_the_memory_it_has_goes_on() {
    let modest = task("(drop (memory.grow (i32.const 30000))) (call $ok (local.get $input) (local.get $length))");
    assert_eq!(run(&modest, "1").await.0.result, Ok(json!(1)));
}

#[tokio::test]
async fn failed_growth_does_not_make_room_for_more() {
    // Growing by 4 GiB fails before the limiter is asked, and is reported to it as a failure.
    let counting_down = task(
        "(loop $more
           (drop (memory.grow (i32.const 65536)))
           (br_if $more (i32.ne (i32.const -1) (memory.grow (i32.const 16)))))
         (if (i32.gt_u (memory.size) (i32.const 2048)) (then (return (call $fail))))
         (call $ok (local.get $input) (local.get $length))",
    );
    assert_eq!(run(&counting_down, "1").await.0.result, Ok(json!(1)));
}

#[tokio::test]
async fn a_memory_that_begins_too_large_passes_the_memory_limit() {
    let limits = CallLimits { memory: 512 << 10, ..CallLimits::default() };
    assert_eq!(failure(&task("unreachable"), limits).await, CallError::MemoryLimit { limit: 512 << 10 });
}

#[tokio::test]
async fn a_function_table_grows_only_so_far() {
    let growing = task_with(
        "(loop $more (br_if $more (i32.ne (i32.const -1) (table.grow $table (ref.null func) (i32.const 1000)))))
         unreachable",
        "(table $table 1 funcref)",
    );
    let error = failure(&growing, CallLimits::default()).await;
    assert_eq!(error, CallError::ResourceLimit { resource: ResourceKind::TableElements, limit: 20_000 });
}

#[tokio::test]
async fn endless_recursion_overflows_the_stack() {
    let recursive = task_with("(call $deeper) unreachable", "(func $deeper (call $deeper) (call $deeper))");
    let (kind, backtrace) = trap(&recursive).await;
    assert_eq!(kind, TrapKind::StackOverflow);
    assert_eq!(kind.title(), "Stack overflow");
    assert!(!backtrace.is_empty() && backtrace.len() <= 20);
}

#[tokio::test]
async fn each_trap_is_named_by_its_cause() {
    let cases = [
        ("unreachable", TrapKind::Unreachable),
        ("(drop (i32.div_u (i32.const 1) (i32.const 0))) unreachable", TrapKind::DivisionByZero),
        ("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1))) unreachable", TrapKind::IntegerOverflow),
        ("(drop (i32.load (i32.const -8))) unreachable", TrapKind::OutOfBounds),
        ("(call_indirect $table (i32.const 0)) unreachable", TrapKind::BadFunctionPointer),
        ("(call_indirect $table (i32.const 77)) unreachable", TrapKind::BadFunctionPointer),
        // A result that points out of the memory, and a text that is not UTF-8.
        ("(i32.const -8)", TrapKind::ComponentModel),
        ("(call $ok (i32.const -8) (i32.const 100))", TrapKind::ComponentModel),
        (
            "(i32.store8 (i32.const 2048) (i32.const 255)) (call $ok (i32.const 2048) (i32.const 1))",
            TrapKind::ComponentModel,
        ),
        ("(call $block (i32.const 99)) unreachable", TrapKind::ComponentModel),
    ];
    for (run, expected) in cases {
        let (kind, _) = trap(&task_with(run, "(table $table 1 funcref)")).await;
        assert_eq!(kind, expected, "{run}");
    }
}

#[tokio::test]
async fn a_backtrace_names_functions_as_their_authors_know_them() {
    let nested = task_with(
        "(call $_ZN5price5order17h0123456789abcdefE) unreachable",
        "(func $_ZN5price5order17h0123456789abcdefE unreachable)",
    );
    let (_, backtrace) = trap(&nested).await;
    assert_eq!(backtrace[0], "price::order");
}

#[tokio::test]
async fn a_flood_of_log_lines_is_cut_and_the_task_goes_on() {
    let flooding = task(
        "(local.set $i (i32.const 2000))
         (loop $more
           (call $log (i32.const 2) (i32.const 65536) (i32.const 1000))
           (call $write (call $get-stdout) (i32.const 65536) (i32.const 4096) (i32.const 1100))
           (br_if $more (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
         (call $ok (local.get $input) (local.get $length))",
    );
    // Each turn gets a handle to stdout that is never dropped; that is another test's attack.
    let limits = CallLimits { handles: 10_000, ..CallLimits::default() };
    let (end, host) = run_with(&flooding, "1", limits).await;
    assert_eq!(end.result, Ok(json!(1)));
    assert_eq!(end.usage.log_bytes, 2000 * 5096);
    let kept: usize = host.logs.lock().unwrap().iter().map(|(_, _, line)| line.len()).sum();
    assert!(kept <= 3 * (256 << 10) + 200, "{kept}");
    let remarks = host.lines(LogStream::Host);
    assert_eq!(remarks.len(), 1);
    assert!(remarks[0].contains("bytes were dropped from this call's log"), "{remarks:?}");
}

#[tokio::test]
async fn a_flood_of_reports_is_cut_and_the_task_goes_on() {
    let flooding = task(
        "(local.set $i (i32.const 50000))
         (loop $more
           (call $report (i32.const 1) (f64.const 0.5) (i32.const 0) (i32.const 0) (i32.const 0)
             (i32.const 0) (i32.const 0) (i32.const 0))
           (br_if $more (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
         (call $ok (local.get $input) (local.get $length))",
    );
    let (end, host) = run(&flooding, "1").await;
    assert_eq!((end.result, end.usage.reports), (Ok(json!(1)), 50_000));
    let passed = host.reports.lock().unwrap().len() as u64;
    assert!((1_000..=1_000 + 1 + end.usage.wall.as_millis() as u64 / 100).contains(&passed), "{passed}");
    assert_eq!(
        host.lines(LogStream::Host),
        [format!("{} progress reports of this call were dropped: it made more than are passed on", 50_000 - passed)]
    );
}

#[tokio::test]
async fn a_task_that_never_drops_its_handles_is_ended() {
    let leaking = task("(loop $more (drop (call $sleep (i64.const 0))) (br $more)) unreachable");
    let error = failure(&leaking, CallLimits::default()).await;
    assert_eq!(error, CallError::ResourceLimit { resource: ResourceKind::Handles, limit: 1_000 });
}
