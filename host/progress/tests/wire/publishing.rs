//! Lifecycle events on the way to a server that fails at times.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hotcell_machine::ExecutionId;
use hotcell_progress::{Definitions, EventLog, Lifecycle, Published, Publisher, PublisherOptions};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::events::execution;
use crate::running::{quick, soon};

/// What a server has got, and what it answers next: a status, or 0 to break the connection off. When nothing is left, 202.
#[derive(Default)]
struct Taken {
    events: Vec<Value>,
    content_types: Vec<String>,
    answers: VecDeque<u16>,
    requests: usize,
}

/// A server that takes events. It ends with the test.
async fn server(answers: &[u16]) -> (String, Arc<Mutex<Taken>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/events?from=hotcell", listener.local_addr().expect("an address"));
    let taken = Arc::new(Mutex::new(Taken { answers: answers.iter().copied().collect(), ..Taken::default() }));
    let shared = Arc::clone(&taken);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let taken = Arc::clone(&shared);
            let service = service_fn(move |request| take(request, Arc::clone(&taken)));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (url, taken)
}

async fn take(request: Request<Incoming>, taken: Arc<Mutex<Taken>>) -> Result<Response<Full<Bytes>>, String> {
    assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/events"));
    let content_type = request.headers()["content-type"].to_str().expect("text").to_owned();
    let body = request.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    let mut taken = taken.lock().expect("no panic");
    taken.requests += 1;
    let status = taken.answers.pop_front().unwrap_or(202);
    match status {
        0 => return Err("broken off".into()),
        200..300 => {
            taken.events.push(serde_json::from_slice(&body).expect("JSON"));
            taken.content_types.push(content_type);
        }
        _ => {}
    }
    let answer = Response::builder().status(status).body(Full::new(Bytes::from_static(b"{}")));
    Ok(answer.expect("a response"))
}

fn options() -> PublisherOptions {
    PublisherOptions { backoff: quick(), ..PublisherOptions::default() }
}

fn publish(log: &EventLog, sink: &str) -> Publisher {
    Publisher::start(log.subscribe(), Lifecycle::new(Definitions::new()), sink, options()).expect("a valid sink")
}

async fn finish(publisher: Publisher, log: &EventLog) -> Published {
    log.close();
    soon(publisher.finish(Duration::from_secs(100))).await
}

/// What an execution of so many tasks is told as.
fn expected(tasks: u64) -> Vec<Value> {
    let mut lifecycle = Lifecycle::new(Definitions::new());
    let events = execution("e", tasks).into_iter().flat_map(|event| lifecycle.apply(&event));
    events.map(|event| serde_json::to_value(event).expect("JSON")).collect()
}

#[tokio::test]
async fn every_event_is_posted_in_order_in_structured_mode() {
    let (url, taken) = server(&[]).await;
    let log = EventLog::new();
    let publisher = publish(&log, &url);
    log.append(execution("e", 100));

    let published = finish(publisher, &log).await;

    assert!(published.is_complete(), "{published}");
    let taken = taken.lock().expect("no panic");
    assert_eq!(taken.events, expected(100));
    assert_eq!(published.delivered, 302);
    assert!(taken.content_types.iter().all(|kind| kind == "application/cloudevents+json"));
}

#[tokio::test]
async fn a_server_that_fails_at_times_gets_every_event_once_and_in_order() {
    let (url, taken) = server(&[202, 503, 500, 204, 429, 0, 200, 404, 302, 401]).await;
    let log = EventLog::new();
    let publisher = publish(&log, &url);
    log.append(execution("e", 10));

    let published = finish(publisher, &log).await;

    assert!(published.is_complete(), "{published}");
    let taken = taken.lock().expect("no panic");
    assert_eq!(taken.events, expected(10));
    assert!(taken.requests > expected(10).len());
}

#[tokio::test]
async fn an_event_that_is_refused_for_good_is_given_up_and_the_others_go_on() {
    let (url, taken) = server(&[202, 400, 202, 413]).await;
    let log = EventLog::new();
    let publisher = publish(&log, &url);
    log.append(execution("e", 1));

    let published = finish(publisher, &log).await;

    let mut rest = expected(1);
    rest.remove(3);
    rest.remove(1);
    assert_eq!(taken.lock().expect("no panic").events, rest);
    assert_eq!((published.delivered, published.refused, published.left), (3, 2, 0));
    assert!(published.to_string().contains("2 lifecycle events were not published"), "{published}");
    assert!(published.to_string().contains("413"), "{published}");
}

#[tokio::test]
async fn a_server_that_is_not_there_costs_the_grace_and_no_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    drop(listener);
    let log = EventLog::new();
    let publisher = publish(&log, &url);
    log.append(execution("e", 5));
    log.close();

    let published = soon(publisher.finish(Duration::from_millis(50))).await;

    assert_eq!((published.delivered, published.left), (0, 17));
    assert!(published.problem.as_deref().is_some_and(|problem| problem.contains("could not reach")), "{published}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_and_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let log = EventLog::new();
    let options = PublisherOptions { answer_timeout: Duration::from_millis(50), ..options() };
    let publisher = Publisher::start(log.subscribe(), Lifecycle::new(Definitions::new()), &url, options);
    let _publisher = publisher.expect("a valid sink");

    log.append(execution("e", 1));
    let first = soon(listener.accept()).await.expect("a connection");
    let second = soon(listener.accept()).await.expect("another connection, while the first is open");

    assert_ne!(first.1, second.1);
}

#[tokio::test]
async fn a_file_gets_a_line_for_each_event_behind_what_it_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("events.ndjson");
    for _ in 0..2 {
        let log = EventLog::new();
        let publisher = publish(&log, &format!("@{}", path.display()));
        log.append(execution("e", 50));
        let published = finish(publisher, &log).await;
        assert!(published.is_complete(), "{published}");
    }

    let text = std::fs::read_to_string(&path).expect("a file");
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events, [expected(50), expected(50)].concat());
}

#[test]
fn what_is_no_sink_is_refused_with_what_to_do() {
    for (sink, reason) in [
        ("", "http://host:port"),
        ("127.0.0.1", "@FILE"),
        ("https://sink.example/", "no certificates to trust"),
        ("ftp://sink.example/", "`ftp` is not supported"),
        ("http:///events", "http://host:port"),
        ("http://user:secret@sink.example/", "credentials"),
        ("@/no/such/folder/events.ndjson", "/no/such/folder"),
    ] {
        let log = EventLog::new();
        let lifecycle = Lifecycle::new(Definitions::new());
        let error = Publisher::start(log.subscribe(), lifecycle, sink, options()).expect_err(sink).to_string();
        assert!(error.contains(reason), "{sink}: {error}");
    }
}

/// The events of several executions that go on at once are not mixed up.
#[tokio::test]
async fn executions_are_told_apart() {
    let (url, taken) = server(&[]).await;
    let log = EventLog::new();
    let publisher = publish(&log, &url);
    for (one, other) in execution("one", 20).into_iter().zip(execution("other", 20)) {
        log.append([one, other]);
    }

    let published = finish(publisher, &log).await;

    assert!(published.is_complete(), "{published}");
    let taken = taken.lock().expect("no panic");
    for id in ["one", "other"] {
        let name = format!("many-{}.tests", ExecutionId::new(id));
        let of_it =
            taken.events.iter().filter(|event| event["data"]["workflow"] == *name || event["data"]["name"] == *name);
        assert_eq!(of_it.count(), 62);
    }
}
