//! Serving a sink on a listener, with health and reflection.

use std::future::Future;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use super::{Limits, MAX_MESSAGE_BYTES, Sink};
use crate::proto::FILE_DESCRIPTOR_SET;
use crate::proto::progress_service_server::ProgressServiceServer;
use crate::store::Store;

/// How long connections may take to end when the sink goes down.
const GRACE: Duration = Duration::from_secs(5);
/// How often a silent connection is probed, and how long the answer may take: clients that vanished free their streams.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// How many streams one connection may have open at the same time.
const STREAMS_PER_CONNECTION: u32 = 128;

/// A sink stopped serving.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The server failed.
    #[error("the progress sink stopped: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The descriptors of the protocol cannot be served.
    #[error("the progress sink cannot describe its protocol: {0}; this is a bug in hotcell")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Serves the protocol on a listener, over this store, until `shutdown` is ready: `Report`, `Watch`, the gRPC health
/// service and both versions of the reflection service, so that grpcurl needs no `.proto` file.
///
/// When it goes down, streams end with `UNAVAILABLE`, and clients come back when there is a sink again. What is
/// acknowledged is stored; close the store after this to wait for what came in last.
///
/// Who can reach the listener can report and watch: there is no authentication.
///
/// # Errors
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    store: Store,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let (stop, stopping) = watch::channel(false);
    let service = ProgressServiceServer::new(Sink::new(store, limits, stopping.clone()))
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES);
    let (health_reporter, health) = tonic_health::server::health_reporter();
    health_reporter.set_serving::<ProgressServiceServer<Sink>>().await;

    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let stopped = {
        let mut stopping = stopping.clone();
        async move {
            // An error says that the sender is gone, and with it this server.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        }
    };
    let server = Server::builder()
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE))
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .add_service(health)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .add_service(service)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), stopped);
    tokio::pin!(server);

    tokio::select! {
        result = &mut server => return Ok(result?),
        () = shutdown => {}
    }
    health_reporter.set_not_serving::<ProgressServiceServer<Sink>>().await;
    stop.send_replace(true);
    match tokio::time::timeout(GRACE, server).await {
        Ok(result) => Ok(result?),
        // A client that does not let go of its connection loses it.
        Err(_) => Ok(()),
    }
}
