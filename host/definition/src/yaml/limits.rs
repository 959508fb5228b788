//! What is read at most, and the attack that each bound answers.

/// Bytes of a document: 4 MiB. Checked before anything is parsed, so that a scalar of 100 MB costs nothing.
pub const MAX_DOCUMENT_BYTES: usize = 4 * 1024 * 1024;

/// How deep values may be nested: 100. Answers `[[[[…`, `- - - -…` and aliases of aliases, on which anything that
/// walks the tree by recursion, the dropping of a JSON value included, would overflow the stack.
pub const MAX_DEPTH: usize = 100;

/// Values in a document, those included that aliases repeat: 250,000. Answers alias bombs ("billion laughs") and
/// documents that consist of `-` only, of which each byte becomes a value of a hundred bytes.
pub const MAX_VALUES: u64 = 250_000;

/// Bytes of text in all values and keys, those included that aliases repeat: 8 MiB. Answers a large scalar with many
/// aliases, which has few values.
pub const MAX_TEXT_BYTES: u64 = 8 * 1024 * 1024;

/// Aliases in a document: 10,000.
pub const MAX_ALIASES: usize = 10_000;

/// Characters of a key: 1,024, which is YAML's own bound for keys without `?`. JSON Pointers repeat keys; this keeps
/// them short.
pub const MAX_KEY_CHARACTERS: usize = 1_024;

/// What the definitions of all tasks together may hold, each of which is kept as plain data (`$task.definition`):
/// twice [`MAX_VALUES`] and twice [`MAX_TEXT_BYTES`]. Answers tasks in tasks in tasks, whose innermost data would be
/// kept once for each level.
pub const MAX_TASK_DATA: u64 = 2;
