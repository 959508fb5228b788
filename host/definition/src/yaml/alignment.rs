//! From a character of a scalar's value back to where it stands in the document.
//!
//! What YAML does to a scalar on its way into the tree, folding lines, removing indentation, resolving escapes,
//! changes blanks and spellings, but neither order nor number of the other characters. So they are counted.

use crate::Place;

/// Where a character that is no blank stands in a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spot {
    /// The byte at which it starts, in the scalar as it is written.
    start: usize,
    /// The byte behind it.
    end: usize,
}

/// How many characters of a text are no blanks.
pub(crate) fn solid(text: &str) -> usize {
    text.chars().filter(|c| !is_blank(*c)).count()
}

/// The character of a scalar that is no blank and has this number, from 0. The last one, if there are less; nothing, if
/// there is none. `written` is the scalar as it stands in the document, with its quotes or its header.
fn locate(written: &str, number: usize) -> Option<Spot> {
    let mut last = None;
    for (index, spot) in Spots::of(written).enumerate() {
        if index == number {
            return Some(spot);
        }
        last = Some(spot);
    }
    last
}

/// The place of some characters of a scalar, counted without blanks: from this number on, so many. If there are none, the
/// place is behind the last one, where something is missing.
pub(crate) fn place_inside(scalar: Place, document: &str, first: usize, count: usize) -> Place {
    let Some(written) = document.get(scalar.bytes()) else { return scalar };
    let number = if count == 0 { first.saturating_sub(1) } else { first };
    let (Some(start), Some(end)) = (locate(written, number), locate(written, first + count.saturating_sub(1))) else {
        return scalar;
    };
    let (start, end) = if count == 0 { (start.end, start.end) } else { (start.start, end.end) };
    let inside = &written[..start];
    let (lines, column) = match inside.rfind('\n') {
        None => (0, scalar.column as usize + inside.chars().count()),
        Some(at) => (inside.matches('\n').count(), 1 + inside[at + 1..].chars().count()),
    };
    Place {
        offset: scalar.offset + start as u32,
        length: end.saturating_sub(start) as u32,
        line: scalar.line + lines as u32,
        column: column as u32,
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

#[derive(PartialEq)]
enum Style {
    /// Plain scalars and block scalars: every character stands for itself.
    Bare,
    Single,
    Double,
}

/// The characters of a scalar that are no blanks.
struct Spots<'t> {
    written: &'t str,
    at: usize,
    style: Style,
}

impl<'t> Spots<'t> {
    fn of(written: &'t str) -> Self {
        let (style, at) = match written.as_bytes().first() {
            Some(b'\'') => (Style::Single, 1),
            Some(b'"') => (Style::Double, 1),
            // The header of a block scalar takes its line.
            Some(b'|' | b'>') => (Style::Bare, written.find('\n').map_or(written.len(), |at| at + 1)),
            _ => (Style::Bare, 0),
        };
        Spots { written, at, style }
    }

    /// What a backslash stands for, or nothing if that is a blank.
    fn escape(&mut self, start: usize) -> Option<Spot> {
        let kind = self.written[start + 1..].chars().next()?;
        let digits = match kind {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        let body = start + 1 + kind.len_utf8();
        self.at = (body + digits).min(self.written.len());
        while !self.written.is_char_boundary(self.at) {
            self.at += 1;
        }
        let code = self.written.get(body..self.at).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        // Two escapes, a surrogate each, are one character.
        if matches!(code, Some(0xd800..=0xdbff)) && self.written[self.at..].starts_with("\\u") {
            self.at = (self.at + 6).min(self.written.len());
            while !self.written.is_char_boundary(self.at) {
                self.at += 1;
            }
        }
        let blank = match kind {
            ' ' | '\t' | '\n' | '\r' | 't' | 'n' | 'r' => true,
            'x' | 'u' | 'U' => code.and_then(char::from_u32).is_some_and(is_blank),
            _ => false,
        };
        (!blank).then_some(Spot { start, end: self.at })
    }
}

impl Iterator for Spots<'_> {
    type Item = Spot;

    fn next(&mut self) -> Option<Spot> {
        loop {
            let start = self.at;
            let c = self.written[start..].chars().next()?;
            self.at += c.len_utf8();
            match (&self.style, c) {
                (_, c) if is_blank(c) => {}
                (Style::Single, '\'') => {
                    // Two are one; one is the end.
                    if !self.written[self.at..].starts_with('\'') {
                        self.at = self.written.len();
                        return None;
                    }
                    self.at += 1;
                    return Some(Spot { start, end: self.at });
                }
                (Style::Double, '"') => {
                    self.at = self.written.len();
                    return None;
                }
                (Style::Double, '\\') => {
                    if let Some(spot) = self.escape(start) {
                        return Some(spot);
                    }
                }
                _ => return Some(Spot { start, end: self.at }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The character that is found is the one that was looked for.
    fn found<'t>(written: &'t str, value: &str, looked_for: char) -> &'t str {
        let at = value.find(looked_for).unwrap();
        let spot = locate(written, solid(&value[..at])).unwrap();
        &written[spot.start..spot.end]
    }

    #[test]
    fn a_character_of_every_style_is_found_where_it_is_written() {
        for (written, value) in [
            ("a b # @ c", "a b # @ c"),
            ("a\n  b\n\n  @", "a b\n@"),
            ("'it''s @'", "it's @"),
            ("'a\n   b @'", "a b @"),
            (r#""a\"\\\n\t\u00e9 \x41@""#, "a\"\\\n\té A@"),
            (r#""\ud83d\ude00@""#, "😀@"),
            ("\"a \\\n   b @\"", "a b @"),
            ("|2-  # why\n  a\n    b: @\n", "a\n  b: @"),
            (">-\n  a\n  b\n\n  @\n", "a b\n@"),
            ("|\n  'it''s' \"\\n\" @\n", "'it''s' \"\\n\" @\n"),
        ] {
            assert_eq!(found(written, value, '@'), "@", "{written}");
        }
    }

    #[test]
    fn an_escape_is_found_as_a_whole() {
        assert_eq!(found(r#""x\u00e9""#, "xé", 'é'), r"\u00e9");
        assert_eq!(found("'it''s'", "it's", '\''), "''");
    }

    #[test]
    fn what_is_behind_the_end_is_the_last_character() {
        assert_eq!(locate("'ab '", 7), Some(Spot { start: 2, end: 3 }));
        assert_eq!(locate("''", 0), None);
        assert_eq!(locate("", 3), None);
        assert_eq!(locate("\"\\", 3), None);
        assert_eq!(locate("\"\\ué", 0).map(|spot| spot.start), Some(1));
    }
}
