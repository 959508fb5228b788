//! Servers that mean harm: time and memory stay bounded.

use std::time::Duration;

use hotcell_egress::{Egress, EgressError, EgressLimits};
use tokio::io::AsyncWriteExt;

use crate::server::{answering, get, options, server};

fn bounded(limits: EgressLimits) -> Egress {
    let mut options = options(&["127.0.0.1"]);
    options.limits = limits;
    Egress::new(options)
}

#[tokio::test]
async fn a_body_without_end_is_cut_off_at_the_limit() {
    let server = server(|_, mut stream| async move {
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
        let mut sent = stream.write_all(head).await;
        while sent.is_ok() {
            sent = stream.write_all(&chunk).await;
        }
    })
    .await;
    let egress = bounded(EgressLimits { response: 1 << 20, ..EgressLimits::default() });
    assert!(matches!(get(&egress, &server.uri("/")).await, Err(EgressError::TooLarge { limit: 0x100000, .. })));
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_not_read() {
    let server = answering("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx").await;
    let egress = bounded(EgressLimits::default());
    assert!(matches!(get(&egress, &server.uri("/")).await, Err(EgressError::TooLarge { .. })));
}

#[tokio::test]
async fn an_answer_that_comes_byte_by_byte_ends_with_the_time() {
    let server = server(|_, mut stream| async move {
        let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n").await;
        while sent.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
            sent = stream.write_all(b"x").await;
        }
    })
    .await;
    let limit = Duration::from_millis(100);
    let egress = bounded(EgressLimits { total: limit, ..EgressLimits::default() });
    let error = get(&egress, &server.uri("/")).await.err();
    assert_eq!(error, Some(EgressError::Late { authority: server.address.to_string(), limit }));
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let server = server(|_, mut stream| async move {
        let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while sent.is_ok() {
            sent = stream.write_all(b"X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n").await;
        }
    })
    .await;
    let egress = bounded(EgressLimits::default());
    assert!(matches!(get(&egress, &server.uri("/")).await, Err(EgressError::Unreachable { .. })));
}

#[tokio::test]
async fn answers_that_are_not_http_are_refused() {
    for answer in
        ["", "SSH-2.0-OpenSSH_9\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n"]
    {
        let server = answering(answer).await;
        let error = get(&bounded(EgressLimits::default()), &server.uri("/")).await.err();
        assert!(matches!(error, Some(EgressError::Unreachable { .. })), "{answer:?}: {error:?}");
    }
}

#[tokio::test]
async fn an_answer_that_ends_too_early_is_no_answer() {
    let server = answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort").await;
    let error = get(&bounded(EgressLimits::default()), &server.uri("/")).await.err();
    assert!(matches!(error, Some(EgressError::Unreachable { .. })), "{error:?}");
}

#[tokio::test]
async fn answers_before_the_answer_are_skipped_but_not_without_end() {
    let server = answering("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await;
    assert_eq!(get(&bounded(EgressLimits::default()), &server.uri("/")).await.unwrap().body, b"hi");
    let hinting = crate::server::server(|_, mut stream| async move {
        while stream.write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n").await.is_ok() {}
    })
    .await;
    let egress = bounded(EgressLimits { total: Duration::from_millis(200), ..EgressLimits::default() });
    assert!(get(&egress, &hinting.uri("/")).await.is_err());
}
