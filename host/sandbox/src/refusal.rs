//! Why a component cannot be used.

use serde::{Deserialize, Serialize};

/// Why a component cannot be used. Each message says what its author has to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum ComponentError {
    /// The file is larger than a component may be.
    #[error("the component has {size} bytes, and at most {limit} are allowed; strip debug information from it")]
    TooLarge {
        /// The size, in bytes.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The file is something else.
    #[error("this is not a WebAssembly component but {found}; {advice}")]
    NotAComponent {
        /// What it is.
        found: String,
        /// What to do about it.
        advice: String,
    },
    /// The file is a component, but not a valid one, or it uses something that hotcell does not allow.
    #[error("the component is not valid here: {reason}")]
    Invalid {
        /// What is wrong, and where.
        reason: String,
    },
    /// The component wants something from its host that a task does not get.
    #[error("the component imports {}, which tasks are not given; {advice}", list(.imports))]
    MissingImports {
        /// What it imports.
        imports: Vec<String>,
        /// What to do about it.
        advice: String,
    },
    /// The component is not a task.
    #[error(
        "the component has {reason} to call; it exports {}. A task exports `hotcell:task/handler@1.0.0`, as guest SDKs make it, \
         or is a WASI command, or exports a function with types that JSON can be mapped to",
        list(.exports)
    )]
    NotATask {
        /// What it exports.
        exports: Vec<String>,
        /// What is missing, or why what is there cannot be called.
        reason: String,
    },
    /// The component exports the interface of a task, but not as the contract has it.
    #[error(
        "the component's `hotcell:task/handler@1.0.0` is not that of the contract: {reason}. Rebuild it against \
         `wit/task.wit`"
    )]
    WrongType {
        /// How it differs.
        reason: String,
    },
    /// Compiling it takes more than it may: a compile bomb, or a component that is too large by far.
    #[error(
        "compiling the component takes {what}; split functions of megabytes, strip what is not called, or compile \
         it with less inlining"
    )]
    CompileLimit {
        /// What it takes too much of.
        what: String,
    },
    /// hotcell or the machine it runs on failed, not the component.
    #[error("hotcell could not prepare the component: {reason}")]
    Internal {
        /// What failed.
        reason: String,
    },
}

/// Names of imports or exports as a sentence wants them. A component can have thousands; ten are enough to see
/// what it is.
pub(crate) fn list(names: &[String]) -> String {
    const SHOWN: usize = 10;
    if names.is_empty() {
        return "nothing".into();
    }
    let shown: Vec<_> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
