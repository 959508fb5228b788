//! Which task may use which secret.

use hotcell_definition::TaskReference;

/// Decides which of the secrets that a workflow was granted its tasks may use. Asked when an expression or an authentication
/// needs one.
pub trait SecretGrants {
    /// Whether the task at this reference may use the secret of this name; without a reference, whether the workflow itself may,
    /// in its own `input`, `output` and `timeout`.
    fn grants(&self, secret: &str, task: Option<&TaskReference>) -> bool;
}
