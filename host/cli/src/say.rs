//! Saying something to whoever runs the command.

use std::fmt;
use std::io::{self, Write};

/// A line on standard error. That nobody reads it (a closed pipe, a full disk) is no reason to fail, or to panic as
/// `eprintln!` does.
pub(crate) fn say(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "hotcell: {line}");
}

/// A text on standard error, in the same way.
pub(crate) fn say_text(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// What standard output did with what was written. That its reader has enough (`| head`) is no error.
pub(crate) fn read_enough(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
