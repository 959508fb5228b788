//! Patterns: of names, and of places in a definition.

use std::fmt;

/// The longest pattern, in bytes: matching takes at most its length times that of what is matched.
pub(crate) const MAX_PATTERN: usize = 256;

/// A name, or several: `*` stands for any characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Box<str>);

impl Pattern {
    /// The pattern that this text is, unless it is empty or too long.
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty() && text.len() <= MAX_PATTERN).then(|| Pattern(text.into()))
    }

    /// Whether the name is meant.
    pub fn matches(&self, name: &str) -> bool {
        glob(self.0.as_bytes(), name.as_bytes())
    }

    /// Whether every name that `self` means is certainly meant by the other. Says no where that is not easy to see.
    pub fn is_within(&self, other: &Pattern) -> bool {
        // A star matches the byte of a star as it matches any other, and nothing else does but itself.
        self == other || glob(other.0.as_bytes(), self.0.as_bytes())
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text matches, where `*` stands for any bytes. Goes back to the last star only, so that the time is bounded by the
/// product of both lengths.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(byte) if *byte == text[read] => {
                at += 1;
                read += 1;
            }
            _ => match &mut star {
                Some((place, taken)) => {
                    *taken += 1;
                    (at, read) = (*place + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// Tasks of a definition, by name or by reference. What is said of a task is said of the tasks inside it, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskPattern {
    /// Tasks with this name, wherever they stand.
    Named(Pattern),
    /// Tasks at this reference: `/do/0/charge`, `/do/*/charge`; `**` stands for any number of segments.
    At(Vec<Segment>),
}

/// One segment of a pattern of references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// `**`
    Any,
    /// One segment.
    One(Pattern),
}

impl TaskPattern {
    /// Reads a name, or a reference, which begins with a slash.
    pub fn new(text: &str) -> Option<Self> {
        let Some(reference) = text.strip_prefix('/') else { return Pattern::new(text).map(TaskPattern::Named) };
        if text.len() > MAX_PATTERN {
            return None;
        }
        let segment = |text| match text {
            "**" => Some(Segment::Any),
            text => Pattern::new(text).map(Segment::One),
        };
        reference.split('/').map(segment).collect::<Option<Vec<_>>>().map(TaskPattern::At)
    }

    /// Whether the task at this reference is meant, or one that it stands in.
    pub fn matches(&self, reference: &str) -> bool {
        match self {
            TaskPattern::Named(name) => names(reference).any(|found| name.matches(&found)),
            TaskPattern::At(segments) => {
                let reference: Vec<&str> = reference.split('/').skip(1).collect();
                matches_beginning(segments, &reference)
            }
        }
    }
}

/// The names of a task and of those it stands in: what follows the number in a list.
fn names(reference: &str) -> impl Iterator<Item = String> {
    let mut after_number = false;
    reference.split('/').skip(1).filter_map(move |segment| {
        let is_name = after_number;
        after_number = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
        is_name.then(|| segment.replace("~1", "/").replace("~0", "~"))
    })
}

/// Whether the pattern matches the segments, or the first of them. One row of a table, for each segment of the pattern.
fn matches_beginning(pattern: &[Segment], reference: &[&str]) -> bool {
    // Behind how many segments of the reference the pattern so far can end.
    let mut ends = vec![false; reference.len() + 1];
    ends[0] = true;
    for segment in pattern {
        match segment {
            Segment::Any => {
                let mut reached = false;
                for end in &mut ends {
                    reached |= *end;
                    *end = reached;
                }
            }
            Segment::One(pattern) => {
                for at in (1..ends.len()).rev() {
                    ends[at] = ends[at - 1] && pattern.matches(reference[at - 1]);
                }
                ends[0] = false;
            }
        }
    }
    ends.contains(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text).unwrap()
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        for (text, yes, no) in [
            ("charge", "charge", "charges"),
            ("db-*", "db-", "d"),
            ("*-key", "api-key", "api-keys"),
            ("shop/*", "shop/orders", "shops/orders"),
            ("a*b*c", "aXbXbc", "aXbX"),
            ("*", "", ""),
        ] {
            assert!(pattern(text).matches(yes), "{text} {yes}");
            assert!(text == "*" || !pattern(text).matches(no), "{text} {no}");
        }
    }

    #[test]
    fn a_pattern_with_many_stars_takes_no_time() {
        assert!(!pattern(&"*a".repeat(120)).matches(&"a".repeat(100_000).replace("aaaaaaaaaa", "b")));
    }

    #[test]
    fn patterns_know_which_of_them_is_narrower() {
        for (narrow, wide) in [("a", "*"), ("a*", "*"), ("db-1", "db-*"), ("db-*-x", "db-*"), ("*", "*")] {
            assert!(pattern(narrow).is_within(&pattern(wide)), "{narrow} {wide}");
        }
        for (wide, narrow) in [("*", "a*"), ("a*", "a"), ("*a", "a*"), ("**", "*x")] {
            assert!(!pattern(wide).is_within(&pattern(narrow)), "{wide} {narrow}");
        }
    }

    #[test]
    fn a_task_is_meant_by_its_name_its_reference_and_by_what_it_stands_in() {
        let reference = "/do/1/pay/try/0/charge";
        for text in
            ["charge", "pay", "ch*", reference, "/do/1/pay", "/do/*/pay", "/**/charge", "/do/**", "/**/0/charge"]
        {
            assert!(TaskPattern::new(text).unwrap().matches(reference), "{text}");
        }
        for text in ["do", "try", "0", "1", "/do/0/pay", "/**/refund", "/do/1/pay/try/0/charge/do/0/x", "/charge"] {
            assert!(!TaskPattern::new(text).unwrap().matches(reference), "{text}");
        }
        assert!(TaskPattern::new("a/b").unwrap().matches("/do/0/a~1b"));
        assert_eq!(TaskPattern::new(""), None);
        assert_eq!(TaskPattern::new("/do//x"), None);
    }

    #[test]
    fn the_workflow_itself_is_no_task() {
        assert!(!TaskPattern::new("*").unwrap().matches(""));
        assert!(!TaskPattern::new("/do/*").unwrap().matches(""));
    }
}
