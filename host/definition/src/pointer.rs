//! JSON Pointers (RFC 6901), segment by segment.

/// A JSON Pointer that is being written.
#[derive(Default)]
pub(crate) struct Pointer(pub(crate) String);

impl Pointer {
    /// One more segment: a name, which is escaped.
    pub(crate) fn name(&mut self, name: &str) {
        self.0.push('/');
        for c in name.chars() {
            match c {
                '~' => self.0.push_str("~0"),
                '/' => self.0.push_str("~1"),
                c => self.0.push(c),
            }
        }
    }

    /// One more segment: an index, from 0.
    pub(crate) fn index(&mut self, index: usize) {
        self.0.push('/');
        self.0.push_str(&index.to_string());
    }
}

/// The segments of a JSON Pointer, without their escapes.
pub(crate) fn segments(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"))
}
