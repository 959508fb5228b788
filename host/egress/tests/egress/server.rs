//! Servers that send exactly what a test says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hotcell_egress::{AllowedHost, Egress, EgressError, EgressOptions, Grant, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server on a free port.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicU32>,
}

impl Server {
    /// How often somebody connected.
    pub(crate) fn connections(&self) -> u32 {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// Serves each connection with `serve`, once it has read the request's head.
pub(crate) async fn server<F>(serve: impl Fn(String, TcpStream) -> F + Send + Sync + 'static) -> Server
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
            tokio::spawn(serve(String::from_utf8_lossy(&head).into_owned(), stream));
        }
    });
    Server { address, connections }
}

/// Answers every request with these bytes and hangs up.
pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Server {
    let answer: Arc<[u8]> = answer.into().into();
    server(move |_, mut stream| {
        let answer = Arc::clone(&answer);
        async move {
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}

pub(crate) fn options(allowed: &[&str]) -> EgressOptions {
    let allowed: Vec<AllowedHost> = allowed.iter().map(|host| host.parse().unwrap()).collect();
    EgressOptions::allowing(allowed)
}

pub(crate) fn allowing(allowed: &[&str]) -> Egress {
    Egress::new(options(allowed))
}

pub(crate) async fn get(egress: &Egress, uri: &str) -> Result<Response, EgressError> {
    egress.send(Request { method: "GET".into(), uri: uri.into(), ..Request::default() }, &Grant::Allowed).await
}
