//! Keeps one worker alive: starts its process, watches it, and replaces it when it is lost.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, Command};

use super::confinement::Measure;
use super::pool::Pool;
use super::socket::Socket;
use super::wire::{Incoming, Nonsense, ToHost, ToWorker};
use super::worker::Worker;
use super::{WorkerProgram, WorkersOptions};
use crate::in_process::logs::sanitised;

/// How often workers are looked at.
const WATCH: Duration = Duration::from_millis(250);
/// How often they are asked whether they are there.
const PING: Duration = Duration::from_secs(1);
/// How long after its time a call may still be in a worker: a single bulk operation is not interrupted.
const GRACE: Duration = Duration::from_secs(3);
/// How long a process may take until it is ready.
const START: Duration = Duration::from_secs(30);
/// How long to wait before the next attempt, when a worker did not even start.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How many attempts fail before those who wait for a worker are told.
const ATTEMPTS: u32 = 3;
/// How much of what a worker writes to standard error is repeated in hotcell's log.
const STDERR: usize = 64 << 10;

/// A process that is confined, and waits for what it is told.
pub(super) struct Started {
    pub(super) child: Child,
    pub(super) socket: Socket,
    pub(super) incoming: Incoming,
    pub(super) measures: Vec<Measure>,
}

/// Keeps a worker in this slot for ever.
pub(super) async fn keep(pool: Arc<Pool>, slot: usize, options: Arc<WorkersOptions>, mut first: Option<Started>) {
    let mut failures = 0;
    loop {
        let started = match first.take() {
            Some(started) => Ok(started),
            None => start(&options).await,
        };
        match started {
            Ok(started) => {
                failures = 0;
                let began = Instant::now();
                let reason = run(&pool, slot, &options, started).await;
                tracing::warn!(slot, %reason, "a worker was lost; another one takes its place");
                // One that dies as soon as it lives must not take all processors by being started.
                if began.elapsed() < PAUSE {
                    tokio::time::sleep(PAUSE).await;
                }
            }
            Err(error) => {
                failures += 1;
                tracing::error!(slot, %error, "a worker could not be started");
                if failures >= ATTEMPTS {
                    pool.is_broken(format!("no worker process can be started: {error}"));
                }
                tokio::time::sleep((PAUSE * 2_u32.pow(failures.min(10))).min(LONGEST_PAUSE)).await;
            }
        }
    }
}

/// From the arrival of a worker to its loss: why it was lost.
async fn run(pool: &Arc<Pool>, slot: usize, options: &WorkersOptions, started: Started) -> String {
    let Started { mut child, socket, incoming, .. } = started;
    let worker = Arc::new(Worker::new(socket.clone(), child.id().unwrap_or_default()));
    pool.install(slot, Arc::clone(&worker));
    let reason = tokio::select! {
        reason = worker.listen(incoming) => reason,
        reason = watch(&worker, options) => reason,
        error = socket.write_rest() => format!("its socket broke: {error:?}"),
        () = worker.replace.notified() => "it belonged to another tenant".into(),
    };
    pool.remove(slot);
    // It ends before its calls are run again.
    let _ = child.start_kill();
    let reason = match child.wait().await {
        Ok(status) if reason == ENDED => format!("its process ended ({status})"),
        _ => reason,
    };
    worker.lose(&reason);
    reason
}

/// What [`Worker::listen`] says of a process that is gone.
pub(super) const ENDED: &str = "its process ended";

/// Looks after a worker: why it has to be killed.
async fn watch(worker: &Worker, options: &WorkersOptions) -> String {
    let mut ticks = tokio::time::interval(WATCH);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut pinged, mut watched) = (Instant::now(), Instant::now());
    // How much of the silence was the host's own: a machine that slept, or was stopped.
    let mut slept = Duration::ZERO;
    loop {
        ticks.tick().await;
        let now = Instant::now();
        let late = now.duration_since(watched).saturating_sub(WATCH * 2);
        slept = if late > Duration::ZERO { slept + late } else { slept };
        watched = now;
        let (heard, deadline) = worker.clocks();
        if now.duration_since(heard) > options.silence + slept {
            return format!("it has been silent for {:?}", options.silence);
        }
        if deadline.is_some_and(|deadline| now > deadline + GRACE + slept) {
            return "it did not end a call whose time was up".into();
        }
        if resident_memory(worker.process).is_some_and(|bytes| bytes > options.memory) {
            return format!("it took more than {} MiB of memory", options.memory >> 20);
        }
        if now.duration_since(pinged) >= PING {
            pinged = now;
            let _ = worker.socket.send(&ToWorker::Ping);
        }
        if now.duration_since(heard) < PING * 2 {
            slept = Duration::ZERO;
        }
    }
}

/// Bytes of a process that are in memory.
fn resident_memory(process: u32) -> Option<u64> {
    let statistics = std::fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let pages: u64 = statistics.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// Starts a worker and waits until it is ready.
pub(super) async fn start(options: &WorkersOptions) -> io::Result<Started> {
    let (child, socket) = spawn(&options.program, &options.program.worker, &[])?;
    let cells = options.cells;
    let ready = async move {
        socket.send(&ToWorker::Start { cells }).map_err(io::Error::other)?;
        let mut incoming = Incoming::default();
        loop {
            match incoming.next().map_err(io::Error::other)? {
                Some(ToHost::Ready { measures }) => return Ok(Started { child, socket, incoming, measures }),
                Some(_) => return Err(io::Error::other(Nonsense("it does not say that it is ready"))),
                None if socket.read(&mut incoming).await? => {}
                None => return Err(io::Error::other("it ended before it was ready")),
            }
        }
    };
    tokio::time::timeout(START, ready).await.map_err(|_| io::Error::other("it was not ready in time"))?
}

/// Starts a process with a socket as its standard input, an empty environment, and nothing else.
pub(super) fn spawn(
    program: &WorkerProgram,
    arguments: &[std::ffi::OsString],
    environment: &[(&str, &str)],
) -> io::Result<(Child, Socket)> {
    let (ours, theirs) = UnixStream::pair()?;
    let mut command = Command::new(&program.path);
    command
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .current_dir("/")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // Not in the group of the terminal: Ctrl-C is hotcell's to hear.
    command.process_group(0);
    let mut child = command.spawn()?;
    if let Some(stderr) = child.stderr.take() {
        tokio::spawn(repeat(child.id().unwrap_or_default(), stderr));
    }
    Ok((child, Socket::new(ours)?))
}

/// Repeats in hotcell's log what a process writes to standard error, as far as that is bearable, and reads on.
async fn repeat(process: u32, mut stderr: ChildStderr) {
    let (mut buffer, mut left) = (vec![0; 4 << 10], STDERR);
    while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
        let shown = read.min(left);
        left -= shown;
        for line in String::from_utf8_lossy(&buffer[..shown]).lines() {
            tracing::warn!(process, "{}", sanitised(line));
        }
    }
}
