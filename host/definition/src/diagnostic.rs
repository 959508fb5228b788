//! What is wrong with a document: codes, places, and what to do.

use serde::{Serialize, Serializer};

use crate::Place;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document is refused.
    Error,
    /// The document is accepted, but its author probably meant something else, or it is not portable.
    Warning,
}

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of problem it is. Stable: scripts may rely on it.
    pub code: Code,
    /// The JSON Pointer (RFC 6901) of the value that is wrong, or in which something is missing.
    pub pointer: String,
    /// Where it stands, for people and editors: line, column, bytes.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// Another place that belongs to the problem, the first of two equal keys for example.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub related: Option<Related>,
}

/// Another place that belongs to a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Related {
    /// What stands there.
    pub message: String,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {} ({})", self.place.line, self.place.column, self.message, self.code.as_str())
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])+ $name:ident = $text:literal,)+) => {
        /// What kind of problem a diagnostic reports. The text of a code never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])+ $name,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// The code as text, `unknown-field` for example.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$name => $text,)+
                }
            }
        }
    };
}

codes! {
    /// The document has more bytes than are read.
    DocumentTooLarge = "document-too-large",
    /// The document is not UTF-8.
    NotUtf8 = "not-utf8",
    /// The document is neither YAML nor JSON.
    InvalidYaml = "invalid-yaml",
    /// The document holds nothing.
    EmptyDocument = "empty-document",
    /// There is more than one YAML document in the text.
    SeveralDocuments = "several-documents",
    /// Values are nested deeper than is read.
    TooDeep = "too-deep",
    /// There are more values than are read, or aliases make them more than that.
    TooManyValues = "too-many-values",
    /// There are more aliases than are read.
    TooManyAliases = "too-many-aliases",
    /// An alias stands inside the value that it names.
    RecursiveAlias = "recursive-alias",
    /// A YAML tag outside the core schema, or one that its value does not fit.
    InvalidTag = "invalid-tag",
    /// Infinity and not-a-number, which JSON does not have.
    NumberNotFinite = "number-not-finite",
    /// Two entries of an object have the same name.
    DuplicateKey = "duplicate-key",
    /// A list or an object as the name of an entry.
    ComplexKey = "complex-key",
    /// The name of an entry has more characters than are read.
    KeyTooLong = "key-too-long",
    /// `<<`, which YAML 1.2 does not have.
    MergeKey = "merge-key",
    /// A field that must be present is not.
    MissingField = "missing-field",
    /// A field that the DSL does not have in this place.
    UnknownField = "unknown-field",
    /// A field that has no effect in this place.
    IgnoredField = "ignored-field",
    /// A value of another type than the field has.
    WrongType = "wrong-type",
    /// A value that is not among those that the field may have.
    InvalidValue = "invalid-value",
    /// Fields of which only one may be present.
    ConflictingFields = "conflicting-fields",
    /// An item of a list of named things that has no name, or several.
    NotOneName = "not-one-name",
    /// A form that the reference's prose shows and its schema refuses.
    NonstandardForm = "nonstandard-form",
    /// A task that says nothing about what it does.
    MissingTaskKind = "missing-task-kind",
    /// A task that says several things about what it does.
    SeveralTaskKinds = "several-task-kinds",
    /// Two tasks or cases of a list have the same name.
    DuplicateTaskName = "duplicate-task-name",
    /// A task that has the name of a flow directive, and thus cannot be the target of `then`.
    ReservedTaskName = "reserved-task-name",
    /// `then` names a task that does not stand in the same list.
    UnknownTask = "unknown-task",
    /// No way leads to the task.
    UnreachableTask = "unreachable-task",
    /// A `switch` without cases.
    EmptySwitch = "empty-switch",
    /// A `switch` with more than one case that has no `when`.
    SeveralDefaults = "several-defaults",
    /// A name that `use.authentications` does not have.
    UnknownAuthentication = "unknown-authentication",
    /// A name that `use.catalogs` does not have.
    UnknownCatalog = "unknown-catalog",
    /// A name that `use.errors` does not have.
    UnknownError = "unknown-error",
    /// A function that neither the DSL, `use.functions`, a catalog nor a URL has.
    UnknownFunction = "unknown-function",
    /// A name that `use.retries` does not have.
    UnknownRetry = "unknown-retry",
    /// A name that `use.secrets` does not have.
    UnknownSecret = "unknown-secret",
    /// A name that `use.timeouts` does not have.
    UnknownTimeout = "unknown-timeout",
    /// A function of `use.functions` that a built-in function of the same name hides.
    HiddenFunction = "hidden-function",
    /// A version of the DSL that is not supported.
    UnsupportedDsl = "unsupported-dsl",
    /// A version that is not a semantic version.
    InvalidVersion = "invalid-version",
    /// A name that has characters which it must not have.
    InvalidName = "invalid-name",
    /// The name of a variable that expressions could not use.
    InvalidVariableName = "invalid-variable-name",
    /// A variable with the name of a runtime expression argument, which it hides.
    HiddenArgument = "hidden-argument",
    /// Neither an object of time units, an ISO 8601 duration nor an expression; or too long, or negative.
    InvalidDuration = "invalid-duration",
    /// A cron expression that is none, or with a time zone that cannot be one.
    InvalidCron = "invalid-cron",
    /// A URI or URI template that cannot be one.
    InvalidUri = "invalid-uri",
    /// A number outside the range that it must be in.
    OutOfRange = "out-of-range",
    /// A `${` without its `}`.
    UnterminatedExpression = "unterminated-expression",
    /// A field that is an expression, with more than one `${ }`, or with text around it.
    NotOneExpression = "not-one-expression",
    /// An expression without content.
    EmptyExpression = "empty-expression",
    /// An expression that is not jq, or that uses a function that jq does not have.
    InvalidExpression = "invalid-expression",
    /// A variable that an expression does not have where it stands.
    UnknownVariable = "unknown-variable",
    /// A text of an event filter that looks like a regular expression and is none.
    InvalidRegularExpression = "invalid-regular-expression",
    /// A JSON Schema that is none.
    InvalidSchema = "invalid-schema",
    /// A workflow that `run: workflow` names and that no definition has.
    UnknownWorkflow = "unknown-workflow",
    /// Expressions that were not checked, as that would have taken too long.
    ExpressionsNotChecked = "expressions-not-checked",
    /// A component that does not export what is called, or cannot be called at all.
    ComponentNotCallable = "component-not-callable",
    /// A schedule with more than one trigger.
    SeveralTriggers = "several-triggers",
    /// In a policy: a value that allows more than the level above it.
    WiderThanAbove = "wider-than-above",
    /// There are more problems than are listed.
    MoreProblems = "more-problems",
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn every_code_is_written_in_kebab_case_and_only_once() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(
            texts.iter().all(|text| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'))
        );
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
    }
}
