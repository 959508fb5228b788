//! Where something stands in a document.

use serde::Serialize;

/// A place in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// The first byte, from 0.
    pub offset: u32,
    /// How many bytes. 0 at the end of a document.
    pub length: u32,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl Place {
    /// The first character of a document.
    pub(crate) const START: Place = Place { offset: 0, length: 0, line: 1, column: 1 };

    /// The bytes of the place, as a range for slicing the document.
    pub fn bytes(&self) -> std::ops::Range<usize> {
        self.offset as usize..self.offset as usize + self.length as usize
    }
}
