//! Reading a document, whole and bounded.

use std::fs::File;
use std::io::{Read, stdin};
use std::path::Path;

use anyhow::Context;
use hotcell_definition::MAX_DOCUMENT_BYTES;

/// Reads a document; `-` is standard input. What is longer than a document may be is cut just behind the limit, so
/// that the parser says so and nothing is read without end.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = MAX_DOCUMENT_BYTES as u64 + 1;
    if path == Path::new("-") {
        stdin().lock().take(limit).read_to_end(&mut bytes).context("could not read standard input")?;
        return Ok(bytes);
    }
    let file = File::open(path).with_context(|| format!("could not open {}", path.display()))?;
    file.take(limit).read_to_end(&mut bytes).with_context(|| format!("could not read {}", path.display()))?;
    Ok(bytes)
}
