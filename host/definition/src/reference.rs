//! Where a task stands in its definition.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The JSON Pointer (RFC 6901) of a task, as the specification uses it: `/do/0/fetch`, `/do/1/t/try/0/x`,
/// `/do/2/f/fork/branches/1/b`. Names are escaped: `~` as `~0`, `/` as `~1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskReference(String);

impl TaskReference {
    /// The reference of the definition itself, the empty pointer.
    pub fn root() -> Self {
        TaskReference(String::new())
    }

    /// This reference with one more segment, which is escaped here.
    pub fn join(&self, segment: &str) -> Self {
        let mut text = String::with_capacity(self.0.len() + segment.len() + 1);
        text.push_str(&self.0);
        text.push('/');
        for c in segment.chars() {
            match c {
                '~' => text.push_str("~0"),
                '/' => text.push_str("~1"),
                c => text.push(c),
            }
        }
        TaskReference(text)
    }

    /// This reference with an index as one more segment.
    pub fn index(&self, index: usize) -> Self {
        TaskReference(format!("{}/{index}", self.0))
    }

    /// Another reference, which starts where this one ends.
    pub fn append(&self, inner: &TaskReference) -> Self {
        TaskReference([self.as_str(), inner.as_str()].concat())
    }

    /// The pointer as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_as_rfc_6901_says() {
        let reference = TaskReference::root().join("do").index(0).join("a/b~c");
        assert_eq!(reference.as_str(), "/do/0/a~1b~0c");
    }
}
