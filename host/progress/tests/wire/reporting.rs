use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use hotcell_machine::{Event, ExecutionId};
use hotcell_progress::{EventLog, Reporter, ReporterOptions, Watch, watch};

use crate::events::execution;
use crate::running::{RunningSink, flush, impatient, memory, soon, stored, watched};

#[tokio::test]
async fn a_reporter_brings_every_event_to_the_sink_in_order() {
    let sink = RunningSink::start(memory()).await;
    let log = EventLog::new();
    let reporter = Reporter::start(log.subscribe(), &sink.url(), impatient()).expect("a valid URL");
    let events = execution("e", 500);

    log.append(events.clone());
    flush(&reporter).await;

    assert_eq!(stored(&sink.url()).await, events);
}

#[tokio::test]
async fn an_event_arrives_while_the_execution_is_still_running() {
    let sink = RunningSink::start(memory()).await;
    let log = EventLog::new();
    let _reporter = Reporter::start(log.subscribe(), &sink.url(), impatient()).expect("a valid URL");
    let mut watched = watch(&sink.url(), Watch::default()).expect("a valid URL");

    for event in execution("e", 1) {
        log.append([event.clone()]);

        let arrived = soon(watched.next()).await.expect("the watch goes on").expect("the sink runs");
        assert_eq!(arrived, event);
    }
}

#[tokio::test]
async fn events_of_many_executions_are_reported_side_by_side() {
    let sink = RunningSink::start(memory()).await;
    let log = EventLog::new();
    let reporter = Reporter::start(log.subscribe(), &sink.url(), impatient()).expect("a valid URL");
    let executions: Vec<Vec<Event>> = (0..50).map(|index| execution(&format!("e{index}"), 5)).collect();

    for number in 0..executions[0].len() {
        log.append(executions.iter().map(|events| Arc::new(events[number].clone())));
    }
    flush(&reporter).await;

    for events in &executions {
        let id = events[0].execution.clone();
        let of_one = Watch { execution: Some(id), ..Watch::default() };
        assert_eq!(&watched(&sink.url(), of_one).await, events);
    }
}

#[tokio::test]
async fn acknowledged_events_are_forgotten_by_the_log() {
    let sink = RunningSink::start(memory()).await;
    let log = EventLog::new();
    let reporter = Reporter::start(log.subscribe(), &sink.url(), impatient()).expect("a valid URL");

    log.append(execution("e", 100));
    flush(&reporter).await;

    assert!(log.is_empty());
}

#[tokio::test]
async fn a_small_window_and_small_batches_lose_nothing() {
    let sink = RunningSink::start(memory()).await;
    let log = EventLog::new();
    let options = ReporterOptions { batch_events: 3, unacknowledged_events: 7, ..impatient() };
    let reporter = Reporter::start(log.subscribe(), &sink.url(), options).expect("a valid URL");
    let events = execution("e", 100);

    log.append(events.clone());
    flush(&reporter).await;

    assert_eq!(stored(&sink.url()).await, events);
}

#[tokio::test]
async fn a_reporter_that_starts_in_the_middle_reports_from_there() {
    let sink = RunningSink::start(memory()).await;
    let log = EventLog::new();
    let reporter = Reporter::start(log.subscribe(), &sink.url(), impatient()).expect("a valid URL");
    let events = execution("e", 3);

    log.append(events[5..].to_vec());
    flush(&reporter).await;

    assert_eq!(stored(&sink.url()).await, events[5..]);
}

#[tokio::test]
async fn a_second_reporter_goes_on_where_the_first_stopped_and_repeats_do_no_harm() {
    let sink = RunningSink::start(memory()).await;
    let events = execution("e", 10);
    for range in [0..20, 10..events.len()] {
        let log = EventLog::new();
        let reporter = Reporter::start(log.subscribe(), &sink.url(), impatient()).expect("a valid URL");
        log.append(events[range].to_vec());
        flush(&reporter).await;
    }

    assert_eq!(stored(&sink.url()).await, events);
}

#[tokio::test]
async fn a_flush_without_a_sink_ends_in_time_and_says_what_is_missing_and_what_to_do() {
    let address = RunningSink::start(memory()).await.kill().await;
    let log = EventLog::new();
    let url = format!("http://{address}");
    let reporter = Reporter::start(log.subscribe(), &url, impatient()).expect("a valid URL");

    log.append(execution("e", 10));
    let flushed = soon(reporter.flush(Duration::from_millis(300))).await;

    assert_eq!(flushed.events(), 42);
    assert_eq!(flushed.unreported[&ExecutionId::new("e")].first, 1);
    let text = flushed.to_string();
    assert!(text.contains(&url) && text.contains("42") && text.contains("hotcell progress serve"), "{text}");
}

#[tokio::test]
async fn a_flush_of_nothing_is_complete_at_once_also_without_a_sink() {
    let address = RunningSink::start(memory()).await.kill().await;
    let log = EventLog::new();
    let reporter = Reporter::start(log.subscribe(), &format!("http://{address}"), impatient()).expect("a valid URL");
    drop(log);

    assert!(soon(reporter.flush(Duration::from_secs(60))).await.is_complete());
}
