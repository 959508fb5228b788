//! What the cells of an execution ask of the outside.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use hotcell_machine::{CallId, Input, InputKind, LogLevel, LogStream};
use hotcell_sandbox as sandbox;
use hotcell_sandbox::{HttpFailure, HttpRequest, HttpResponse, SecretDenied};
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::outside::Outside;

/// The host of one call. What the cell tells becomes an input of the machine, which numbers it. The channel has no
/// bound of its own: the limits of the call bound what goes into it.
pub(crate) struct CallHost {
    pub(crate) call: CallId,
    pub(crate) inputs: mpsc::UnboundedSender<Input>,
    pub(crate) secrets: Arc<Map<String, Value>>,
    pub(crate) clock: Arc<dyn Clock>,
    /// What a call of a built-in component may reach. Others reach nothing.
    pub(crate) outside: Option<Outside>,
}

impl CallHost {
    /// An execution that has ended does not listen any more.
    fn tell(&self, kind: InputKind) {
        let _ = self.inputs.send(Input { time: self.clock.now(), kind });
    }
}

impl sandbox::Host for CallHost {
    fn log(&self, level: sandbox::LogLevel, stream: sandbox::LogStream, message: String) {
        let level = match level {
            sandbox::LogLevel::Trace => LogLevel::Trace,
            sandbox::LogLevel::Debug => LogLevel::Debug,
            sandbox::LogLevel::Info => LogLevel::Info,
            sandbox::LogLevel::Warn => LogLevel::Warn,
            sandbox::LogLevel::Error => LogLevel::Error,
        };
        let stream = match stream {
            sandbox::LogStream::Stdout => LogStream::Stdout,
            sandbox::LogStream::Stderr => LogStream::Stderr,
            sandbox::LogStream::Log => LogStream::Log,
            sandbox::LogStream::Host => LogStream::Host,
        };
        self.tell(InputKind::CallLogged { call: self.call.clone(), level, stream, message });
    }

    fn report(&self, fraction: Option<f64>, message: Option<String>, data: Option<Value>) {
        self.tell(InputKind::CallReported { call: self.call.clone(), fraction, message, data });
    }

    /// The secrets are those that the operator granted and the definition declares.
    fn secret(&self, name: &str) -> Result<String, SecretDenied> {
        match self.secrets.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(other) => Ok(other.to_string()),
            None => Err(SecretDenied),
        }
    }

    fn http(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        match &self.outside {
            Some(outside) => outside.send(request).boxed(),
            None => nothing_granted(),
        }
    }

    fn read<'a>(&'a self, path: &'a str) -> BoxFuture<'a, Result<Vec<u8>, HttpFailure>> {
        match &self.outside {
            Some(outside) => outside.read(path).boxed(),
            None => nothing_granted(),
        }
    }

    fn kept_token<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<String>> {
        match &self.outside {
            Some(outside) => outside.turns.kept(key).boxed(),
            None => std::future::ready(None).boxed(),
        }
    }

    fn keep_token(&self, key: String, token: String, lifetime: Duration) {
        if let Some(outside) = &self.outside {
            outside.turns.keep(key, token, lifetime);
        }
    }

    fn forget_token(&self, key: &str) {
        if let Some(outside) = &self.outside {
            outside.turns.forget(key);
        }
    }
}

fn nothing_granted<T: Send>() -> BoxFuture<'static, Result<T, HttpFailure>> {
    async { Err(HttpFailure::Denied("the call was granted nothing that it could reach".into())) }.boxed()
}
