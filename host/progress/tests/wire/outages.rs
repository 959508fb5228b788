use std::time::Duration;

use futures::StreamExt;
use hotcell_machine::ExecutionId;
use hotcell_progress::{EventLog, Limits, Reporter, ReporterOptions, Watch, WatchError, serve, watch};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::events::execution;
use crate::running::{RunningSink, file, flush, impatient, memory, quick, soon, stored};

/// The sink is killed three times while 40,000 events are on their way; a watcher stays all the time.
#[tokio::test]
async fn a_sink_that_is_killed_in_the_middle_of_40000_events_has_every_event_once_and_so_has_its_watcher() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sink = RunningSink::start(file(folder.path())).await;
    let url = sink.url();
    let log = EventLog::new();
    // Small batches, so that each kill comes while some are on their way.
    let options = ReporterOptions { batch_events: 100, unacknowledged_events: 1_000, ..impatient() };
    let reporter = Reporter::start(log.subscribe(), &url, options).expect("a valid URL");
    let events = execution("e", 10_000);
    let of_one = Watch { execution: Some(ExecutionId::new("e")), backoff: quick(), ..Watch::default() };
    let mut watched = watch(&url, of_one).expect("a valid URL");
    let mut seen = Vec::new();

    for (part, kill_at) in events.chunks(events.len().div_ceil(3)).zip([5_000, 18_000, 30_000]) {
        log.append(part.to_vec());
        while seen.len() < kill_at {
            match soon(watched.next()).await.expect("the watch goes on") {
                Ok(event) => seen.push(event),
                Err(error) => assert!(error.is_temporary(), "{error}"),
            }
        }
        let address = sink.kill().await;
        sink = RunningSink::start_at(address, file(folder.path()), Limits::default()).await;
    }
    flush(&reporter).await;
    while let Some(event) = soon(watched.next()).await {
        match event {
            Ok(event) => seen.push(event),
            Err(error) => assert!(error.is_temporary(), "{error}"),
        }
    }

    assert!(seen == events, "the watcher saw {} of {} events, or in another order", seen.len(), events.len());
    assert!(stored(&url).await == events, "the store differs from what was reported");
}

#[tokio::test]
async fn a_sink_that_comes_up_later_gets_everything() {
    let address = RunningSink::start(memory()).await.kill().await;
    let log = EventLog::new();
    let reporter = Reporter::start(log.subscribe(), &format!("http://{address}"), impatient()).expect("a valid URL");
    let events = execution("e", 1_000);
    log.append(events.clone());
    let before = reporter.flush(Duration::from_millis(100)).await;
    assert_eq!(before.events(), events.len() as u64);

    let sink = RunningSink::start_at(address, memory(), Limits::default()).await;
    flush(&reporter).await;

    assert_eq!(stored(&sink.url()).await, events);
}

#[tokio::test]
async fn a_sink_that_lost_its_store_gets_what_is_not_acknowledged_yet() {
    let sink = RunningSink::start(memory()).await;
    let log = EventLog::new();
    let reporter = Reporter::start(log.subscribe(), &sink.url(), impatient()).expect("a valid URL");
    let events = execution("e", 10);
    log.append(events[..20].to_vec());
    flush(&reporter).await;

    let address = sink.kill().await;
    log.append(events[20..].to_vec());
    let sink = RunningSink::start_at(address, memory(), Limits::default()).await;
    flush(&reporter).await;

    assert_eq!(stored(&sink.url()).await, events[20..]);
}

#[tokio::test]
async fn a_sink_that_takes_connections_and_never_answers_is_given_up_and_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let log = EventLog::new();
    let options = ReporterOptions { acknowledgement_timeout: Duration::from_millis(50), ..impatient() };
    let _reporter = Reporter::start(log.subscribe(), &url, options).expect("a valid URL");

    log.append(execution("e", 1));
    let first = soon(listener.accept()).await.expect("a connection");
    let second = soon(listener.accept()).await.expect("another connection, while the first is open");

    assert_ne!(first.1, second.1);
}

#[tokio::test]
async fn a_sink_goes_down_in_order_and_its_streams_end_with_a_reason() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let store = memory();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve(listener, store.clone(), Limits::default(), async move {
        let _ = stopped.await;
    }));
    let log = EventLog::new();
    let reporter = Reporter::start(log.subscribe(), &url, impatient()).expect("a valid URL");
    let mut watched = watch(&url, Watch { backoff: quick(), ..Watch::default() }).expect("a valid URL");
    log.append(execution("e", 1)[..1].to_vec());
    flush(&reporter).await;
    soon(watched.next()).await.expect("the watch goes on").expect("an event");

    stop.send(()).expect("the sink runs");
    let served = soon(serving).await.expect("no panic");
    store.close().await;

    served.expect("it ended in order");
    let error = soon(watched.next()).await.expect("the watch goes on").expect_err("the sink is gone");
    assert!(matches!(error, WatchError::Interrupted(_)), "{error}");
}
