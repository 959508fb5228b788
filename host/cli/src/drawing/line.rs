//! Lines of text in tones.

use std::fmt::Write as _;

use console::Style;

use super::text;

/// How a piece of text looks, by what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    /// What a person looks for first.
    Strong,
    /// What is there for those who look twice.
    Faint,
    /// What runs.
    Active,
    Good,
    Bad,
    /// A failure that something took care of, or that is attempted again.
    Warning,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Tone::Plain => Style::new(),
            Tone::Strong => Style::new().bold(),
            Tone::Faint => Style::new().dim(),
            Tone::Active => Style::new().cyan(),
            Tone::Good => Style::new().green(),
            Tone::Bad => Style::new().red(),
            Tone::Warning => Style::new().yellow(),
        }
    }
}

/// One line. Its texts are clean (see [`text::clean`]).
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    spans: Vec<(Tone, String)>,
    width: usize,
}

impl Line {
    pub(super) fn new() -> Self {
        Line::default()
    }

    /// The line with more text.
    pub(super) fn with(mut self, tone: Tone, text: impl Into<String>) -> Self {
        self.push(tone, text);
        self
    }

    pub(super) fn push(&mut self, tone: Tone, text: impl Into<String>) {
        let text = text.into();
        self.width += text::width(&text);
        self.spans.push((tone, text));
    }

    /// Adds one more part of several, which points separate.
    pub(super) fn part(&mut self, tone: Tone, text: impl Into<String>) {
        if !self.spans.is_empty() {
            self.push(Tone::Faint, " · ");
        }
        self.push(tone, text);
    }

    /// The line with another one behind it.
    pub(super) fn with_all(mut self, other: Line) -> Self {
        self.append(other);
        self
    }

    pub(super) fn append(&mut self, other: Line) {
        self.width += other.width;
        self.spans.extend(other.spans);
    }

    /// Fills up with spaces to this column.
    pub(super) fn pad(&mut self, column: usize) {
        if let Some(missing) = column.checked_sub(self.width) {
            self.push(Tone::Plain, " ".repeat(missing));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The line in at most that many columns, without white space at its end.
    pub(super) fn write(&self, columns: usize, colours: bool) -> String {
        let mut written = String::new();
        let cut = self.width > columns;
        // An ellipsis needs a column of its own.
        let Some(mut room) = columns.checked_sub(usize::from(cut)) else { return written };
        for (tone, text) in &self.spans {
            let shown = text::prefix(text, room);
            room -= text::width(shown);
            let ends_here = cut && shown.len() < text.len();
            let mut shown = shown.to_owned();
            if ends_here {
                shown.push('…');
            }
            if shown.trim().is_empty() || *tone == Tone::Plain || !colours {
                written.push_str(&shown);
            } else {
                let _ = write!(written, "{}", tone.style().force_styling(true).apply_to(shown));
            }
            if ends_here {
                break;
            }
        }
        written.truncate(written.trim_end().len());
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_does_not_fit_ends_in_an_ellipsis() {
        let line = Line::new().with(Tone::Bad, "✗ ").with(Tone::Plain, "price").with(Tone::Faint, " 12ms");
        assert_eq!(line.write(12, false), "✗ price 12ms");
        assert_eq!(line.write(11, false), "✗ price 12…");
        assert_eq!(line.write(7, false), "✗ pric…");
        assert_eq!(line.write(2, false), "✗…");
        assert_eq!(line.write(0, false), "");
        assert_eq!(line.write(7, true), "\u{1b}[31m✗ \u{1b}[0mpric…");
    }
}
