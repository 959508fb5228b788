//! What goes out and comes back.

use hotcell_egress::{EgressError, Grant, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::server::{allowing, answering, get, server};

#[tokio::test]
async fn a_request_goes_out_as_it_is_and_the_answer_comes_back_as_it_is() {
    let server = server(|head, mut stream| async move {
        let mut body = [0; 2];
        stream.read_exact(&mut body).await.unwrap();
        let answer = format!("{head}{}", String::from_utf8_lossy(&body));
        let answer =
            format!("HTTP/1.1 418 Teapot\r\nX-One: 1\r\nX-One: 2\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let request = Request {
        method: "PATCH".into(),
        uri: server.uri("/a%20b?c=d&e#fragment"),
        headers: vec![("X-A".into(), "b".into())],
        body: Some(b"hi".to_vec()),
    };
    let response = allowing(&["127.0.0.1"]).send(request, &Grant::Allowed).await.unwrap();
    assert_eq!(response.status, 418);
    let ones: Vec<_> = response.headers.iter().filter(|(name, _)| name == "x-one").map(|(_, value)| value).collect();
    assert_eq!(ones, ["1", "2"]);
    let asked = String::from_utf8(response.body).unwrap().to_lowercase();
    assert!(asked.starts_with("patch /a%20b?c=d&e http/1.1\r\n"), "{asked}");
    for header in ["x-a: b", "content-length: 2", &format!("host: {}", server.address)] {
        assert!(asked.contains(&format!("{header}\r\n")), "{header} in {asked}");
    }
    assert!(asked.ends_with("\r\n\r\nhi"));
}

#[tokio::test]
async fn a_grant_narrows_what_the_operator_allows() {
    let server = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let egress = allowing(&["127.0.0.1"]);
    let send = async |grant: Grant| {
        let request = Request { method: "GET".into(), uri: server.uri("/x"), ..Request::default() };
        egress.send(request, &grant).await.map(|response| response.status)
    };
    assert_eq!(send(Grant::HostsOf(vec![server.uri("/y")])).await, Ok(200));
    for grant in [
        Grant::Nothing,
        Grant::HostsOf(vec!["http://127.0.0.1/".into(), "not a URI".into()]),
        Grant::HostsOf(vec![server.uri("/").replace("http:", "https:")]),
    ] {
        assert!(matches!(send(grant).await, Err(EgressError::NotAsked { .. })));
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn what_is_no_request_is_refused_before_anything_is_connected() {
    let server = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let egress = allowing(&["*", "127.0.0.1"]);
    let base = Request { method: "GET".into(), uri: server.uri("/"), ..Request::default() };
    let header = |name: &str, value: &str| Request { headers: vec![(name.into(), value.into())], ..base.clone() };
    for request in [
        Request { method: "CONNECT".into(), ..base.clone() },
        Request { method: "GET / HTTP/1.1\r\nX:".into(), ..base.clone() },
        Request { uri: "file:///etc/passwd".into(), ..base.clone() },
        Request { uri: server.uri("/").replace("http://", "http://user:pass@"), ..base.clone() },
        Request { uri: "/relative".into(), ..base.clone() },
        header("host", "internal"),
        header("Transfer-Encoding", "chunked"),
        header("x", "a\r\nhost: internal"),
        header("x y", "z"),
    ] {
        let error = egress.send(request, &Grant::Allowed).await.err();
        assert!(matches!(error, Some(EgressError::Invalid { .. })), "{error:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_document_is_fetched_through_redirects() {
    let document = answering("HTTP/1.1 200 OK\r\nContent-Type: text/yaml\r\nContent-Length: 2\r\n\r\nhi").await;
    let to = document.uri("/end");
    let first = answering(format!("HTTP/1.1 301 Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")).await;
    let fetched = allowing(&["127.0.0.1"]).get(&first.uri("/start"), &[]).await.unwrap();
    assert_eq!((fetched.bytes.as_slice(), fetched.content_type.as_deref()), (&b"hi"[..], Some("text/yaml")));
    assert_eq!(fetched.uri, to);
}

#[tokio::test]
async fn a_document_that_is_not_there_or_moves_without_end_is_an_error() {
    let egress = allowing(&["127.0.0.1"]);
    let missing = answering("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await;
    assert!(matches!(egress.get(&missing.uri("/"), &[]).await, Err(EgressError::Status { status: 404, .. })));
    let circle = answering("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n").await;
    assert!(matches!(egress.get(&circle.uri("/"), &[]).await, Err(EgressError::Invalid { .. })));
    assert_eq!(circle.connections(), 6);
    let away = answering("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n").await;
    assert!(matches!(egress.get(&away.uri("/"), &[]).await, Err(EgressError::NotAllowed { .. })));
}

#[tokio::test]
async fn another_host_is_not_told_what_authenticates_at_the_first() {
    let second = server(|head, mut stream| async move {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{head}", head.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let to = second.uri("/");
    let first = answering(format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")).await;
    let headers = [("Authorization".to_owned(), "Bearer s3cret".to_owned())];
    let fetched = allowing(&["127.0.0.1"]).get(&first.uri("/"), &headers).await.unwrap();
    assert!(!String::from_utf8(fetched.bytes).unwrap().contains("s3cret"));
}

#[tokio::test]
async fn dropping_the_request_hangs_up() {
    let (gone, is_gone) = tokio::sync::oneshot::channel();
    let gone = std::sync::Mutex::new(Some(gone));
    let server = server(move |_, mut stream| {
        let gone = gone.lock().unwrap().take();
        async move {
            // Ends when the other side hangs up.
            let _ = stream.read_u8().await;
            gone.map(|gone| gone.send(()));
        }
    })
    .await;
    let egress = allowing(&["127.0.0.1"]);
    let uri = server.uri("/");
    {
        let asking = get(&egress, &uri);
        tokio::pin!(asking);
        while server.connections() == 0 {
            assert!(futures::poll!(&mut asking).is_pending());
            tokio::task::yield_now().await;
        }
    }
    is_gone.await.unwrap();
}
