//! The parser's errors in words for authors of workflows.

use granit_parser::{ErrorKind, ScanError};

use super::limits::MAX_DEPTH;
use crate::Code;

/// Code, message and help of a syntax error in a line.
pub(super) fn explain(error: &ScanError, line: &str) -> (Code, String, String) {
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        return (
            Code::TooDeep,
            format!("Values are nested deeper than {MAX_DEPTH} here."),
            "Move inner tasks or data to a workflow of their own.".into(),
        );
    }
    // The braces, colons and quotes of jq are YAML's too.
    let help = match error.kind() {
        _ if line.contains("${") && !line.contains("'${") => {
            "Put the expression in quotes, '${ … }', as it holds characters that have a meaning in YAML."
        }
        kind => help(kind),
    };
    (Code::InvalidYaml, message(error.kind()), help.into())
}

fn message(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::UnclosedFlowCollection { open } => format!("The `{open}` that is open here is never closed."),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => format!("`{close}` closes what `{open}` has opened."),
        ErrorKind::UnclosedQuotedScalar => "A quote is never closed.".into(),
        ErrorKind::UnknownAnchor => "There is no anchor of this name before the alias.".into(),
        ErrorKind::MappingValueNotAllowed => "A `:` with a value cannot stand here.".into(),
        ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation | ErrorKind::TabNotAllowed => {
            "A tab stands where YAML takes blanks only.".into()
        }
        kind => format!("This is not valid YAML: {kind}."),
    }
}

fn help(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabNotAllowed
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => "Indent with blanks.",
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::BlockSequenceEntryNotAllowed => {
            "Compare the indentation with the lines before: what belongs together starts in the same column."
        }
        ErrorKind::MappingValueNotAllowed | ErrorKind::MappingKeyNotAllowed => {
            "Check the indentation; quote the value if it holds `: `, as expressions may."
        }
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::InvalidTrailingSingleQuotedScalar
        | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            "Close the quote; inside '…' write a quote twice, inside \"…\" write \\\"."
        }
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::MismatchedFlowCollectionEnd { .. }
        | ErrorKind::MisplacedFlowCollectionEnd
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator => {
            "Check brackets and commas; quote values that hold one of `[]{},`, as expressions do."
        }
        ErrorKind::UnexpectedCharacter { .. } => "Quote values that begin with a special character: '@…', '`…', '%…'.",
        ErrorKind::UnknownQuotedScalarEscape => "Write \\\\ for a backslash, or use '…', in which it has no meaning.",
        ErrorKind::UnknownAnchor => {
            "Define it before with `&`, or quote the value if its `*` is meant literally: '*.example.com'."
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            "A key needs `: ` behind it, on the same line; check the indentation of what follows."
        }
        ErrorKind::UndeclaredTagHandle | ErrorKind::InvalidGlobalTagCharacter | ErrorKind::MissingTagUri => {
            "Quote the value if its `!` is meant literally."
        }
        _ => "Correct it here or in the line before; quotes around a value help where it holds special characters.",
    }
}
