//! The two sides of the glass: what runs cells, and what cells ask of the outside.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Call, CallEnd, ComponentError, Digest, HttpFailure, HttpRequest, HttpResponse};

/// What runs components in cells. All that crosses it is plain data and requests to a [`Host`], so that the cells can
/// live in this process or in others.
pub trait Cells: Send + Sync + 'static {
    /// Checks and compiles a component, unless that has been done already, so that calls of it start at once.
    /// Returns what the component is known by from now on. A component stays prepared as long as `self` lives.
    fn prepare(&self, component: Arc<[u8]>) -> BoxFuture<'_, Result<Digest, ComponentError>>;

    /// Runs one call in a fresh cell. If all cells are taken, the call waits until one is free. Dropping the
    /// future interrupts the call wherever it stands and frees the cell.
    ///
    /// Guests run on the thread that polls the future, at most some 5 ms for each poll; a call that ends within
    /// that is not interrupted.
    fn call(&self, call: Call, host: Arc<dyn Host>) -> BoxFuture<'_, CallEnd>;
}

/// What a call asks of the outside. Whoever implements it checks the call's grants.
///
/// The methods are called from within the cell, while the guest stands still: they must not block, and those that are
/// not asynchronous must not take long either.
pub trait Host: Send + Sync {
    /// The task wrote a line. It comes without its end, without control characters and at most 16 KiB long; all
    /// lines of a call together are bounded by [`CallLimits::log_bytes`](crate::CallLimits::log_bytes).
    fn log(&self, level: LogLevel, stream: LogStream, message: String);

    /// The task tells how far it has come: `fraction` from 0 to 1, `message` for people (without control
    /// characters), `data` for programs. Bounded by [`CallLimits::reports`](crate::CallLimits::reports).
    fn report(&self, fraction: Option<f64>, message: Option<String>, data: Option<Value>);

    /// The value of a secret, if the task was granted it.
    fn secret(&self, name: &str) -> Result<String, SecretDenied>;

    /// The same, for a cell that is not in the process of its host, which has to be asked first. Default: [`secret`](Self::secret).
    fn fetch_secret<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<String, SecretDenied>> {
        Box::pin(std::future::ready(self.secret(name)))
    }

    /// Sends a request and waits for the whole answer, if the call was granted that. Only built-in components ask for
    /// it. Default: nothing is granted.
    fn http(&self, _request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        Box::pin(async { Err(HttpFailure::not_granted()) })
    }

    /// A file, by its path from the definition, if the call was granted that. Default: nothing is granted.
    fn read<'a>(&'a self, _path: &'a str) -> BoxFuture<'a, Result<Vec<u8>, HttpFailure>> {
        Box::pin(async { Err(HttpFailure::not_granted()) })
    }

    /// A token that another call of the same definition kept under this key, unless its lifetime is over. Where there is none, it
    /// is the turn of the call that asks: others wait until it keeps one, forgets it, or ends. Default: there is none, and
    /// nobody waits.
    fn kept_token<'a>(&'a self, _key: &'a str) -> BoxFuture<'a, Option<String>> {
        Box::pin(async { None })
    }

    /// Keeps a token for other calls of the same definition; not at all, if its lifetime is zero. Default: it is not kept.
    fn keep_token(&self, _key: String, _token: String, _lifetime: Duration) {}

    /// Forgets a token.
    fn forget_token(&self, _key: &str) {}
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For whoever follows every step.
    Trace,
    /// For whoever looks for a mistake.
    Debug,
    /// What happens. Lines of stdout have this level.
    Info,
    /// What may become a problem. Lines of stderr and hotcell's own remarks have this level.
    Warn,
    /// What went wrong.
    Error,
}

/// Where a log line was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogStream {
    /// The task's standard output.
    Stdout,
    /// The task's standard error.
    Stderr,
    /// The `log` function of the task contract.
    Log,
    /// hotcell itself: that and how much of a log was dropped.
    Host,
}

/// A secret was not granted, or does not exist. The two cannot be told apart, so that nobody learns which secrets
/// there are. The task gets a problem of the kind `…/errors/authorization`, status 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the secret was not granted to the task")]
pub struct SecretDenied;
