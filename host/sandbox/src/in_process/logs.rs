//! What a call writes, line by line and bounded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Host, LOG_LINE_OVERHEAD, LogLevel, LogStream};

/// The longest line, in bytes. A longer one becomes several: against one line that is all of the log.
pub(crate) const MAX_LINE: usize = 16 << 10;

/// What a call writes to stdout and stderr and logs. Each line goes to the host as soon as it is whole; what is
/// beyond the limit is counted and dropped. Writing never fails and never waits.
pub struct Logs {
    host: Arc<dyn Host>,
    /// The streams of WASI need to reach it from outside the store. Nobody else does, so that it is never waited for.
    state: Mutex<State>,
}

struct State {
    limit: usize,
    left: usize,
    written: u64,
    dropped: u64,
    /// The beginnings of the lines of stdout and stderr that are not whole yet.
    partial: [Vec<u8>; 2],
}

impl Logs {
    /// The logs of one call, which the host is told of up to this many bytes.
    pub fn new(host: Arc<dyn Host>, limit: usize) -> Self {
        let state = State { limit, left: limit, written: 0, dropped: 0, partial: Default::default() };
        Logs { host, state: Mutex::new(state) }
    }

    /// A message of the `log` function. Each of its lines is a line of the log.
    pub(super) fn message(&self, level: LogLevel, message: &str) {
        let mut state = self.state();
        state.written += message.len() as u64;
        for line in message.lines() {
            let mut rest = line.as_bytes();
            while rest.len() > MAX_LINE {
                let (piece, more) = rest.split_at(boundary(rest, MAX_LINE));
                state.emit(&*self.host, level, LogStream::Log, piece);
                rest = more;
            }
            state.emit(&*self.host, level, LogStream::Log, rest);
        }
    }

    /// Bytes written to stdout or stderr.
    pub fn write(&self, output: LogOutput, mut bytes: &[u8]) {
        let mut state = self.state();
        state.written += bytes.len() as u64;
        while !bytes.is_empty() {
            // Once the limit is passed nothing is kept, so that a flood costs no more than counting it.
            if state.left == 0 {
                state.dropped += bytes.len() as u64;
                return;
            }
            let mut line = std::mem::take(&mut state.partial[output as usize]);
            let room = MAX_LINE - line.len();
            let end = bytes.iter().take(room).position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(room.min(bytes.len()));
            line.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken + usize::from(end.is_some())..];
            if end.is_some() {
                state.emit(&*self.host, output.level(), output.stream(), &line);
                line.clear();
            } else if line.len() == MAX_LINE {
                let whole = boundary(&line, MAX_LINE);
                state.emit(&*self.host, output.level(), output.stream(), &line[..whole]);
                line.drain(..whole);
            }
            state.partial[output as usize] = line;
        }
    }

    /// Writes what has no line end yet, and says how much was dropped. Returns how many bytes were written.
    pub fn finish(&self) -> u64 {
        let mut state = self.state();
        for output in [LogOutput::Stdout, LogOutput::Stderr] {
            let line = std::mem::take(&mut state.partial[output as usize]);
            if !line.is_empty() {
                state.emit(&*self.host, output.level(), output.stream(), &line);
            }
        }
        if state.dropped > 0 {
            let (dropped, limit) = (state.dropped, state.limit);
            let remark = format!(
                "{dropped} bytes were dropped from this call's log, beyond the limit of {limit} bytes for a call"
            );
            self.host.log(LogLevel::Warn, LogStream::Host, remark);
        }
        state.written
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A host that panicked while it took a line leaves nothing behind that would be half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Passes one line on, as much of it as the limit allows.
    fn emit(&mut self, host: &dyn Host, level: LogLevel, stream: LogStream, line: &[u8]) {
        if self.left <= LOG_LINE_OVERHEAD {
            self.left = 0;
            self.dropped += line.len().max(1) as u64;
            return;
        }
        self.left -= LOG_LINE_OVERHEAD;
        let mut kept = line;
        if line.len() > self.left {
            kept = &line[..boundary(line, self.left)];
            self.dropped += (line.len() - kept.len()) as u64;
            self.left = 0;
        } else {
            self.left -= line.len();
        }
        let kept = kept.strip_suffix(b"\r").unwrap_or(kept);
        host.log(level, stream, sanitised(&String::from_utf8_lossy(kept)));
    }
}

/// The streams of a process that are captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogOutput {
    /// What it says.
    Stdout,
    /// What it complains about.
    Stderr,
}

impl LogOutput {
    fn level(self) -> LogLevel {
        match self {
            LogOutput::Stdout => LogLevel::Info,
            LogOutput::Stderr => LogLevel::Warn,
        }
    }

    fn stream(self) -> LogStream {
        match self {
            LogOutput::Stdout => LogStream::Stdout,
            LogOutput::Stderr => LogStream::Stderr,
        }
    }
}

/// The largest index up to `at` that does not cut a character of UTF-8 in two. Bytes that are not UTF-8 are cut
/// anywhere.
fn boundary(bytes: &[u8], at: usize) -> usize {
    for back in 1..=at.min(3) {
        let length = match bytes[at - back] {
            0x80..=0xbf => continue,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xff => 4,
            _ => 1,
        };
        return if length > back { at - back } else { at };
    }
    at
}

/// The text without characters that could make a terminal, or a person who reads it, believe something else:
/// control characters are shown by their pictures, and those that change the direction of writing are replaced.
pub(crate) fn sanitised(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => c,
            '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).expect("there is a picture for each of them"),
            '\u{7f}' => '\u{2421}',
            '\u{80}'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SecretDenied;

    /// Keeps what it is told.
    #[derive(Default)]
    struct Kept(Mutex<Vec<(LogStream, String)>>);

    impl Host for Kept {
        fn log(&self, _: LogLevel, stream: LogStream, message: String) {
            self.0.lock().unwrap().push((stream, message));
        }

        fn report(&self, _: Option<f64>, _: Option<String>, _: Option<serde_json::Value>) {}

        fn secret(&self, _: &str) -> Result<String, SecretDenied> {
            Err(SecretDenied)
        }
    }

    /// What the host got, after the logs were finished.
    fn lines(limit: usize, write: impl FnOnce(&Logs)) -> Vec<String> {
        let host = Arc::new(Kept::default());
        let logs = Logs::new(host.clone(), limit);
        write(&logs);
        logs.finish();
        std::mem::take(&mut *host.0.lock().unwrap()).into_iter().map(|(_, message)| message).collect()
    }

    #[test]
    fn lines_are_put_together_from_what_was_written_piece_by_piece() {
        let lines = lines(1_000, |logs| {
            for piece in ["on", "e\ntw", "o\r\n", "\n", "rest"] {
                logs.write(LogOutput::Stdout, piece.as_bytes());
            }
        });
        assert_eq!(lines, ["one", "two", "", "rest"]);
    }

    #[test]
    fn the_lines_of_stdout_and_stderr_do_not_mix() {
        let lines = lines(1_000, |logs| {
            logs.write(LogOutput::Stdout, b"out");
            logs.write(LogOutput::Stderr, b"err\n");
            logs.write(LogOutput::Stdout, b"put\n");
        });
        assert_eq!(lines, ["err", "output"]);
    }

    #[test]
    fn a_long_line_is_split_between_characters() {
        let text = format!("a{}", "€".repeat(10_000));
        for lines in [
            lines(1 << 20, |logs| logs.write(LogOutput::Stdout, text.as_bytes())),
            lines(1 << 20, |logs| logs.message(LogLevel::Info, &text)),
        ] {
            assert_eq!(lines.len(), 2);
            assert!(lines.iter().all(|line| line.len() <= MAX_LINE));
            assert_eq!(lines.concat(), text);
        }
    }

    #[test]
    fn what_is_beyond_the_limit_is_dropped_and_counted() {
        let lines = lines(100, |logs| {
            logs.write(LogOutput::Stdout, &[b'a'; 1_000_000]);
            logs.message(LogLevel::Error, "too late");
        });
        assert_eq!(lines[0], "a".repeat(100 - LOG_LINE_OVERHEAD));
        assert_eq!(
            lines[1..],
            ["999924 bytes were dropped from this call's log, beyond the limit of 100 bytes for a call"]
        );
    }

    #[test]
    fn empty_lines_use_up_the_limit_too() {
        let lines = lines(100, |logs| logs.write(LogOutput::Stdout, &[b'\n'; 1_000]));
        assert_eq!(lines.len(), 100 / LOG_LINE_OVERHEAD + 1);
    }

    #[test]
    fn what_could_deceive_a_terminal_is_made_visible() {
        let lines = lines(1_000, |logs| {
            logs.write(LogOutput::Stderr, b"\x1b[2J\ttab \xff\n");
            logs.message(LogLevel::Info, "left\u{202e}right\u{9b}31m\0");
        });
        assert_eq!(lines, ["\u{241b}[2J\ttab \u{fffd}", "left\u{fffd}right\u{fffd}31m\u{2400}"]);
    }
}
