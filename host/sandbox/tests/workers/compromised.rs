//! Workers that an attacker has taken over: what confines them holds, and the host believes nothing that they say.

use std::os::fd::AsFd;
use std::sync::Arc;

use hotcell_sandbox::{CallEnd, CallError, CallLimits, Cells, LogStream, Workers, WorkersOptions};
use serde_json::{Value, json};

use crate::guest::echo;
use crate::host::{Recorder, call, options, prepare, program, start};

/// Workers that do this instead of what they should.
async fn compromised(attack: &str) -> Workers {
    start(WorkersOptions { program: program(&format!("compromised {attack}")), ..options(1) }).await
}

/// A call that such a worker gets: how it ended, and what its host was asked.
async fn attacked(attack: &str) -> (CallEnd, Arc<Recorder>) {
    let workers = compromised(attack).await;
    let echo = prepare(&workers, &echo()).await.unwrap();
    let host = Arc::new(Recorder::default());
    let end = Cells::call(&workers, call(echo, "1", CallLimits::default()), host.clone()).await;
    (end, host)
}

/// The attack ended two workers, for this reason.
async fn is_killed(attack: &str, expected: &str) -> Arc<Recorder> {
    let (end, host) = attacked(attack).await;
    let error = end.result.unwrap_err();
    assert!(matches!(&error, CallError::WorkerCrashed { reason } if reason.contains(expected)), "{attack}: {error:?}");
    host
}

#[tokio::test]
async fn it_can_do_nothing_to_the_system_that_it_runs_on() {
    // A file that whoever started hotcell has left open.
    let open = std::fs::File::open("/etc/passwd").unwrap();
    rustix::io::fcntl_setfd(open.as_fd(), rustix::io::FdFlags::empty()).unwrap();
    let (end, _) = attacked("system").await;
    let Ok(Value::Object(attempts)) = end.result else { panic!("{:?}", end.result) };
    let succeeded: Vec<_> =
        attempts.iter().filter(|(_, outcome)| outcome.as_str() == Some("allowed")).map(|(what, _)| what).collect();
    assert!(succeeded.is_empty(), "{succeeded:?} of {attempts:#?}");
    // Because of the filter, and not because the attempt was clumsy.
    for (what, outcome) in &attempts {
        let expected = if what == "files that were left open" { libc::EBADF } else { libc::EPERM };
        assert_eq!(outcome, &json!(format!("Some({expected})")), "{what}");
    }
    assert!(attempts.len() >= 40, "{}", attempts.len());
}

#[tokio::test]
async fn it_cannot_end_the_call_of_another_worker() {
    is_killed("forge", "speaks for a call that it was not given").await;
}

#[tokio::test]
async fn it_cannot_ask_for_a_secret_of_another_call() {
    is_killed("ask-for-others", "speaks for a call that it was not given").await;
}

#[tokio::test]
async fn it_gets_no_secret_that_its_call_was_not_granted() {
    assert_eq!(attacked("ask-for-more").await.0.result, Ok(json!(null)));
}

#[tokio::test]
async fn it_cannot_bury_the_host_in_questions() {
    is_killed("ask-twice", "asks before it is answered").await;
}

#[tokio::test]
async fn it_cannot_bury_the_host_in_log_lines() {
    let host = is_killed("flood", "logs more than it may").await;
    let kept: usize = host.logs.lock().unwrap().iter().map(|(_, _, line)| line.len()).sum();
    // Twice, as the call was run again.
    assert!(kept <= 2 * 3 * (256 << 10) + 4096, "{kept}");
}

#[tokio::test]
async fn what_it_writes_cannot_deceive_a_terminal() {
    let (end, host) = attacked("deceive").await;
    assert_eq!((end.result, host.lines(LogStream::Stdout)), (Ok(json!(1)), vec!["␛[2Jall is well".to_owned()]));
}

#[tokio::test]
async fn what_is_no_message_ends_it() {
    is_killed("garbage", "").await;
    is_killed("too-long", "a message is too long").await;
}

#[tokio::test]
async fn an_output_that_would_overflow_a_parser_is_refused() {
    assert!(matches!(attacked("nested").await.0.result, Err(CallError::InvalidJson { .. })));
}
