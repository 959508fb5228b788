//! Where in an input a value stands.

use std::fmt;

/// The place of a value: `$.order.items[3].price`. It is made on the way down and costs nothing until it is shown.
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

enum Step<'a> {
    Root,
    Member(&'a str),
    Element(usize),
}

impl<'a> Path<'a> {
    /// The whole input.
    pub(super) fn root() -> Self {
        Path { parent: None, step: Step::Root }
    }

    /// A member of an object.
    pub(super) fn member(&'a self, name: &'a str) -> Path<'a> {
        Path { parent: Some(self), step: Step::Member(name) }
    }

    /// An element of an array.
    pub(super) fn element(&'a self, index: usize) -> Path<'a> {
        Path { parent: Some(self), step: Step::Element(index) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Root => f.write_str("$"),
            Step::Member(name) if is_plain(name) => write!(f, ".{name}"),
            Step::Member(name) => write!(f, "[{name:?}]"),
            Step::Element(index) => write!(f, "[{index}]"),
        }
    }
}

/// Names as WIT has them, and as most people write theirs.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_as_people_write_it() {
        let root = Path::root();
        let items = root.member("items");
        assert_eq!(items.element(3).member("price").to_string(), "$.items[3].price");
        assert_eq!(root.member("unit-price").to_string(), "$.unit-price");
        assert_eq!(root.member("a b\"").to_string(), r#"$["a b\""]"#);
    }
}
