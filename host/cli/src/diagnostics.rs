//! Diagnostics for people: the source line, and a caret under what is wrong.

use std::fmt;

use hotcell_definition::{Diagnostic, Severity};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

use crate::drawing::{printable, printable_in_place};

/// The diagnostics as text, one after the other, with colours if the terminal has them.
pub(crate) fn render(file: &str, source: &str, diagnostics: &[Diagnostic]) -> String {
    let source = NamedSource::new(printable(file), printable_in_place(source));
    let colours = console::colors_enabled_stderr();
    let theme = if colours { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let width = usize::from(console::Term::stderr().size().1).clamp(60, 120);
    let handler = GraphicalReportHandler::new_themed(theme).with_width(width).with_links(false);
    let mut text = String::new();
    for diagnostic in diagnostics {
        handler
            .render_report(&mut text, &Report { diagnostic, source: &source })
            .expect("writing to a string does not fail");
    }
    text
}

/// A diagnostic as miette wants it.
#[derive(Debug)]
struct Report<'a> {
    diagnostic: &'a Diagnostic,
    source: &'a NamedSource<String>,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.diagnostic.message))
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn code(&self) -> Option<Box<dyn fmt::Display + '_>> {
        Some(Box::new(self.diagnostic.code.as_str()))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help(&self) -> Option<Box<dyn fmt::Display + '_>> {
        Some(Box::new(printable(&self.diagnostic.help)))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let main = LabeledSpan::new_primary_with_span(None, self.diagnostic.place.bytes());
        let related = self
            .diagnostic
            .related
            .iter()
            .map(|related| LabeledSpan::new_with_span(Some(printable(&related.message)), related.place.bytes()));
        Some(Box::new(std::iter::once(main).chain(related)))
    }
}
