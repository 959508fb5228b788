//! Why there is no answer.

use std::time::Duration;

/// Why there is no answer to a request. Messages can be shown to a workflow's author: they name the host that the
/// author wrote, but neither addresses that names stand for nor paths and queries, which may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// The operator does not allow the host.
    #[error("requests to {authority} are not allowed; to allow them, start hotcell with --allow-net {authority}")]
    NotAllowed {
        /// Host and port.
        authority: String,
    },
    /// The operator allows the host, but not with this method.
    #[error(
        "{method} requests to {authority} are not allowed; to allow them, start hotcell with --allow-net {authority}={method}"
    )]
    MethodNotAllowed {
        /// Host and port.
        authority: String,
        /// The method.
        method: String,
    },
    /// The host is at an address that is not public, and the operator has not named the host itself.
    #[error("{authority} is at an address that is not public, which no pattern allows; {}", advice(.rule.as_deref()))]
    NotPublic {
        /// Host and port.
        authority: String,
        /// What allows it, if anything does.
        rule: Option<String>,
    },
    /// A policy does not allow it.
    #[error("a request to {authority} is not allowed: {reason}")]
    Policy {
        /// Host and port.
        authority: String,
        /// Why, and which part of the policy says so.
        reason: String,
    },
    /// What asks was told to reach other hosts.
    #[error("a request to {authority} is not what the definition asks for")]
    NotAsked {
        /// Host and port.
        authority: String,
    },
    /// It is no request.
    #[error("{reason}")]
    Invalid {
        /// Why.
        reason: String,
    },
    /// There is no connection, or it broke.
    #[error("{authority} cannot be reached: {reason}")]
    Unreachable {
        /// Host and port.
        authority: String,
        /// Why.
        reason: String,
    },
    /// The answer did not come in time.
    #[error("{authority} did not answer within {} s", .limit.as_secs_f64())]
    Late {
        /// Host and port.
        authority: String,
        /// The limit.
        limit: Duration,
    },
    /// The request or the answer is larger than it may be.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// Which of the two.
        what: &'static str,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A document was asked for, and something else came.
    #[error("{authority} answered with status {status}")]
    Status {
        /// Host and port.
        authority: String,
        /// The status.
        status: u16,
    },
}

fn advice(rule: Option<&str>) -> String {
    match rule {
        Some(rule) => format!("to allow it, start hotcell with --allow-net {rule}"),
        // Which one it is, is not for everybody to know.
        None => "an address of its kind (of a cloud's credentials, of many machines, of none) is reached only if the URI has \
                 the address itself, and --allow-net names it"
            .into(),
    }
}
