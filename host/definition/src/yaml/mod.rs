//! From text to a tree that knows where everything stood.
//!
//! JSON is read as YAML, of which it is a subset; what YAML adds is bounded in `limits`, because
//! documents come from tenants: anchors and aliases are expanded as far as the bounds allow, tags are those of the core
//! schema, there is one document, names are unique. Merge keys (`<<`), which YAML 1.2 has no more, are refused
//! rather than misread.
//!
//! Everything here takes time and memory in proportion to the size of the document.

mod alignment;
mod build;
mod limits;
mod scalar;
mod syntax;
mod tree;

pub(crate) use alignment::{place_inside, solid};
pub use limits::{
    MAX_ALIASES, MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_KEY_CHARACTERS, MAX_TASK_DATA, MAX_TEXT_BYTES, MAX_VALUES,
};
pub(crate) use tree::{Kind, NodeId, Tree, Weight};

use crate::problems::{Problems, Wording};
use crate::{Code, Place, Severity};

/// Reads a document. The problems say why, if there is no tree; there can be problems, duplicate names for example,
/// if there is one.
pub(crate) fn read<'t>(bytes: &'t [u8], problems: &mut Problems) -> Option<(&'t str, Tree)> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        refuse(problems, Code::DocumentTooLarge, Place::START, || {
            let message = format!("The document has {} bytes; at most {MAX_DOCUMENT_BYTES} are read.", bytes.len());
            (message, "Move data out of the definition, to the workflow's input or to a component.".into())
        });
        return None;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = &bytes[..error.valid_up_to()];
            let place = end_of(std::str::from_utf8(valid).expect("valid up to here"), 1);
            refuse(problems, Code::NotUtf8, place, || {
                let message = format!("The byte 0x{:02X} is not UTF-8 here.", bytes[error.valid_up_to()]);
                (message, "Save the document as UTF-8.".into())
            });
            return None;
        }
    };
    Some((text, build::build(text, problems)?))
}

/// The place behind a text.
fn end_of(text: &str, length: u32) -> Place {
    let last_line = text.rfind('\n').map_or(text, |at| &text[at + 1..]);
    Place {
        offset: text.len() as u32,
        length,
        line: 1 + text.bytes().filter(|b| *b == b'\n').count() as u32,
        column: 1 + last_line.chars().count() as u32,
    }
}

fn refuse(problems: &mut Problems, code: Code, place: Place, say: impl FnOnce() -> (String, String)) {
    problems.add(Severity::Error, code, place, || {
        let (message, help) = say();
        Wording { pointer: String::new(), message, help, related: None }
    });
}
