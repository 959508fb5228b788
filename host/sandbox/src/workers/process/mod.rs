//! What runs inside a worker process.

mod asking;
mod compiler;

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use self::asking::{Asking, Remote};
use super::confinement::{self, Measure, Purpose};
use super::socket::Socket;
use super::wire::{Incoming, Number, Outcome, ToHost, ToWorker};
use crate::{Call, CallEnd, Cells, Digest, InProcess, InProcessOptions, Usage};

pub use compiler::compiler_main;

/// All of a worker process: what `main` of a program calls that [`Workers`](crate::Workers) starts. Standard input
/// is the socket. Returns when the host is gone.
pub fn worker_main() -> ExitCode {
    run(Purpose::Cells, |confined| async move { Worker::serve(confined).await })
}

/// Confines this process as [`worker_main`] does: for programs that try what is left then.
pub fn confine_as_worker() -> Vec<Measure> {
    confinement::confine(Purpose::Cells, confinement::begin())
}

/// A process that has nothing left but its socket.
pub(super) struct Confined {
    pub(super) socket: Socket,
    pub(super) measures: Vec<Measure>,
}

/// Confines this process and then serves.
fn run<F: Future<Output = io::Result<()>>>(purpose: Purpose, serve: impl FnOnce(Confined) -> F) -> ExitCode {
    let served = start(purpose).and_then(|(runtime, confined)| runtime.block_on(serve(confined)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The runtime comes before the confinement, as it makes a pair of sockets for itself.
fn start(purpose: Purpose) -> io::Result<(Runtime, Confined)> {
    // A thread that panicked may hold what others wait for.
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        std::process::abort();
    }));
    let descriptors = confinement::begin();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let socket = {
        let _runtime = runtime.enter();
        let socket = io::stdin().as_fd().try_clone_to_owned()?;
        Socket::new(UnixStream::from(socket))?
    };
    let measures = confinement::confine(purpose, descriptors);
    Ok((runtime, Confined { socket, measures }))
}

/// A component that is being loaded, or is.
type Loading = Shared<BoxFuture<'static, ()>>;

struct Worker {
    socket: Socket,
    cells: Arc<InProcess>,
    components: HashMap<Digest, Loading>,
    calls: Arc<Mutex<HashMap<Number, oneshot::Sender<()>>>>,
    asking: Arc<Asking>,
}

impl Worker {
    async fn serve(Confined { socket, measures }: Confined) -> io::Result<()> {
        let (mut incoming, mut files) = (Incoming::default(), VecDeque::new());
        let cells = loop {
            match incoming.next().map_err(io::Error::other)? {
                Some(ToWorker::Start { cells }) => break cells,
                Some(_) => return Err(io::Error::other("the host did not begin with the beginning")),
                None if socket.read_with(&mut incoming, &mut files).await? => {}
                None => return Ok(()),
            }
        };
        // There is one thread for guests.
        let options = InProcessOptions { cells, heavy: 1, ..InProcessOptions::default() };
        let cells = InProcess::new(options).map_err(io::Error::other)?;
        let mut worker = Worker {
            asking: Arc::new(Asking::new(socket.clone())),
            socket: socket.clone(),
            cells: Arc::new(cells),
            components: HashMap::new(),
            calls: Arc::default(),
        };
        let writer = socket.clone();
        tokio::spawn(async move { writer.write_rest().await });
        worker.say(&ToHost::Ready { measures })?;
        loop {
            while let Some(message) = incoming.next().map_err(io::Error::other)? {
                worker.hear(message, &mut files)?;
            }
            if !socket.read_with(&mut incoming, &mut files).await? {
                return Ok(());
            }
        }
    }

    fn hear(&mut self, message: ToWorker, files: &mut VecDeque<OwnedFd>) -> io::Result<()> {
        match message {
            ToWorker::Start { .. } => return Err(io::Error::other("the host began twice")),
            ToWorker::Load { component } => {
                let file = files.pop_front().ok_or_else(|| io::Error::other("a component came without its file"))?;
                let loading = self.load(component, file.into()).boxed().shared();
                tokio::spawn(loading.clone());
                self.components.insert(component, loading);
            }
            ToWorker::Call { number, call } => self.start(number, call),
            ToWorker::Cancel { number } => {
                if let Some(cancel) = lock(&self.calls).remove(&number) {
                    let _ = cancel.send(());
                }
            }
            ToWorker::Answer { number, answer } => self.asking.answered(number, answer),
            ToWorker::Lane { .. } => {}
            ToWorker::Ping => self.say(&ToHost::Pong)?,
        }
        Ok(())
    }

    fn load(&self, component: Digest, artifact: File) -> impl Future<Output = ()> + Send + 'static {
        let (cells, socket) = (Arc::clone(&self.cells), self.socket.clone());
        async move {
            if let Err(error) = cells.load(component, artifact).await {
                let _ = socket.send(&ToHost::NotLoaded { component, reason: error.to_string() });
            }
        }
    }

    fn start(&self, number: Number, call: Call) {
        let loading = self.components.get(&call.component).cloned();
        let (cancel, cancelled) = oneshot::channel();
        lock(&self.calls).insert(number, cancel);
        let host = Arc::new(Remote::new(number, self.socket.clone(), Arc::clone(&self.asking)));
        let (cells, calls, socket) = (Arc::clone(&self.cells), Arc::clone(&self.calls), self.socket.clone());
        tokio::spawn(async move {
            let run = async {
                if let Some(loading) = loading {
                    loading.await;
                }
                cells.call(call, host).await
            };
            let end = tokio::select! {
                biased;
                _ = cancelled => None,
                end = run => Some(end),
            };
            lock(&calls).remove(&number);
            let (outcome, usage) = match end {
                None => (Outcome::Cancelled, Usage::default()),
                Some(CallEnd { result: Ok(output), usage }) => (Outcome::Output(output.to_string()), usage),
                Some(CallEnd { result: Err(error), usage }) => {
                    (Outcome::Failed(serde_json::to_string(&error).expect("an error can be written as JSON")), usage)
                }
            };
            if let Err(error) = socket.send(&ToHost::Ended { number, outcome, usage }) {
                panic!("the end of a call cannot be told: {error}");
            }
        });
    }

    fn say(&self, message: &ToHost) -> io::Result<()> {
        self.socket.send(message).map_err(io::Error::other)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
