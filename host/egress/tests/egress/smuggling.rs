//! Requests that would be two, and answers that would be others: neither is sent or believed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hotcell_egress::{Egress, EgressError, EgressLimits, Grant, Request};
use tokio::io::AsyncWriteExt;

use crate::server::{Server, allowing, answering, get, options, server};

/// A server that keeps what it is asked.
async fn listening() -> (Server, Arc<Mutex<Vec<String>>>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let books = Arc::clone(&asked);
    let server = server(move |head, mut stream| {
        books.lock().unwrap().push(head);
        async move {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        }
    })
    .await;
    (server, asked)
}

#[tokio::test]
async fn no_part_of_a_request_can_hold_another_request() {
    let (server, asked) = listening().await;
    let egress = allowing(&["127.0.0.1"]);
    let base = Request { method: "GET".into(), uri: server.uri("/"), ..Request::default() };
    let second = "\r\n\r\nGET /admin HTTP/1.1\r\nHost: internal\r\n\r\n";
    let mut requests = Vec::new();
    for line in ["\r", "\n", "\r\n", "\0", "\r\n ", second] {
        requests.push(Request { method: format!("GET{line}"), ..base.clone() });
        requests.push(Request { headers: vec![(format!("X{line}"), "a".into())], ..base.clone() });
        requests.push(Request { headers: vec![("X".into(), format!("a{line}b"))], ..base.clone() });
    }
    for name in [
        "",
        " X",
        "X ",
        "X:",
        "X: a\r\nY",
        "X\tY",
        "(X)",
        "X\u{e9}",
        "Content-Length",
        "transfer-ENCODING",
        "TE",
        "Trailer",
    ] {
        requests.push(Request { headers: vec![(name.into(), "4".into())], ..base.clone() });
    }
    for request in requests {
        let told = format!("{:?} {:?}", request.method, request.headers);
        let error = egress.send(request, &Grant::Allowed).await.err();
        assert!(matches!(error, Some(EgressError::Invalid { .. })), "{told}: {error:?}");
    }
    assert_eq!(server.connections(), 0);
    // In a URI it is encoded, or left out as the standard of URLs has it.
    for path in [second.to_owned(), format!("?a={second}"), "/a b\tc\0".into()] {
        let uri = format!("{}{path}", server.uri("/x"));
        let request = Request { uri, ..base.clone() };
        egress.send(request, &Grant::Allowed).await.unwrap();
    }
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 3);
    for head in &*asked {
        assert_eq!(head.matches("HTTP/1.1").count() - head.matches("%20HTTP/1.1").count(), 1, "{head}");
        assert_eq!(
            head.to_lowercase().matches("host:").count() - head.to_lowercase().matches("host:%20").count(),
            1,
            "{head}"
        );
    }
}

#[tokio::test]
async fn what_follows_an_answer_on_its_connection_is_nobodys_answer() {
    let server = answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirstHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond",
    )
    .await;
    let egress = allowing(&["127.0.0.1"]);
    for _ in 0..3 {
        assert_eq!(get(&egress, &server.uri("/")).await.unwrap().body, b"first");
    }
    assert_eq!(server.connections(), 3, "each request has a connection of its own");
}

#[tokio::test]
async fn an_answer_of_two_lengths_is_refused_or_read_as_the_standard_says() {
    let two = answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 2\r\n\r\nhello").await;
    let error = get(&allowing(&["127.0.0.1"]), &two.uri("/")).await.err();
    assert!(matches!(error, Some(EgressError::Unreachable { .. })), "{error:?}");
    // RFC 9112, section 6.3: chunks win over a length.
    let both =
        answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
            .await;
    match get(&allowing(&["127.0.0.1"]), &both.uri("/")).await {
        Ok(answer) => assert_eq!(answer.body, b"hello"),
        Err(error) => assert!(matches!(error, EgressError::Unreachable { .. }), "{error}"),
    }
}

#[tokio::test]
async fn a_server_that_sends_its_head_byte_by_byte_or_says_nothing_ends_with_the_time() {
    let slow = server(|_, mut stream| async move {
        let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").await;
        while sent.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
            sent = stream.write_all(b"x").await;
        }
    })
    .await;
    let silent = server(|_, stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    for server in [slow, silent] {
        let mut options = options(&["127.0.0.1"]);
        options.limits = EgressLimits { total: Duration::from_millis(100), ..EgressLimits::default() };
        let error = get(&Egress::new(options), &server.uri("/")).await.err();
        assert!(matches!(error, Some(EgressError::Late { .. })), "{error:?}");
    }
}

#[tokio::test]
async fn a_method_that_is_not_allowed_is_not_sent_nor_by_a_redirect() {
    let (server, asked) = listening().await;
    let rule = format!("127.0.0.1:{}=GET", server.address.port());
    let egress = allowing(&[&rule]);
    let send = async |method: &str| {
        let request = Request { method: method.into(), uri: server.uri("/"), ..Request::default() };
        egress.send(request, &Grant::Allowed).await.map(|answer| answer.status)
    };
    assert_eq!(send("GET").await, Ok(200));
    for method in ["POST", "DELETE", "get"] {
        let error = send(method).await.unwrap_err();
        assert!(
            error.to_string().contains(&format!("--allow-net 127.0.0.1:{}={method}", server.address.port())),
            "{error}"
        );
    }
    assert_eq!(asked.lock().unwrap().len(), 1);
}
