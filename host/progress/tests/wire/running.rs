//! Sinks that run, die and come back, and what they have stored.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use futures::StreamExt;
use hotcell_machine::Event;
use hotcell_progress::proto::progress_service_client::ProgressServiceClient;
use hotcell_progress::{Backoff, Limits, Reporter, ReporterOptions, Store, Watch, serve, watch};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::spawn_blocking;
use tonic::transport::Channel;

/// A sink that runs on a runtime of its own, so that it can be killed with all of its connections.
pub(crate) struct RunningSink {
    pub(crate) address: SocketAddr,
    /// Present until it is killed.
    runtime: Option<Runtime>,
}

impl RunningSink {
    pub(crate) async fn start(store: Store) -> Self {
        Self::start_at("127.0.0.1:0".parse().expect("an address"), store, Limits::default()).await
    }

    pub(crate) async fn start_at(address: SocketAddr, store: Store, limits: Limits) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("threads are available");
        let listening = runtime.spawn(async move { TcpListener::bind(address).await.expect("the port is free") });
        let listener = listening.await.expect("binding does not panic");
        let address = listener.local_addr().expect("a bound socket has an address");
        runtime.spawn(serve(listener, store, limits, std::future::pending()));
        RunningSink { address, runtime: Some(runtime) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends it without a word to its clients. Returns when its port is free again.
    pub(crate) async fn kill(mut self) -> SocketAddr {
        if let Some(runtime) = self.runtime.take() {
            spawn_blocking(move || runtime.shutdown_timeout(Duration::from_secs(10))).await.expect("no panic");
        }
        self.address
    }

    pub(crate) async fn client(&self) -> ProgressServiceClient<Channel> {
        ProgressServiceClient::connect(self.url()).await.expect("the sink runs")
    }
}

impl Drop for RunningSink {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A store in memory.
pub(crate) fn memory() -> Store {
    Store::in_memory().expect("memory is available")
}

/// A store in a file.
pub(crate) fn file(folder: &Path) -> Store {
    Store::open(folder.join("progress.db")).expect("the file can be opened")
}

/// Waits that are short enough for tests.
pub(crate) fn quick() -> Backoff {
    let short = Duration::from_millis(5);
    Backoff { quick: [short; 3], slow: Duration::from_millis(20), longest: Duration::from_millis(50) }
}

pub(crate) fn impatient() -> ReporterOptions {
    ReporterOptions { backoff: quick(), ..ReporterOptions::default() }
}

/// Fails the test when something takes far longer than it can.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(120), what).await.expect("it should not take two minutes")
}

/// All events that a sink has stored, in the order in which it gives them out.
pub(crate) async fn stored(url: &str) -> Vec<Event> {
    watched(url, Watch { stored_only: true, ..Watch::default() }).await
}

/// What a watch gives until it ends. An interruption, as a machine that stands still for a while causes it, is no failure.
pub(crate) async fn watched(url: &str, options: Watch) -> Vec<Event> {
    let events = watch(url, options).expect("a valid URL").filter_map(|event| async {
        match event {
            Ok(event) => Some(event),
            Err(error) if error.is_temporary() => None,
            Err(error) => panic!("{error}"),
        }
    });
    soon(events.collect()).await
}

/// Waits until everything is reported.
pub(crate) async fn flush(reporter: &Reporter) {
    let flushed = reporter.flush(Duration::from_secs(100)).await;
    assert!(flushed.is_complete(), "{flushed}");
}
