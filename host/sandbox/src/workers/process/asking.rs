//! What a call in a worker asks of the host that is on the other end of the socket.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::oneshot;

use super::lock;
use crate::workers::socket::Socket;
use crate::workers::wire::{Answer, Number, Question, Request, ToHost};
use crate::{Host, HttpFailure, HttpRequest, HttpResponse, LogLevel, LogStream, SecretDenied};

/// The questions that wait for their answers: one for each call at the most, as it stands still meanwhile.
pub(super) struct Asking {
    socket: Socket,
    waiting: Mutex<HashMap<Number, oneshot::Sender<Answer>>>,
}

impl Asking {
    pub(super) fn new(socket: Socket) -> Self {
        Asking { socket, waiting: Mutex::default() }
    }

    /// Asks and waits. Nothing, if the host does not answer, which it always does.
    async fn ask(&self, number: Number, question: Question) -> Option<Answer> {
        let (sender, receiver) = oneshot::channel();
        lock(&self.waiting).insert(number, sender);
        // A question that is too long is not sent; nobody answers it.
        if self.socket.send(&ToHost::Ask { number, question }).is_err() {
            lock(&self.waiting).remove(&number);
        }
        receiver.await.ok()
    }

    /// The host has answered. The call may have ended meanwhile.
    pub(super) fn answered(&self, number: Number, answer: Answer) {
        if let Some(waiting) = lock(&self.waiting).remove(&number) {
            let _ = waiting.send(answer);
        }
    }
}

/// The host of one call, as its cell sees it.
pub(super) struct Remote {
    number: Number,
    socket: Socket,
    asking: Arc<Asking>,
}

impl Remote {
    pub(super) fn new(number: Number, socket: Socket, asking: Arc<Asking>) -> Self {
        Remote { number, socket, asking }
    }

    /// The call's own limits bound what it says, long before a message cannot be sent.
    fn say(&self, message: &ToHost) {
        let _ = self.socket.send(message);
    }

    async fn ask(&self, question: Question) -> Option<Answer> {
        self.asking.ask(self.number, question).await
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        lock(&self.asking.waiting).remove(&self.number);
    }
}

impl Host for Remote {
    fn log(&self, level: LogLevel, stream: LogStream, message: String) {
        self.say(&ToHost::Log { number: self.number, level, stream, message });
    }

    fn report(&self, fraction: Option<f64>, message: Option<String>, data: Option<Value>) {
        let data = data.map(|data| data.to_string());
        self.say(&ToHost::Report { number: self.number, fraction, message, data });
    }

    /// Cells use [`Host::fetch_secret`], as nothing in a worker knows a secret by itself.
    fn secret(&self, _: &str) -> Result<String, SecretDenied> {
        Err(SecretDenied)
    }

    fn fetch_secret<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<String, SecretDenied>> {
        Box::pin(async {
            match self.ask(Question::Secret(name.to_owned())).await {
                Some(Answer::Secret(Some(secret))) => Ok(secret),
                _ => Err(SecretDenied),
            }
        })
    }

    fn http(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        Box::pin(async {
            match self.ask(Question::Http(Request(request))).await {
                Some(Answer::Http(answer)) => answer,
                _ => Err(unanswered()),
            }
        })
    }

    fn read<'a>(&'a self, path: &'a str) -> BoxFuture<'a, Result<Vec<u8>, HttpFailure>> {
        Box::pin(async {
            match self.ask(Question::Read(path.to_owned())).await {
                Some(Answer::Read(answer)) => answer,
                _ => Err(unanswered()),
            }
        })
    }

    fn kept_token<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<String>> {
        Box::pin(async {
            match self.ask(Question::KeptToken(key.to_owned())).await {
                Some(Answer::KeptToken(token)) => token,
                _ => None,
            }
        })
    }

    fn keep_token(&self, key: String, token: String, lifetime: Duration) {
        self.say(&ToHost::KeepToken { number: self.number, key, token, lifetime });
    }

    fn forget_token(&self, key: &str) {
        self.say(&ToHost::ForgetToken { number: self.number, key: key.to_owned() });
    }
}

fn unanswered() -> HttpFailure {
    HttpFailure::TooLarge("the request is larger than what can be passed on".into())
}
