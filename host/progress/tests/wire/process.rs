//! A sink that is a process, and is killed as `kill -9` does.

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hotcell_progress::{EventLog, Limits, Reporter, ReporterOptions, Store, serve};
use tokio::net::TcpListener;

use crate::events::execution;
use crate::running::{flush, impatient, stored};

const STORE: &str = "HOTCELL_TEST_SINK_STORE";
const LISTEN: &str = "HOTCELL_TEST_SINK_LISTEN";

/// Not a test, but the process that the test below starts: this very binary, told to run only this.
#[tokio::test]
#[ignore = "is the sink process of another test"]
async fn sink() {
    let (Ok(store), Ok(listen)) = (env::var(STORE), env::var(LISTEN)) else { return };
    let listener = TcpListener::bind(listen).await.expect("the port is free");
    println!("\nlistening on {}", listener.local_addr().expect("an address"));
    let store = Store::open(store).expect("the file can be opened");
    serve(listener, store, Limits::default(), std::future::pending()).await.expect("it is killed before it ends");
}

struct SinkProcess {
    child: Child,
    address: String,
}

impl SinkProcess {
    fn start(store: &std::path::Path, listen: &str) -> Self {
        let mut child = Command::new(env::current_exe().expect("a test has a binary"))
            .args(["--exact", "process::sink", "--ignored", "--nocapture"])
            .env(STORE, store)
            .env(LISTEN, listen)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary can be started");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let address = stdout
            .lines()
            .map(|line| line.expect("text"))
            .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
            .expect("the sink says where it listens");
        SinkProcess { child, address }
    }
}

impl Drop for SinkProcess {
    fn drop(&mut self) {
        // SIGKILL. An error says that it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_process_that_is_killed_at_once_loses_nothing_that_it_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("progress.db");
    let mut sink = SinkProcess::start(&store, "127.0.0.1:0");
    let address = sink.address.clone();
    let log = EventLog::new();
    let options = ReporterOptions { batch_events: 50, unacknowledged_events: 500, ..impatient() };
    let reporter = Reporter::start(log.subscribe(), &address, options).expect("a valid URL");
    let events = execution("e", 2_000);

    for part in events.chunks(events.len().div_ceil(4)) {
        log.append(part.to_vec());
        // It has some of the part by then, or none; any moment is as good as another.
        let _ = reporter.flush(Duration::from_millis(30)).await;
        drop(sink);
        sink = SinkProcess::start(&store, &address);
    }
    flush(&reporter).await;

    assert!(stored(&address).await == events, "the store differs from what was reported");
}
