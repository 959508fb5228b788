//! Durations, inline, as ISO 8601, or computed.

use super::Expression;

/// A duration. Those with years or months are calendar durations, and end at a date, not after a fixed time.
#[derive(Debug, Clone, PartialEq)]
pub enum Duration {
    /// `{ seconds: 10 }` or `PT10S`. Never negative.
    Literal(Span),
    /// `${ … }`, which yields either form.
    Expression(Expression),
}

/// A length of time on the calendar and the clock, as `jiff` has it, compared field by field.
#[derive(Debug, Clone, Copy)]
pub struct Span(pub jiff::Span);

impl PartialEq for Span {
    fn eq(&self, other: &Self) -> bool {
        self.0.fieldwise() == other.0.fieldwise()
    }
}
