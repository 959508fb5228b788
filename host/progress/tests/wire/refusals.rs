use std::time::Duration;

use futures::{StreamExt, stream};
use hotcell_machine::{Event, EventKind, ExecutionId};
use hotcell_progress::proto::event::Kind;
use hotcell_progress::proto::{self, REFUSAL_METADATA, Refusal, ReportRequest};
use hotcell_progress::{EventLog, Limits, Reporter, encode};
use prost::Message;
use tonic::{Code, Status};

use crate::events::execution;
use crate::running::{RunningSink, flush, impatient, memory, soon, stored};

/// Reports batches on one stream: the acknowledged numbers, and the status at its end.
async fn report(sink: &RunningSink, batches: Vec<Vec<proto::Event>>) -> (Vec<u64>, Option<Status>) {
    let requests = batches.into_iter().map(|events| ReportRequest { events });
    let mut client = sink.client().await;
    let mut responses = match client.report(stream::iter(requests)).await {
        Ok(response) => response.into_inner(),
        Err(status) => return (Vec::new(), Some(status)),
    };
    let mut acknowledged = Vec::new();
    loop {
        match soon(responses.next()).await {
            Some(Ok(response)) => {
                acknowledged.extend(response.acknowledgements.into_iter().map(|one| one.sequence));
            }
            Some(Err(status)) => return (acknowledged, Some(status)),
            None => return (acknowledged, None),
        }
    }
}

fn encoded(events: &[Event]) -> Vec<proto::Event> {
    events.iter().map(encode).collect()
}

fn refusal(status: &Status) -> Refusal {
    let bytes = status.metadata().get_bin(REFUSAL_METADATA).expect("the metadata is there").to_bytes().expect("base64");
    Refusal::decode(bytes).expect("a refusal")
}

#[tokio::test]
async fn an_event_with_a_stored_number_and_other_content_is_refused_by_name() {
    let sink = RunningSink::start(memory()).await;
    let events = execution("e", 2);
    report(&sink, vec![encoded(&events[..5])]).await;

    let mut other = events[3].clone();
    other.kind = EventKind::TaskSkipped;
    let (acknowledged, status) = report(&sink, vec![encoded(&events[..3]), encoded(&[other])]).await;

    let status = status.expect("it is refused");
    assert_eq!((acknowledged, status.code()), (vec![3], Code::AlreadyExists));
    let refusal = refusal(&status);
    assert_eq!((refusal.execution.as_str(), refusal.sequence), ("e", 4));
    assert!(status.message().contains("event 4") && status.message().contains("\"e\""), "{status}");
}

#[tokio::test]
async fn a_gap_within_a_stream_is_refused_and_what_came_before_is_kept() {
    let sink = RunningSink::start(memory()).await;
    let events = execution("e", 2);

    let (acknowledged, status) =
        report(&sink, vec![encoded(&[events[0].clone(), events[1].clone(), events[3].clone()])]).await;

    let status = status.expect("it is refused");
    assert_eq!((acknowledged, status.code()), (vec![2], Code::FailedPrecondition));
    assert_eq!(refusal(&status).sequence, 4);
    assert_eq!(stored(&sink.url()).await, events[..2]);
}

#[tokio::test]
async fn what_is_no_event_is_refused_with_what_is_wrong() {
    let sink = RunningSink::start(memory()).await;
    let good = encode(&execution("e", 1)[1]);
    let with = |change: &dyn Fn(&mut proto::Event)| {
        let mut event = good.clone();
        change(&mut event);
        event
    };
    let task = |change: &dyn Fn(&mut proto::Task)| with(&|event| change(event.task.as_mut().expect("it has a task")));
    let payload = |text: &str| {
        let content = Some(proto::payload::Content::ValueJson(text.to_owned()));
        let data = Some(proto::Payload { content });
        with(&|event| event.kind = Some(Kind::StateUpdated(proto::StateUpdated { data: data.clone() })))
    };
    let cases = [
        (with(&|event| event.sequence = 0), "sequence"),
        (with(&|event| event.sequence = u64::MAX), "sequence"),
        (with(&|event| event.execution = String::new()), "execution"),
        (with(&|event| event.execution = "x".repeat(257)), "execution"),
        (with(&|event| event.execution = "a\nb".to_owned()), "execution"),
        (with(&|event| event.time = None), "time"),
        (with(&|event| event.time = Some(prost_types::Timestamp { seconds: 0, nanos: -1 })), "nanos"),
        (with(&|event| event.time = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 })), "time"),
        (with(&|event| event.kind = None), "kind"),
        (with(&|event| event.task = None), "task"),
        (task(&|task| task.attempt = 0), "attempt"),
        (task(&|task| task.reference = "do/0".to_owned()), "JSON Pointer"),
        (task(&|task| task.reference = "/do/~2".to_owned()), "JSON Pointer"),
        (with(&|event| event.kind = Some(Kind::StateUpdated(proto::StateUpdated { data: None }))), "payload"),
        (payload("{"), "value_json"),
        (payload(&"[".repeat(1_000_000)), "value_json"),
        (with(&|event| event.kind = Some(Kind::TaskFailed(proto::TaskFailed { error: None }))), "error"),
        (with(&|event| event.kind = Some(Kind::TaskLog(proto::TaskLog { level: 77, ..Default::default() }))), "level"),
    ];

    for (event, what) in cases {
        let (_, status) = report(&sink, vec![vec![event]]).await;

        let status = status.expect("it is refused");
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        assert!(status.message().contains(what), "{what}: {status}");
        assert!(status.message().len() < 2_000, "{}", status.message().len());
    }
    assert!(stored(&sink.url()).await.is_empty());
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_refused() {
    let sink = RunningSink::start(memory()).await;
    let mut event = encode(&execution("e", 1)[0]);
    event.kind = Some(Kind::WorkflowCancelled(proto::WorkflowCancelled { reason: Some("x".repeat(11 << 20)) }));

    let (acknowledged, status) = report(&sink, vec![vec![event]]).await;

    assert!(acknowledged.is_empty());
    let status = status.expect("it is refused");
    assert!(matches!(status.code(), Code::OutOfRange | Code::ResourceExhausted), "{status}");
}

#[tokio::test]
async fn the_largest_event_that_an_execution_can_make_is_reported_and_read_back() {
    let sink = RunningSink::start(memory()).await;
    let log = EventLog::new();
    let reporter = Reporter::start(log.subscribe(), &sink.url(), impatient()).expect("a valid URL");
    let mut events = execution("e", 1);
    events[2].kind = EventKind::TaskProgress { fraction: None, message: None, data: Some("x".repeat(8 << 20).into()) };

    log.append(events.clone());
    flush(&reporter).await;

    assert!(stored(&sink.url()).await == events, "the events differ");
}

#[tokio::test]
async fn more_streams_than_the_limit_are_refused() {
    let limits = Limits { report_streams: 1, watches: 1, ..Limits::default() };
    let address = "127.0.0.1:0".parse().expect("an address");
    let sink = RunningSink::start_at(address, memory(), limits).await;
    let mut client = sink.client().await;
    let _first = client.report(stream::pending()).await.expect("one is allowed");
    let _watch = client.watch(proto::WatchRequest::default()).await.expect("one is allowed");

    let report = client.report(stream::pending()).await.expect_err("two are not");
    let watch = client.watch(proto::WatchRequest::default()).await.expect_err("two are not");

    assert_eq!((report.code(), watch.code()), (Code::ResourceExhausted, Code::ResourceExhausted));
}

#[tokio::test]
async fn a_reporter_gives_up_a_refused_execution_and_goes_on_with_the_others() {
    let sink = RunningSink::start(memory()).await;
    let mut stolen = execution("stolen", 1);
    report(&sink, vec![encoded(&stolen)]).await;
    stolen[2].kind = EventKind::TaskSkipped;
    let fine = execution("fine", 5);
    let log = EventLog::new();
    let reporter = Reporter::start(log.subscribe(), &sink.url(), impatient()).expect("a valid URL");

    log.append(stolen.clone());
    log.append(fine.clone());
    let flushed = reporter.flush(Duration::from_secs(60)).await;

    let unreported: Vec<_> = flushed.unreported.keys().cloned().collect();
    assert_eq!(unreported, [ExecutionId::new("stolen")]);
    assert!(flushed.to_string().contains("other content"), "{flushed}");
    assert!(log.is_empty());
    let got: Vec<Event> =
        stored(&sink.url()).await.into_iter().filter(|event| event.execution.as_str() == "fine").collect();
    assert_eq!(got, fine);
}
