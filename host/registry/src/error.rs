//! Why a component did not come, or did not go.

use hotcell_egress::EgressError;
use hotcell_sandbox::Digest;

use crate::CredentialsError;

/// Why a component could not be fetched or pushed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// There was no answer.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// The registry refused it.
    #[error("{authority} answered with status {status}{}", reason(.message))]
    Status {
        /// Host and port.
        authority: String,
        /// The status.
        status: u16,
        /// What the registry says about it.
        message: String,
    },
    /// There is no such artifact.
    #[error(
        "{reference} does not exist, or may not be seen; look at its name and tag, and log in with `docker login {authority}`"
    )]
    NotFound {
        /// What was asked for.
        reference: String,
        /// Host and port.
        authority: String,
    },
    /// The registry wants somebody else.
    #[error(
        "{authority} refuses {who}; log in with `docker login {authority}`, which writes the file that hotcell reads"
    )]
    Denied {
        /// Host and port.
        authority: String,
        /// With which credentials.
        who: &'static str,
    },
    /// What came is not what was asked for.
    #[error(
        "{what} has the digest {found}, not {expected}: it was changed since somebody wrote that down; do not use it"
    )]
    Digest {
        /// What came.
        what: String,
        /// What it should be.
        expected: Digest,
        /// What it is.
        found: Digest,
    },
    /// The answer is none that a registry gives.
    #[error("{authority}: {reason}")]
    Answer {
        /// Host and port.
        authority: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It is an artifact, but none with a component in it.
    #[error("{reference} is no WebAssembly artifact: {reason}")]
    NoComponent {
        /// What was asked for.
        reference: String,
        /// What it has instead.
        reason: String,
    },
    /// The file with the credentials cannot be used.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// What is to be pushed is no WebAssembly.
    #[error("this is not a WebAssembly component or module: {0}")]
    NotWasm(String),
}

fn reason(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}
