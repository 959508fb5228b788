//! Text that tenants wrote, made fit for a terminal.
//!
//! Names, messages, log lines and problems come from definitions and components. Written as they are, they could
//! move the cursor, change the title of the window, fill the clipboard, or turn the reading order of a line.

use unicode_width::UnicodeWidthChar;

/// How many bytes of a text are looked at, for each character that is wanted. What lies beyond is not shown anyway, and a
/// log line may have megabytes.
const BYTES_PER_CHAR: usize = 16;

/// One line of at most `most` characters, without anything that a terminal acts on: escape sequences and control
/// characters go, and so do marks that turn the reading order or have no width. White space of any kind and
/// length becomes one space. An ellipsis stands for what is cut.
pub(super) fn clean(text: &str, most: usize) -> String {
    let looked_at = head(text, most.saturating_mul(BYTES_PER_CHAR));
    let mut cleaned = String::with_capacity(looked_at.len().min(most));
    let mut count = 0;
    let mut cut = looked_at.len() < text.len();
    let mut space = false;
    let mut marks = 0;
    for c in console::strip_ansi_codes(looked_at).chars() {
        if c.is_whitespace() {
            space = !cleaned.is_empty();
            continue;
        }
        if is_dangerous(c) {
            continue;
        }
        // A letter with a hundred accents covers the lines above it.
        marks = if width_of(c) == 0 { marks + 1 } else { 0 };
        if marks > 2 {
            continue;
        }
        if count + usize::from(space) >= most {
            cut = true;
            break;
        }
        if std::mem::take(&mut space) {
            cleaned.push(' ');
            count += 1;
        }
        cleaned.push(c);
        count += 1;
    }
    if cut {
        cleaned.push('…');
    }
    cleaned
}

/// The whole text, with a sign in place of each character that a terminal would act on. For what is not drawn.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if is_dangerous(c) && c != '\n' { '\u{FFFD}' } else { c }).collect()
}

/// The same for text in which places are counted in bytes, which stay where they are. Tabs stay too.
pub(crate) fn printable_in_place(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        if is_dangerous(c) && !matches!(c, '\n' | '\r' | '\t') {
            printable.extend(std::iter::repeat_n('?', c.len_utf8()));
        } else {
            printable.push(c);
        }
    }
    printable
}

/// The columns that a text takes, at most: each character by itself, as terminals disagree about sequences.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

/// The text if it fits into that many columns, or else its beginning and an ellipsis.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    match columns.checked_sub(1) {
        Some(room) => format!("{}…", prefix(text, room)),
        None => String::new(),
    }
}

/// As much of the beginning of a text as fits into that many columns.
pub(super) fn prefix(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, c)| {
        used += width_of(*c);
        used > columns
    });
    end.map_or(text, |(at, _)| &text[..at])
}

fn width_of(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// The first bytes of a text, at most that many, without a broken character.
fn head(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// Characters that do something instead of showing something.
fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Soft hyphen, Arabic letter mark, Mongolian vowel separator.
            '\u{AD}' | '\u{61C}' | '\u{180E}'
            // Zero-width spaces and joiners, direction marks. Terminals disagree about the width of what is joined.
            | '\u{200B}'..='\u{200F}'
            // Line and paragraph separators, direction overrides (CVE-2021-42574) and isolates, invisible operators.
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            // Variation selectors, which change widths; byte order mark, annotations; tags, which hide text.
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_taken_out() {
        let hostile = "\x1b[2J\x1b]0;title\x07red\x1b[31m\u{9b}31m \u{202e}gnp.exe\r\n\tnext\u{200b}\x7f\x1b";
        let cleaned = clean(hostile, 100);
        assert!(cleaned.chars().all(|c| !is_dangerous(c)), "{cleaned:?}");
        assert!(cleaned.starts_with("red") && cleaned.ends_with("gnp.exe next"), "{cleaned:?}");
    }

    #[test]
    fn what_is_not_drawn_is_printable_too_and_keeps_its_lines() {
        assert_eq!(printable("a\x1b[2J\nb\u{202e}"), "a\u{FFFD}[2J\nb\u{FFFD}");
        let hostile = "a: \u{202e}x\r\n\tb";
        assert_eq!(printable_in_place(hostile), "a: ???x\r\n\tb");
        assert_eq!(printable_in_place(hostile).len(), hostile.len());
    }

    #[test]
    fn a_letter_keeps_two_accents_and_loses_the_others() {
        assert_eq!(clean(&format!("e{}x", "\u{301}".repeat(50)), 10), "e\u{301}\u{301}x");
    }

    #[test]
    fn a_text_is_cut_at_its_cap_and_says_so() {
        assert_eq!(clean("abcdef", 6), "abcdef");
        assert_eq!(clean("abcdefg", 6), "abcdef…");
        assert_eq!(clean(&"\u{1}".repeat(1_000_000), 6), "…");
    }

    #[test]
    fn a_text_is_cut_by_the_columns_that_it_takes() {
        assert_eq!(cut("価格計算", 8), "価格計算");
        assert_eq!(cut("価格計算", 7), "価格計…");
        assert_eq!(cut("価格計算", 6), "価格…");
        assert_eq!(cut("ab", 0), "");
    }
}
