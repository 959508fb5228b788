//! Servers that mean harm, on this machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What a server does to whoever connects.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Server {
    /// Answers properly. Who gets here got too far.
    Proper,
    /// Takes the connection and never says anything.
    Silent,
    /// Sends a byte of its answer now and then.
    SlowLoris,
    /// Sends a body that never ends.
    EndlessBody,
    /// Announces a body of 100 GB.
    HugeLength,
    /// Sends headers that never end.
    EndlessHeaders,
    /// Sends chunks of a byte, each with an extension of 1 KiB.
    ChunkExtensions,
    /// Sends early answers, 100 Continue, that never end.
    EndlessContinues,
    /// Says that what was asked for is at the address where clouds keep credentials.
    RedirectToMetadata,
    /// Says that what was asked for is at itself.
    RedirectToItself,
    /// Sends two answers for one request.
    TwoAnswers,
    /// Closes the connection in the middle of its answer.
    HalfAnswer,
    /// Sends JSON that is nested 100,000 levels deep.
    DeepJson,
}

/// A server that runs.
pub(crate) struct Running {
    /// Its address and port.
    pub(crate) address: String,
    connections: Arc<AtomicUsize>,
    accepting: Option<JoinHandle<()>>,
}

impl Running {
    /// How many connections it got.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Ends it; with it go the connections that are still open.
    pub(crate) fn stop(&self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

/// Starts a server, if there is to be one.
pub(crate) async fn start(server: Option<Server>) -> Running {
    let connections = Arc::new(AtomicUsize::new(0));
    let Some(server) = server else { return Running { address: String::new(), connections, accepting: None } };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let counted = Arc::clone(&connections);
    let accepting = tokio::spawn(async move {
        let mut open = tokio::task::JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            // That the other side hangs up is how these conversations end.
            open.spawn(async move { drop(converse(server, stream).await) });
        }
    });
    Running { address, connections, accepting: Some(accepting) }
}

async fn converse(server: Server, mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let ok = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    match server {
        Server::Proper => send(&mut stream, &format!("{ok}content-length: 4\r\n\r\n1234")).await,
        Server::Silent => {
            // Until the other side has had enough.
            stream.read_buf(&mut request).await?;
            Ok(())
        }
        Server::SlowLoris => {
            for byte in format!("{ok}content-length: 100000\r\n\r\n{}", "1".repeat(100_000)).bytes() {
                stream.write_all(&[byte]).await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(())
        }
        Server::EndlessBody => {
            send(&mut stream, &format!("{ok}transfer-encoding: chunked\r\n\r\n")).await?;
            let chunk = format!("10000\r\n{}\r\n", "1".repeat(0x10000));
            loop {
                send(&mut stream, &chunk).await?;
            }
        }
        Server::HugeLength => {
            send(&mut stream, &format!("{ok}content-length: 100000000000\r\n\r\n")).await?;
            stream.read_buf(&mut request).await?;
            Ok(())
        }
        Server::EndlessHeaders => {
            send(&mut stream, ok).await?;
            loop {
                send(&mut stream, &format!("x: {}\r\n", "y".repeat(1_000))).await?;
            }
        }
        Server::ChunkExtensions => {
            send(&mut stream, &format!("{ok}transfer-encoding: chunked\r\n\r\n")).await?;
            let chunk = format!("1;{}\r\n1\r\n", "x".repeat(1_000)).repeat(50);
            loop {
                send(&mut stream, &chunk).await?;
            }
        }
        Server::EndlessContinues => loop {
            send(&mut stream, "HTTP/1.1 100 Continue\r\n\r\n").await?;
        },
        Server::RedirectToMetadata => {
            let location = "location: http://169.254.169.254/latest/meta-data/iam/\r\ncontent-length: 0\r\n\r\n";
            send(&mut stream, &format!("HTTP/1.1 302 Found\r\n{location}")).await
        }
        Server::RedirectToItself => {
            send(&mut stream, "HTTP/1.1 307 Temporary Redirect\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n").await
        }
        Server::TwoAnswers => {
            let answer = format!("{ok}content-length: 4\r\n\r\n1234");
            send(&mut stream, &format!("{answer}{answer}")).await
        }
        Server::HalfAnswer => send(&mut stream, &format!("{ok}content-length: 1000\r\n\r\n1234")).await,
        Server::DeepJson => {
            let body = "[".repeat(100_000) + &"]".repeat(100_000);
            send(&mut stream, &format!("{ok}content-length: {}\r\n\r\n{body}", body.len())).await
        }
    }
}

async fn send(stream: &mut TcpStream, text: &str) -> std::io::Result<()> {
    stream.write_all(text.as_bytes()).await
}
