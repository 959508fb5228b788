//! Regular expressions. jaq's own leave out the groups that took no part in a match, and count on groups to stand in the
//! order of the text, which `(?:(a)|(b))*` does not keep.

use std::rc::Rc;

use jaq_core::ValR;
use regex_bites::{Captures, Regex, RegexBuilder};

use crate::value::{Map, Number, Value, failed};

/// What is found in a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Find {
    /// The matches.
    Matches,
    /// The matches, and the texts between them.
    MatchesAndRest,
}

/// Each match is an array of objects: that of the whole match, then that of each group.
pub(crate) fn find(what: Find, text: &Value, pattern: &Value, flags: &Value) -> ValR<Value> {
    let (Value::String(text), Value::String(pattern)) = (text, pattern) else {
        let wrong = if matches!(text, Value::String(_)) { pattern } else { text };
        return failed(format_args!("{} cannot be matched, as it is not a string", wrong.described()));
    };
    let Value::String(flags) = flags else {
        return failed(format_args!("{} is not a string of flags", flags.described()));
    };
    let regex = compile(pattern, flags)?;
    let mut found = Vec::new();
    let mut place = Place { bytes: 0, characters: 0 };
    let mut rest = 0;
    for captures in regex.captures_iter(text) {
        let whole = captures.get(0).expect("a match has the whole");
        if whole.is_empty() && flags.contains('n') {
            continue;
        }
        if what == Find::MatchesAndRest {
            found.push(Value::text(&text[rest..whole.start()]));
            rest = whole.end();
        }
        place = place.advanced(text, whole.start());
        found.push(described(&regex, &captures, text, place));
        if !flags.contains('g') {
            break;
        }
    }
    if what == Find::MatchesAndRest {
        found.push(Value::text(&text[rest..]));
    }
    Ok(Value::array(found))
}

fn compile(pattern: &str, flags: &str) -> ValR<Regex, Value> {
    if let Some(unknown) = flags.chars().find(|flag| !"gnimslxp".contains(*flag)) {
        return failed(format_args!("{flags} is not a valid modifier string: there is no flag {unknown}"));
    }
    RegexBuilder::new(pattern)
        .case_insensitive(flags.contains('i'))
        .multi_line(flags.contains(['m', 'p']))
        .dot_matches_new_line(flags.contains(['s', 'p']))
        .swap_greed(flags.contains('l'))
        .ignore_whitespace(flags.contains('x'))
        .build()
        .or_else(|error| failed(format_args!("{pattern} is not a regular expression: {error}")))
}

/// A place in a text, counted in both ways.
#[derive(Clone, Copy)]
struct Place {
    bytes: usize,
    characters: usize,
}

impl Place {
    /// A later place. What was counted is not counted again.
    fn advanced(self, text: &str, bytes: usize) -> Place {
        Place { bytes, characters: self.characters + text[self.bytes..bytes].chars().count() }
    }
}

/// A match, which starts at this place. Its groups are within it.
fn described(regex: &Regex, captures: &Captures<'_>, text: &str, start: Place) -> Value {
    let groups = captures.iter().zip(regex.capture_names()).enumerate();
    let objects = groups.map(|(number, (group, name))| {
        let (offset, length, string) = match group {
            Some(group) => (
                Value::from(start.advanced(text, group.start()).characters),
                group.as_str().chars().count(),
                Value::text(group.as_str()),
            ),
            // It took no part in the match.
            None => (Value::Number(Number::Int(-1)), 0, Value::Null),
        };
        let mut members = vec![("offset", offset), ("length", Value::from(length)), ("string", string)];
        if number > 0 {
            members.push(("name", name.map_or(Value::Null, Value::text)));
        }
        Value::object(members.into_iter().map(|(name, value)| (Rc::new(name.to_owned()), value)).collect::<Map>())
    });
    objects.collect()
}
