//! What has to allow a request beside the list of the operator: a policy.

use std::sync::Arc;

use crate::EgressError;
use crate::allow::Trust;
use crate::target::Target;

/// A request that is about to be made, for those who have a say in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The method.
    pub method: &'a str,
    /// The host, in lower case and punycode; addresses without brackets.
    pub host: &'a str,
    /// The port.
    pub port: u16,
}

/// At which addresses a host may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// At public ones only.
    Public,
    /// At those that the operator's list allows.
    Named,
}

/// Has a say in each request, redirects included.
pub trait Narrow: Send + Sync {
    /// How far the request is allowed.
    ///
    /// # Errors
    /// Why it is not, for the author of the workflow.
    fn reach(&self, asked: Asked<'_>) -> Result<Reach, String>;
}

/// How far all of them trust a target that the operator trusts so far.
pub(crate) fn narrowed(
    narrower: &[Arc<dyn Narrow>],
    target: &Target,
    method: &str,
    trust: Trust,
) -> Result<Trust, EgressError> {
    let asked = Asked { method, host: &target.host, port: target.port };
    narrower.iter().try_fold(trust, |trust, narrow| match narrow.reach(asked) {
        Ok(Reach::Named) => Ok(trust),
        Ok(Reach::Public) => Ok(trust.min(Trust::Public)),
        Err(reason) => Err(EgressError::Policy { authority: target.authority(), reason }),
    })
}

/// Where there is a policy, it is what has to name a host at an address that is not public.
pub(crate) fn explained(error: EgressError, has_policy: bool) -> EgressError {
    match error {
        EgressError::NotPublic { authority, .. } if has_policy => {
            let reason =
                "it is at an address that is not public, which no pattern allows; the policy has to name the host";
            EgressError::Policy { authority, reason: reason.into() }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Only(&'static str, Reach);

    impl Narrow for Only {
        fn reach(&self, asked: Asked<'_>) -> Result<Reach, String> {
            if asked.method == self.0 { Ok(self.1) } else { Err(format!("{} is not allowed", asked.method)) }
        }
    }

    fn trust(narrower: &[Arc<dyn Narrow>], method: &str) -> Result<Trust, EgressError> {
        narrowed(narrower, &Target::parse("http://example.com/").expect("a URI"), method, Trust::Address)
    }

    #[test]
    fn all_of_them_have_to_allow_a_request_and_the_least_trust_holds() {
        let named: Arc<dyn Narrow> = Arc::new(Only("GET", Reach::Named));
        let public: Arc<dyn Narrow> = Arc::new(Only("GET", Reach::Public));
        let other: Arc<dyn Narrow> = Arc::new(Only("PUT", Reach::Named));
        assert_eq!(trust(&[], "GET"), Ok(Trust::Address));
        assert_eq!(trust(&[Arc::clone(&named)], "GET"), Ok(Trust::Address));
        assert_eq!(trust(&[Arc::clone(&named), public], "GET"), Ok(Trust::Public));
        let denied = trust(&[named, other], "GET").unwrap_err();
        assert_eq!(denied.to_string(), "a request to example.com is not allowed: GET is not allowed");
    }
}
