//! What a worker and its host tell each other: messages, each in a frame of a length and so many bytes.
//!
//! A worker runs what tenants brought, and may be in their hands. The host therefore takes nothing for granted of what
//! comes from one: frames are bounded, what they hold is checked where it is used, and a worker that speaks nonsense
//! is killed.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::confinement::Measure;
use crate::{Call, Digest, HttpFailure, HttpRequest, HttpResponse, LogLevel, LogStream, Usage};

/// The largest message, in bytes: against one that fills the host's memory. Several times what the limits of a call
/// allow, as JSON that is written again may be longer than what the guest wrote.
pub(super) const MAX_FRAME: usize = 64 << 20;
/// What stands before each message: its length.
const PREFIX: usize = size_of::<u32>();

/// The number of a call, of which the host gives each only once. Ids are the workflow's; a call that is run again
/// has the same id and another number.
pub(super) type Number = u64;

/// What the host says to a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToWorker {
    /// How many calls there will be at the most. The first message.
    Start { cells: u32 },
    /// A component that was compiled; it comes with the file that it is in.
    Load { component: Digest },
    /// A call to run.
    Call { number: Number, call: Call },
    /// Nobody waits for the call any more.
    Cancel { number: Number },
    /// The answer to what the call asked.
    Answer { number: Number, answer: Answer },
    /// Whether calls that compute for long may go on at present.
    Lane { open: bool },
    /// Are you there?
    Ping,
}

/// What a worker says to the host.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToHost {
    /// It is confined, and calls can come. The first message.
    Ready { measures: Vec<Measure> },
    /// A component cannot be called here: why.
    NotLoaded { component: Digest, reason: String },
    /// A call has ended.
    Ended { number: Number, outcome: Outcome, usage: Usage },
    /// A call wrote a line.
    Log { number: Number, level: LogLevel, stream: LogStream, message: String },
    /// A call tells how far it is; `data` is a JSON text.
    Report { number: Number, fraction: Option<f64>, message: Option<String>, data: Option<String> },
    /// A call asks for something, and stands still until it is answered.
    Ask { number: Number, question: Question },
    /// A call wants a token to be kept.
    KeepToken { number: Number, key: String, token: String, lifetime: Duration },
    /// A call wants a token to be forgotten.
    ForgetToken { number: Number, key: String },
    /// Whether calls wait here that compute for long.
    Lane { wanted: bool },
    /// I am here.
    Pong,
    /// The compiler's answer: the component is compiled, and in the file that came with it. Or it is refused: a
    /// [`ComponentError`](crate::ComponentError) as a JSON text.
    Compiled { refusal: Option<String> },
}

/// How a call ended. JSON texts, as they have members of any shape.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Outcome {
    /// With this output.
    Output(String),
    /// With this [`CallError`](crate::CallError).
    Failed(String),
    /// It was cancelled.
    Cancelled,
}

/// What a call asks of the outside.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Question {
    Secret(String),
    Http(Request),
    Read(String),
    KeptToken(String),
}

/// A request that does not show in debug output what it carries.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Request(pub(super) HttpRequest);

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Request")
    }
}

/// What the host answers.
#[derive(Serialize, Deserialize)]
pub(super) enum Answer {
    /// The secret, if it is granted.
    Secret(Option<String>),
    /// What came of a request.
    Http(Result<HttpResponse, HttpFailure>),
    /// A file.
    Read(Result<Vec<u8>, HttpFailure>),
    /// The token, if there is one.
    KeptToken(Option<String>),
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answer")
    }
}

/// What came is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it does not speak as a worker does: {0}")]
pub(super) struct Nonsense(pub(super) &'static str);

/// A message in its frame.
pub(super) fn frame(message: &impl Serialize) -> Result<Vec<u8>, Nonsense> {
    let mut frame = postcard::to_extend(message, vec![0; PREFIX]).map_err(|_| Nonsense("it cannot be encoded"))?;
    let length = frame.len() - PREFIX;
    if length > MAX_FRAME {
        return Err(Nonsense("a message is too long"));
    }
    frame[..PREFIX].copy_from_slice(&(length as u32).to_le_bytes());
    Ok(frame)
}

/// Bytes that came, of which frames are made.
#[derive(Default)]
pub(super) struct Incoming {
    bytes: Vec<u8>,
    /// Where the first frame begins that was not taken yet.
    at: usize,
}

impl Incoming {
    /// Bytes came. What they fill grows with what really comes, whatever lengths are announced.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.at > 0 {
            self.bytes.drain(..self.at);
            self.at = 0;
        }
        // A burst does not keep its room for ever.
        if self.bytes.is_empty() && self.bytes.capacity() > 1 << 20 {
            self.bytes = Vec::new();
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message, if it is whole.
    pub(super) fn next<M: DeserializeOwned>(&mut self) -> Result<Option<M>, Nonsense> {
        let rest = &self.bytes[self.at..];
        let Some((prefix, rest)) = rest.split_first_chunk::<PREFIX>() else { return Ok(None) };
        let length = u32::from_le_bytes(*prefix) as usize;
        if length > MAX_FRAME {
            return Err(Nonsense("a message is too long"));
        }
        let Some(frame) = rest.get(..length) else { return Ok(None) };
        let (message, rest) = postcard::take_from_bytes(frame).map_err(|_| Nonsense("a message cannot be decoded"))?;
        if !rest.is_empty() {
            return Err(Nonsense("a message is followed by something else"));
        }
        self.at += PREFIX + length;
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_whole_however_the_bytes_are_cut() {
        let sent = [ToWorker::Ping, ToWorker::Cancel { number: 7 }, ToWorker::Lane { open: true }];
        let bytes: Vec<u8> = sent.iter().flat_map(|message| frame(message).unwrap()).collect();
        for size in 1..bytes.len() {
            let (mut incoming, mut came) = (Incoming::default(), Vec::new());
            for piece in bytes.chunks(size) {
                incoming.push(piece);
                while let Some(message) = incoming.next::<ToWorker>().unwrap() {
                    came.push(format!("{message:?}"));
                }
            }
            assert_eq!(came, sent.iter().map(|message| format!("{message:?}")).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_frame_that_is_announced_too_long_is_nonsense_before_it_comes() {
        let mut incoming = Incoming::default();
        incoming.push(&u32::MAX.to_le_bytes());
        assert!(incoming.next::<ToHost>().is_err());
    }

    #[test]
    fn what_is_no_message_is_nonsense() {
        for body in [&[][..], &[200], &[5, 0, 0, 0xff], &[0xff; 40], &[9, 9]] {
            let mut incoming = Incoming::default();
            incoming.push(&(body.len() as u32).to_le_bytes());
            incoming.push(body);
            assert!(incoming.next::<ToHost>().is_err(), "{body:?}");
        }
    }

    #[test]
    fn a_message_that_claims_more_elements_than_it_has_bytes_takes_no_memory() {
        // `Ready` with 2^63 measures.
        let body = [0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        let mut incoming = Incoming::default();
        incoming.push(&(body.len() as u32).to_le_bytes());
        incoming.push(&body);
        assert!(incoming.next::<ToHost>().is_err());
    }
}
