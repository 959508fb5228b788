//! Which versions of something are meant: an exact one, the latest, or the highest of a range.

use semver::{Version, VersionReq};

/// Which versions of a workflow are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionRange {
    /// `latest`: the highest.
    Latest,
    /// `1.2.3`
    Exactly(Version),
    /// `^1.2`, `~1.2.3`, `1.x`, `>=1 <2`, `1.0.0 || ^2`: any of these.
    Range(Vec<VersionReq>),
}

impl VersionRange {
    /// Reads one.
    ///
    /// # Errors
    /// Why the text is none.
    pub fn parse(text: &str) -> Result<Self, semver::Error> {
        let text = text.trim();
        if text == "latest" {
            return Ok(VersionRange::Latest);
        }
        if let Ok(version) = Version::parse(text) {
            return Ok(VersionRange::Exactly(version));
        }
        let alternatives = text.split("||").map(|range| VersionReq::parse(&with_commas(range)));
        alternatives.collect::<Result<_, _>>().map(VersionRange::Range)
    }

    /// The place of the highest of these versions, which are in ascending order, that is meant. A version that is not
    /// released yet, `2.0.0-rc.1`, is the latest only if there is no other.
    pub fn highest<'v>(
        &self,
        versions: impl DoubleEndedIterator<Item = &'v Version> + ExactSizeIterator,
    ) -> Option<usize> {
        let mut last = None;
        for (place, version) in versions.enumerate().rev() {
            let meant = match self {
                VersionRange::Latest => version.pre.is_empty(),
                VersionRange::Exactly(exact) => version == exact,
                VersionRange::Range(ranges) => ranges.iter().any(|range| range.matches(version)),
            };
            if meant {
                return Some(place);
            }
            last = last.or(Some(place));
        }
        last.filter(|_| matches!(self, VersionRange::Latest))
    }
}

/// `>= 1 <2` as the library reads it: `>=1, <2`.
fn with_commas(range: &str) -> String {
    let mut text = String::new();
    for word in range.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()) {
        let after_operator = text.ends_with(['<', '>', '=', '^', '~']);
        if !text.is_empty() && !after_operator {
            text.push_str(", ");
        }
        text.push_str(word);
    }
    if text.is_empty() { "*".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(range: &str, version: &str) -> bool {
        let version = Version::parse(version).unwrap();
        VersionRange::parse(range).unwrap().highest([&version].into_iter()) == Some(0)
    }

    #[test]
    fn ranges_are_read_as_people_write_them() {
        for (range, inside, outside) in [
            ("^1.2", "1.9.0", "1.1.9"),
            ("~1.2.3", "1.2.9", "1.3.0"),
            ("1.x", "1.0.0", "2.0.0"),
            ("1.*", "1.5.2", "0.9.0"),
            ("1", "1.5.2", "2.0.0"),
            (">=1 <2", "1.9.9", "2.0.0"),
            (">= 1.2, < 1.4", "1.3.0", "1.4.0"),
            ("1.0.0 || ^2", "2.1.0", "3.0.0"),
            ("1.2.3", "1.2.3", "1.2.4"),
            ("^1.2", "1.2.0", "1.3.0-rc.1"),
        ] {
            assert!(matches(range, inside), "{inside} is in {range}");
            assert!(!matches(range, outside), "{outside} is not in {range}");
        }
        assert!(matches("*", "7.0.0") && matches("latest", "0.0.1"));
        assert!(VersionRange::parse("newest").is_err());
    }

    #[test]
    fn the_highest_is_meant_and_the_latest_is_released() {
        let versions = ["1.0.0", "1.4.2", "2.0.0", "3.0.0-rc.1"].map(|text| Version::parse(text).unwrap());
        let highest = |range: &str| VersionRange::parse(range).unwrap().highest(versions.iter());
        assert_eq!(highest("latest"), Some(2));
        assert_eq!(highest("^1"), Some(1));
        assert_eq!(highest("3.0.0-rc.1"), Some(3));
        assert_eq!(highest("^4"), None);
        assert_eq!(VersionRange::Latest.highest(versions[3..].iter()), Some(0));
        assert_eq!(VersionRange::Latest.highest(versions[..0].iter()), None);
    }
}
