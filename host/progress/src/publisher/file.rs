//! Events to a file, one a line.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::PublisherError;
use super::session::Outgoing;

/// A file to which events are appended.
pub(super) struct FileSink {
    file: File,
    path: PathBuf,
    /// Lines that are being written, and how much of them has been.
    lines: Vec<u8>,
    written: usize,
}

impl FileSink {
    pub(super) fn open(path: &Path) -> Result<Self, PublisherError> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(|error| PublisherError::File { path: path.display().to_string(), reason: error.to_string() })?;
        Ok(FileSink { file, path: path.to_owned(), lines: Vec::new(), written: 0 })
    }

    /// Writes what waits. After an error (the disk is full) it goes on where it stopped, in the midst of a line if need
    /// be.
    pub(super) fn send(&mut self, outgoing: &mut Outgoing) -> Result<(), String> {
        let failed = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
        if self.lines.is_empty() {
            for event in &outgoing.waiting {
                serde_json::to_writer(&mut self.lines, event).map_err(|error| failed(&self.path, error.into()))?;
                self.lines.push(b'\n');
            }
        }
        while self.written < self.lines.len() {
            match self.file.write(&self.lines[self.written..]) {
                Ok(0) => return Err(failed(&self.path, io::ErrorKind::WriteZero.into())),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(&self.path, error)),
            }
        }
        self.lines.clear();
        self.written = 0;
        outgoing.delivered += outgoing.waiting.len() as u64;
        outgoing.waiting.clear();
        Ok(())
    }
}
