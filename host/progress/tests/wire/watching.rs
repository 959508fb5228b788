use futures::StreamExt;
use hotcell_machine::{Event, EventKind, ExecutionId};
use hotcell_progress::proto::WatchRequest;
use hotcell_progress::{EventLog, Limits, Reporter, Watch, WatchError, watch};
use tonic::Code;

use crate::events::execution;
use crate::running::{RunningSink, flush, impatient, memory, quick, soon, stored, watched};

async fn reported(sink: &RunningSink, events: &[Event]) {
    let log = EventLog::new();
    let reporter = Reporter::start(log.subscribe(), &sink.url(), impatient()).expect("a valid URL");
    log.append(events.to_vec());
    flush(&reporter).await;
}

fn of(execution: &str, from_sequence: u64) -> Watch {
    Watch { execution: Some(ExecutionId::new(execution)), from_sequence, ..Watch::default() }
}

#[tokio::test]
async fn a_watch_from_any_number_sees_all_events_from_there_to_the_last() {
    let sink = RunningSink::start(memory()).await;
    let events = execution("e", 400);
    reported(&sink, &events).await;

    for from in [0, 1, 2, 500, 501, 1_602] {
        let seen = watched(&sink.url(), of("e", from)).await;

        assert_eq!(seen, &events[(from.max(1) - 1) as usize..], "from {from}");
    }
}

#[tokio::test]
async fn a_watch_that_begins_behind_the_last_event_ends_at_once() {
    let sink = RunningSink::start(memory()).await;
    reported(&sink, &execution("e", 1)).await;

    let mut watched = watch(&sink.url(), of("e", 1_000)).expect("a valid URL");

    assert!(soon(watched.next()).await.is_none());
}

#[tokio::test]
async fn an_execution_that_is_not_known_yet_is_waited_for() {
    let sink = RunningSink::start(memory()).await;
    let events = execution("later", 3);
    let url = sink.url();
    let watched = tokio::spawn(async move { watched(&url, of("later", 0)).await });

    reported(&sink, &execution("other", 3)).await;
    reported(&sink, &events).await;

    assert_eq!(soon(watched).await.expect("no panic"), events);
}

#[tokio::test]
async fn many_watchers_see_the_same_while_it_happens() {
    let sink = RunningSink::start(memory()).await;
    let events = execution("e", 200);
    let watchers: Vec<_> =
        (0..20).map(|_| sink.url()).map(|url| tokio::spawn(async move { watched(&url, of("e", 0)).await })).collect();

    reported(&sink, &events).await;

    for watcher in watchers {
        assert!(soon(watcher).await.expect("no panic") == events, "a watcher missed something");
    }
}

#[tokio::test]
async fn a_watcher_that_does_not_read_keeps_nobody_waiting_and_misses_nothing() {
    let sink = RunningSink::start(memory()).await;
    let mut events = execution("e", 3_000);
    for event in &mut events {
        if let EventKind::TaskCompleted = event.kind {
            event.kind = EventKind::TaskProgress { fraction: None, message: Some("x".repeat(2_000)), data: None };
        }
    }
    let mut client = sink.client().await;
    let request = WatchRequest { execution: Some("e".to_owned()), ..WatchRequest::default() };
    let mut slow = client.watch(request).await.expect("it is accepted").into_inner();

    reported(&sink, &events).await;

    let mut seen = 0;
    while let Some(response) = soon(slow.message()).await.expect("no error") {
        seen += response.events.len();
    }
    assert_eq!(seen, events.len());
}

#[tokio::test]
async fn a_watch_of_all_goes_on_behind_a_cursor() {
    let sink = RunningSink::start(memory()).await;
    reported(&sink, &execution("a", 2)).await;
    let mut client = sink.client().await;
    let all = WatchRequest { stored_only: true, ..WatchRequest::default() };
    let mut first = client.watch(all.clone()).await.expect("it is accepted").into_inner();
    let page = first.message().await.expect("no error").expect("events");
    reported(&sink, &execution("b", 1)).await;

    let behind = WatchRequest { cursor: page.cursor, ..all };
    let mut second = client.watch(behind).await.expect("it is accepted").into_inner();
    let rest = second.message().await.expect("no error").expect("events");

    assert_eq!(page.events.len(), 10);
    assert!(rest.events.len() == 6 && rest.events.iter().all(|event| event.execution == "b"), "{rest:?}");
}

#[tokio::test]
async fn a_watcher_of_all_executions_survives_a_sink_that_lost_its_store() {
    let sink = RunningSink::start(memory()).await;
    let options = Watch { backoff: quick(), ..Watch::default() };
    let mut watched = watch(&sink.url(), options).expect("a valid URL");
    let (first, second) = (execution("a", 2), execution("b", 2));
    reported(&sink, &first).await;
    let mut seen = Vec::new();
    while seen.len() < first.len() {
        seen.push(soon(watched.next()).await.expect("the watch goes on").expect("no error"));
    }

    let address = sink.kill().await;
    let sink = RunningSink::start_at(address, memory(), Limits::default()).await;
    // A reporter that tells everything anew, to a sink that has forgotten it.
    reported(&sink, &first).await;
    reported(&sink, &second).await;
    let mut interruptions = 0;
    while seen.len() < first.len() + second.len() {
        match soon(watched.next()).await.expect("the watch goes on") {
            Ok(event) => seen.push(event),
            Err(WatchError::Interrupted(_)) => interruptions += 1,
            Err(error) => panic!("{error}"),
        }
    }

    assert_eq!(interruptions, 1);
    assert_eq!(seen, [first, second].concat());
}

#[tokio::test]
async fn contradicting_and_unknown_requests_are_refused_with_what_to_do() {
    let sink = RunningSink::start(memory()).await;
    let execution = || Some("e".to_owned());
    let cases = [
        (WatchRequest { from_sequence: 1, ..Default::default() }, Code::InvalidArgument, "cursor"),
        (
            WatchRequest { execution: execution(), cursor: "a/1".into(), ..Default::default() },
            Code::InvalidArgument,
            "cursor",
        ),
        (WatchRequest { cursor: "nonsense".into(), ..Default::default() }, Code::InvalidArgument, "leave it out"),
        (WatchRequest { execution: Some(String::new()), ..Default::default() }, Code::InvalidArgument, "execution"),
        (
            WatchRequest { execution: execution(), stored_only: true, ..Default::default() },
            Code::NotFound,
            "check its id",
        ),
    ];

    for (request, code, advice) in cases {
        let status = sink.client().await.watch(request).await.expect_err("it is refused");

        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(advice), "{status}");
    }
}

#[tokio::test]
async fn watching_where_no_sink_is_fails_with_what_to_do() {
    let address = RunningSink::start(memory()).await.kill().await;
    let mut watched = watch(&format!("http://{address}"), Watch::default()).expect("a valid URL");

    let error = soon(watched.next()).await.expect("an answer").expect_err("there is no sink");

    let text = error.to_string();
    assert!(text.contains(&address.to_string()) && text.contains("hotcell progress serve"), "{text}");
    assert!(text.to_lowercase().contains("refused"), "{text}");
    assert!(watched.next().await.is_none());
}

#[tokio::test]
async fn what_nobody_reported_is_nothing() {
    let sink = RunningSink::start(memory()).await;

    assert!(stored(&sink.url()).await.is_empty());
}
