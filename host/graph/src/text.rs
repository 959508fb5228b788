//! Pieces of a document, short and on one line.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The widest piece of text in a picture, in columns.
pub(crate) const MAX_COLUMNS: usize = 44;

/// The text on one line, without characters that are not seen, cut after [`MAX_COLUMNS`].
pub(crate) fn short(text: &str) -> String {
    let mut shown = String::new();
    let mut columns = 0;
    let mut blank = false;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            blank = !shown.is_empty();
            continue;
        }
        // Marks that change the direction of what follows have no width, and would turn the picture around.
        let Some(width @ 1..) = c.width() else { continue };
        if columns + width + usize::from(blank) > MAX_COLUMNS - 1 {
            shown.push('…');
            break;
        }
        if std::mem::take(&mut blank) {
            shown.push(' ');
            columns += 1;
        }
        shown.push(c);
        columns += width;
    }
    shown
}

/// How many columns a text takes.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_and_stand_on_one_line() {
        assert_eq!(short("  a\n\tb  "), "a b");
        assert_eq!(short("\u{202e}abc\u{0}"), "abc");
        assert_eq!(columns(&short(&"x".repeat(1_000_000))), MAX_COLUMNS);
        assert!(columns(&short(&"語".repeat(100))) <= MAX_COLUMNS);
    }
}
