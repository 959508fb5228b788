//! A worker process as its host sees it.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

use super::keeper::ENDED;
use super::open_call::{Ending, OpenCall};
use super::pool::Seat;
use super::socket::Socket;
use super::wire::{Answer, Incoming, Nonsense, Number, Question, ToHost, ToWorker};
use crate::{Call, Digest, Host, HttpFailure};

/// A worker that is there, or was until just now.
pub(super) struct Worker {
    pub(super) socket: Socket,
    pub(super) process: u32,
    /// How many calls it has been given that have not ended.
    pub(super) seats: AtomicU32,
    /// Someone wants it to be replaced.
    pub(super) replace: Notify,
    state: Mutex<State>,
}

struct State {
    /// Set once it is lost.
    lost: Option<String>,
    open: HashMap<Number, OpenCall>,
    loaded: HashSet<Digest>,
    heard: Instant,
}

impl State {
    /// A call that this very worker has.
    fn call(&mut self, number: Number) -> Result<&mut OpenCall, Nonsense> {
        self.open.get_mut(&number).ok_or(Nonsense("it speaks for a call that it was not given"))
    }
}

impl Worker {
    pub(super) fn new(socket: Socket, process: u32) -> Self {
        let state = State { lost: None, open: HashMap::new(), loaded: HashSet::new(), heard: Instant::now() };
        Worker { socket, process, seats: AtomicU32::new(0), replace: Notify::new(), state: Mutex::new(state) }
    }

    /// Gives it a component, unless it has that already.
    pub(super) fn load(&self, component: Digest, artifact: &File) -> std::io::Result<()> {
        let mut state = self.state();
        if !state.loaded.contains(&component) {
            let file = artifact.try_clone()?;
            self.socket.send_with(&ToWorker::Load { component }, vec![file.into()]).map_err(std::io::Error::other)?;
            state.loaded.insert(component);
        }
        Ok(())
    }

    /// Gives it a call, under this number. What becomes of it comes through the channel.
    pub(super) fn start(
        &self,
        number: Number,
        call: &Call,
        host: Arc<dyn Host>,
        runtime: Handle,
        seat: Seat,
    ) -> Result<oneshot::Receiver<Ending>, Nonsense> {
        let (sender, receiver) = oneshot::channel();
        let open = OpenCall::new(call, host, runtime, sender, seat);
        {
            let mut state = self.state();
            if let Some(reason) = state.lost.clone() {
                drop(state);
                open.lost(&reason);
                return Ok(receiver);
            }
            state.open.insert(number, open);
        }
        let sent = self.socket.send(&ToWorker::Call { number, call: call.clone() });
        if sent.is_err() {
            drop(self.take_open(number));
        }
        sent.map(|()| receiver)
    }

    /// Nobody waits for the call any more. Its place is free when the worker says so.
    pub(super) fn cancel(&self, number: Number) {
        if let Some(call) = self.state().open.get_mut(&number) {
            call.cancel();
            let _ = self.socket.send(&ToWorker::Cancel { number });
        }
    }

    /// Reads what it says until it is gone, or speaks nonsense: why it is lost.
    pub(super) async fn listen(self: &Arc<Self>, mut incoming: Incoming) -> String {
        loop {
            loop {
                match incoming.next() {
                    Ok(Some(message)) => match self.hear(message) {
                        Ok(()) => {}
                        Err(nonsense) => return nonsense.to_string(),
                    },
                    Ok(None) => break,
                    Err(nonsense) => return nonsense.to_string(),
                }
            }
            match self.socket.read(&mut incoming).await {
                Ok(true) => {}
                Ok(false) => return ENDED.into(),
                Err(error) => return format!("its socket broke: {error}"),
            }
        }
    }

    /// One message.
    fn hear(self: &Arc<Self>, message: ToHost) -> Result<(), Nonsense> {
        let mut state = self.state();
        state.heard = Instant::now();
        match message {
            ToHost::Pong => Ok(()),
            ToHost::Lane { .. } => Ok(()),
            ToHost::Log { number, level, stream, message } => state.call(number)?.logs(level, stream, message),
            ToHost::Report { number, fraction, message, data } => state.call(number)?.reports(fraction, message, data),
            ToHost::Ask { number, question } => {
                let call = state.call(number)?;
                if call.is_cancelled() {
                    return Ok(());
                }
                if call.is_asking() {
                    return Err(Nonsense("a call asks before it is answered"));
                }
                let (host, runtime) = call.host();
                let worker = Arc::clone(self);
                let answering = async move { worker.answer(number, answer(&*host, question).await) };
                // It cannot be quicker than this: the state is locked.
                call.asks(runtime.spawn(answering).abort_handle())
            }
            ToHost::KeepToken { number, key, token, lifetime } => {
                let call = state.call(number)?;
                if !call.is_cancelled() {
                    call.host().0.keep_token(key, token, lifetime);
                }
                Ok(())
            }
            ToHost::ForgetToken { number, key } => {
                let call = state.call(number)?;
                if !call.is_cancelled() {
                    call.host().0.forget_token(&key);
                }
                Ok(())
            }
            ToHost::Ended { number, outcome, usage } => {
                state.call(number)?;
                let call = state.open.remove(&number).expect("it was there just now");
                drop(state);
                call.ended(outcome, usage)
            }
            ToHost::NotLoaded { component, reason } => {
                tracing::error!(worker = self.process, %component, %reason, "a worker cannot load a component");
                Ok(())
            }
            ToHost::Ready { .. } => Err(Nonsense("it begins twice")),
            ToHost::Compiled { .. } => Err(Nonsense("it is no compiler")),
        }
    }

    fn answer(&self, number: Number, answer: Answer) {
        let mut state = self.state();
        let Some(call) = state.open.get_mut(&number) else { return };
        call.is_answered();
        if self.socket.send(&ToWorker::Answer { number, answer }).is_err() {
            let failure = HttpFailure::TooLarge("the answer is larger than what can be passed on".into());
            let _ = self.socket.send(&ToWorker::Answer { number, answer: Answer::Http(Err(failure)) });
        }
    }

    /// When it was last heard, and when the first of its calls should be over.
    pub(super) fn clocks(&self) -> (Instant, Option<Instant>) {
        let state = self.state();
        (state.heard, state.open.values().map(OpenCall::deadline).min())
    }

    /// It is lost, and with it all calls that it has.
    pub(super) fn lose(&self, reason: &str) {
        let open = {
            let mut state = self.state();
            state.lost = Some(reason.to_owned());
            std::mem::take(&mut state.open)
        };
        for call in open.into_values() {
            call.lost(reason);
        }
    }

    pub(super) fn has_seats_for(&self, cells: u32) -> bool {
        self.seats.load(Relaxed) < cells
    }

    fn take_open(&self, number: Number) -> Option<OpenCall> {
        self.state().open.remove(&number)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the host of the call answers. It checks what the call was granted.
async fn answer(host: &dyn Host, question: Question) -> Answer {
    match question {
        Question::Secret(name) => Answer::Secret(host.fetch_secret(&name).await.ok()),
        Question::Http(request) => Answer::Http(host.http(request.0).await),
        Question::Read(path) => Answer::Read(host.read(&path).await),
        Question::KeptToken(key) => Answer::KeptToken(host.kept_token(&key).await),
    }
}
