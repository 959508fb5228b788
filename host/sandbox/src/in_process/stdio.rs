//! Standard input, output and error of the task, as WASI sees them.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use super::logs::{LogOutput, Logs};
use super::outcome::Ended;
use crate::{CallError, PayloadKind, PayloadUnit};

/// How much a guest may write at once. WASI's own streams offer the same.
const PERMIT: usize = 64 << 10;

/// How much of the end of a command's stderr is kept for the problem that it may become.
const COMPLAINT: usize = 2 << 10;

/// Where a stream of the task goes. It takes everything at once.
pub(super) trait Sink: Clone + Send + Sync + 'static {
    /// Takes what was written, or ends the call.
    fn take(&self, bytes: &[u8]) -> Result<(), CallError>;
}

/// A stream whose lines become lines of the log.
#[derive(Clone)]
pub(super) struct Logged {
    logs: Arc<Logs>,
    output: LogOutput,
}

impl Logged {
    pub(super) fn new(logs: Arc<Logs>, output: LogOutput) -> Self {
        Logged { logs, output }
    }
}

impl Sink for Logged {
    fn take(&self, bytes: &[u8]) -> Result<(), CallError> {
        self.logs.write(self.output, bytes);
        Ok(())
    }
}

/// The stdout of a command: one document.
#[derive(Clone)]
pub(super) struct Document {
    limit: usize,
    written: Arc<Mutex<Written>>,
}

#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    is_too_long: bool,
}

impl Document {
    /// An empty one, which takes at most so many bytes.
    pub(super) fn new(limit: usize) -> Self {
        Document { limit, written: Arc::default() }
    }

    /// All that was written, unless that was more than fits.
    pub(super) fn read(&self) -> Result<Vec<u8>, CallError> {
        let mut written = locked(&self.written);
        if written.is_too_long { Err(self.too_long()) } else { Ok(std::mem::take(&mut written.bytes)) }
    }

    fn too_long(&self) -> CallError {
        CallError::PayloadLimit { what: PayloadKind::Output, limit: self.limit, unit: PayloadUnit::Bytes }
    }
}

impl Sink for Document {
    fn take(&self, bytes: &[u8]) -> Result<(), CallError> {
        let mut written = locked(&self.written);
        if written.is_too_long || bytes.len() > self.limit - written.bytes.len() {
            *written = Written { bytes: Vec::new(), is_too_long: true };
            return Err(self.too_long());
        }
        written.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

/// The stderr of a command: lines of the log, the last of which explain why it failed.
#[derive(Clone)]
pub(super) struct Complaints {
    logged: Logged,
    last: Arc<Mutex<Vec<u8>>>,
}

impl Complaints {
    pub(super) fn new(logs: Arc<Logs>) -> Self {
        Complaints { logged: Logged::new(logs, LogOutput::Stderr), last: Arc::default() }
    }

    /// The last 2 KiB, from the beginning of a line on if there is one.
    pub(super) fn last(&self) -> String {
        let last = locked(&self.last);
        let start = last.len().saturating_sub(COMPLAINT);
        let mut tail = &last[start..];
        if start > 0
            && let Some(end) = tail.iter().position(|byte| *byte == b'\n')
        {
            tail = &tail[end + 1..];
        }
        String::from_utf8_lossy(tail).into_owned()
    }
}

impl Sink for Complaints {
    fn take(&self, bytes: &[u8]) -> Result<(), CallError> {
        let mut last = locked(&self.last);
        last.extend_from_slice(&bytes[bytes.len().saturating_sub(COMPLAINT + 1)..]);
        // Rarely: a guest that writes byte by byte would have the kept ones moved for each.
        if last.len() > 4 * COMPLAINT {
            let surplus = last.len() - (COMPLAINT + 1);
            last.drain(..surplus);
        }
        drop(last);
        self.logged.take(bytes)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A stream of WASI that passes everything on to a [`Sink`].
#[derive(Clone)]
pub(super) struct Captured<S>(pub(super) S);

impl<S: Sink> IsTerminal for Captured<S> {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl<S: Sink> StdoutStream for Captured<S> {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl<S: Sink> OutputStream for Captured<S> {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0.take(&bytes).map_err(|error| StreamError::Trap(Ended(error).into()))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}

#[async_trait]
impl<S: Sink> Pollable for Captured<S> {
    async fn ready(&mut self) {}
}

impl<S: Sink> AsyncWrite for Captured<S> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.0.take(bytes).map(|()| bytes.len()).map_err(io::Error::other))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Host, LogLevel, LogStream, SecretDenied};

    struct Deaf;

    impl Host for Deaf {
        fn log(&self, _: LogLevel, _: LogStream, _: String) {}

        fn report(&self, _: Option<f64>, _: Option<String>, _: Option<serde_json::Value>) {}

        fn secret(&self, _: &str) -> Result<String, SecretDenied> {
            Err(SecretDenied)
        }
    }

    fn complaints() -> Complaints {
        Complaints::new(Arc::new(Logs::new(Arc::new(Deaf), 100)))
    }

    #[test]
    fn a_document_takes_what_fits_and_nothing_more() {
        let document = Document::new(5);
        assert!(document.take(b"abc").is_ok());
        assert!(document.take(b"de").is_ok());
        assert_eq!(document.read(), Ok(b"abcde".to_vec()));
        assert!(document.take(b"abcdef").is_err());
        assert!(document.take(b"").is_err());
        assert!(document.read().is_err());
    }

    #[test]
    fn the_last_lines_of_a_complaint_are_kept_however_it_is_written() {
        let text = (0..2_000).map(|number| format!("line {number}\n")).collect::<String>();
        let (whole, bytewise) = (complaints(), complaints());
        whole.take(text.as_bytes()).unwrap();
        text.bytes().for_each(|byte| bytewise.take(&[byte]).unwrap());
        assert_eq!(whole.last(), bytewise.last());
        assert!(whole.last().starts_with("line 179") && whole.last().ends_with("line 1999\n"));
        assert!(bytewise.last.lock().unwrap().len() <= 4 * COMPLAINT + 1);
    }

    #[test]
    fn a_short_complaint_is_kept_whole_and_a_long_line_is_cut() {
        let short = complaints();
        short.take(b"no\nsuch order").unwrap();
        assert_eq!(short.last(), "no\nsuch order");
        let long = complaints();
        long.take(&[b'a'; 10_000]).unwrap();
        assert_eq!(long.last(), "a".repeat(COMPLAINT));
    }
}
