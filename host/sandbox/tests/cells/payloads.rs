//! Data that crosses the border of a cell.

use hotcell_sandbox::{CallError, CallLimits, PayloadKind, PayloadUnit};
use serde_json::json;

use crate::guest::{echo, returning, task, task_with};
use crate::host::{failure, run, run_with};

/// Limits that are quick to pass.
fn small() -> CallLimits {
    CallLimits { payload: 100, ..CallLimits::default() }
}

fn too_large(what: PayloadKind, limit: usize) -> CallError {
    CallError::PayloadLimit { what, limit, unit: PayloadUnit::Bytes }
}

/// A JSON string of so many bytes.
fn text(length: usize) -> String {
    format!("\"{}\"", "a".repeat(length - 2))
}

#[tokio::test]
async fn input_and_output_may_be_as_large_as_the_limit() {
    let (end, _) = run_with(&echo(), &text(100), small()).await;
    assert_eq!(end.result, Ok(json!("a".repeat(98))));
}

#[tokio::test]
async fn data_of_8_mib_passes_through_with_the_default_limits() {
    let (end, _) = run(&echo(), &text(8 << 20)).await;
    assert_eq!(end.result.map(|output| output.as_str().map(str::len)), Ok(Some((8 << 20) - 2)));
}

#[tokio::test]
async fn input_beyond_the_limit_is_refused() {
    let (end, _) = run_with(&echo(), &text(101), small()).await;
    assert_eq!(end.result, Err(too_large(PayloadKind::Input, 100)));
}

#[tokio::test]
async fn output_beyond_the_limit_is_refused() {
    assert_eq!(failure(&returning(&text(101)), small()).await, too_large(PayloadKind::Output, 100));
    let huge = task("(drop (memory.grow (i32.const 1000))) (call $ok (i32.const 65536) (i32.const 60000000))");
    assert_eq!(failure(&huge, CallLimits::default()).await, too_large(PayloadKind::Output, 8 << 20));
}

#[tokio::test]
async fn a_host_calls_data_beyond_the_limit_ends_the_call() {
    let logging = task("(call $log (i32.const 0) (i32.const 65536) (i32.const 101)) unreachable");
    assert_eq!(failure(&logging, small()).await, too_large(PayloadKind::HostCall, 100));
    let asking = task("(call $secret (i32.const 65536) (i32.const 900000) (i32.const 1100)) unreachable");
    assert_eq!(failure(&asking, small()).await, too_large(PayloadKind::HostCall, 100));
}

#[tokio::test]
async fn output_that_is_no_json_is_refused() {
    for output in ["", "nope", "{\"a\":1", "1 2", "\"\\ud800\""] {
        let error = failure(&returning(output), CallLimits::default()).await;
        assert!(matches!(error, CallError::InvalidJson { what: PayloadKind::Output, .. }), "{output}: {error:?}");
        assert_eq!(error.to_problem().title.as_deref(), Some("Invalid output"));
    }
}

#[tokio::test]
async fn output_that_is_nested_too_deeply_is_refused() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(run(&returning(&nested(100)), "null").await.0.result.is_ok());
    for depth in [101, 50_000] {
        let error = failure(&returning(&nested(depth)), CallLimits::default()).await;
        assert!(matches!(error, CallError::InvalidJson { reason, .. } if reason.contains(&depth.to_string())));
    }
}

#[tokio::test]
async fn output_of_too_many_values_is_refused() {
    let limits = CallLimits { payload_values: 10, ..CallLimits::default() };
    let error = failure(&returning("[1,2,3,4,5,6,7,8,9,0]"), limits).await;
    let expected = CallError::PayloadLimit { what: PayloadKind::Output, limit: 10, unit: PayloadUnit::Values };
    assert_eq!(error, expected);
}

#[tokio::test]
async fn a_report_whose_data_is_no_json_ends_the_call() {
    let reporting = task_with(
        "(call $report (i32.const 0) (f64.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
           (i32.const 1) (i32.const 2048) (i32.const 4)) unreachable",
        r#"(data (i32.const 2048) "nope")"#,
    );
    let error = failure(&reporting, CallLimits::default()).await;
    assert!(matches!(error, CallError::InvalidJson { what: PayloadKind::Report, .. }), "{error:?}");
    assert_eq!(error.to_problem().title.as_deref(), Some("Invalid report"));
}
