//! Names and versions, and which characters they may have.

use crate::problems::quote;
use crate::reader::{Node, Object};
use crate::{Code, VersionRange};

/// The runtime expression arguments of the specification.
const ARGUMENTS: [&str; 8] = ["context", "input", "output", "secrets", "authorization", "task", "workflow", "runtime"];

/// A namespace or name: `^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$`
pub(super) fn workflow_name(node: Node<'_>) -> Option<String> {
    let name = node.string()?;
    let inner = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let edges = name.starts_with(|c: char| c != '-') && name.ends_with(|c: char| c != '-');
    if inner && edges && name.len() <= 63 {
        return Some(name.into());
    }
    node.error(Code::InvalidName, || {
        let message = format!("`{}` is not a name for a workflow or a namespace.", quote(name));
        (message, "Use letters, digits and, between them, hyphens; at most 63 characters.".into())
    })
}

/// The version of the DSL. Every 1.x is read, as minor versions only add.
pub(super) fn dsl_version(node: Node<'_>) -> Option<String> {
    let version = semantic_version(node)?;
    if version.major == 1 {
        return Some(version.to_string());
    }
    node.error(Code::UnsupportedDsl, || {
        (format!("The version {version} of the DSL is not supported."), "Write the document for 1.0.3.".into())
    })
}

/// A semantic version.
pub(super) fn semantic_version(node: Node<'_>) -> Option<semver::Version> {
    let text = node.string()?;
    semver::Version::parse(text).ok().or_else(|| {
        node.error(Code::InvalidVersion, || {
            let message = format!("`{}` is not a semantic version.", quote(text));
            (message, "Write three numbers, as in '1.0.3', and behind them a `-pre.release` if you like.".into())
        })
    })
}

/// The version of another workflow. Chosen: beside an exact one and `latest`, it may be a range.
pub(super) fn version_range(node: Node<'_>) -> Option<String> {
    let text = node.string()?;
    if VersionRange::parse(text).is_ok() {
        return Some(text.into());
    }
    node.error(Code::InvalidVersion, || {
        let message = format!("`{}` is neither a semantic version nor a range of them.", quote(text));
        (message, "Write a version like '1.0.3', a range like '^1.2', or `latest`.".into())
    })
}

/// The variable that a field names, or the usual one. A name that is wrong has been reported then, and is bound all the
/// same, without its `$`: what uses it is not wrong once more.
pub(super) fn variable_or(object: Object<'_>, field: &str, usual: &str) -> String {
    let Some(node) = object.get(field) else { return usual.into() };
    let written = || node.as_str().map_or(usual, |name| name.strip_prefix('$').unwrap_or(name));
    variable(node).unwrap_or_else(|| written().into())
}

/// The name of a variable, as jq has them, without its `$`.
pub(super) fn variable(node: Node<'_>) -> Option<String> {
    let name = node.string()?;
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !first || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return node.error(Code::InvalidVariableName, || {
            let help = match name.strip_prefix('$') {
                Some(bare) => format!("Write `{}`, without the `$`.", quote(bare)),
                None => "Use letters, digits and `_`, and no digit at the beginning.".into(),
            };
            (format!("Expressions cannot use a variable that is called `{}`.", quote(name)), help)
        });
    }
    if ARGUMENTS.contains(&name) {
        node.warn(Code::HiddenArgument, || {
            (format!("This variable hides the argument `${name}`."), "Use another name.".into())
        });
    }
    Some(name.into())
}
