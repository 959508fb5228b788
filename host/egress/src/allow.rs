//! What the operator allows.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::Host;

use crate::target::Target;

/// One host, or several, that requests may go to: `--allow-net`.
///
/// | written | allows |
/// | --- | --- |
/// | `api.example.com` | this host, any port, also where its address is not public |
/// | `api.example.com:8443` | only this port of it |
/// | `10.0.0.7`, `[fd00::7]:80` | this address |
/// | `*.example.com` | hosts beneath `example.com`, not itself, at public addresses |
/// | `*`, `*:443` | every host at a public address |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    host: Pattern,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Any,
    /// The name of what the hosts are beneath, with a dot before it.
    Beneath(String),
    Name(String),
    Address(IpAddr),
}

/// What is written is no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a host; write, for example, api.example.com, api.example.com:8443, *.example.com or *, without a \
     scheme or path"
)]
pub struct InvalidHost {
    text: String,
}

impl FromStr for AllowedHost {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let invalid = || InvalidHost { text: text.into() };
        let (host, port) = match text.rsplit_once(':') {
            // An IPv6 address without brackets has no port.
            _ if text.parse::<std::net::Ipv6Addr>().is_ok() => (format!("[{text}]"), None),
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host.to_owned(), Some(port.parse().ok().filter(|port| *port != 0).ok_or_else(invalid)?))
            }
            _ => (text.to_owned(), None),
        };
        let name = |name: &str| match parse_host(name) {
            Some(Host::Domain(name)) => Some(name),
            _ => None,
        };
        let host = match host.as_str() {
            "*" => Pattern::Any,
            pattern => match pattern.strip_prefix("*.") {
                Some(above) => Pattern::Beneath(format!(".{}", name(above).ok_or_else(invalid)?)),
                None => match parse_host(pattern).ok_or_else(invalid)? {
                    Host::Domain(name) => Pattern::Name(name),
                    Host::Ipv4(address) => Pattern::Address(address.into()),
                    Host::Ipv6(address) => Pattern::Address(IpAddr::V6(address).to_canonical()),
                },
            },
        };
        Ok(AllowedHost { host, port })
    }
}

/// A host in the one form in which hosts are compared: lower case, punycode, addresses as numbers.
fn parse_host(text: &str) -> Option<Host> {
    // The parser would read on behind these.
    if text.is_empty() || text.contains(['/', '\\', '?', '#', '@', '*', '%']) || text.contains(char::is_whitespace) {
        return None;
    }
    match Host::parse(text).ok()? {
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(&name).to_owned();
            (!name.is_empty()).then_some(Host::Domain(name))
        }
        address => Some(address),
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Pattern::Any => f.write_str("*")?,
            Pattern::Beneath(name) => write!(f, "*{name}")?,
            Pattern::Name(name) => f.write_str(name)?,
            Pattern::Address(IpAddr::V4(address)) => write!(f, "{address}")?,
            Pattern::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// How far a host is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trust {
    /// At public addresses.
    Public,
    /// The operator named it: at private addresses, too.
    Named,
    /// The operator named the address.
    Address,
}

/// How far the operator trusts a host; nothing if it is not allowed at all.
pub(crate) fn trust(allowed: &[AllowedHost], target: &Target) -> Option<Trust> {
    let rules = allowed.iter().filter(|rule| rule.port.is_none_or(|port| port == target.port));
    rules
        .filter_map(|rule| match (&rule.host, target.address()) {
            (Pattern::Any, _) => Some(Trust::Public),
            (Pattern::Beneath(above), None) => target.host.ends_with(above.as_str()).then_some(Trust::Public),
            (Pattern::Name(name), None) => (*name == target.host).then_some(Trust::Named),
            (Pattern::Address(named), Some(address)) => (*named == address).then_some(Trust::Address),
            _ => None,
        })
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust_of(rules: &[&str], uri: &str) -> Option<Trust> {
        let rules: Vec<AllowedHost> = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        trust(&rules, &Target::parse(uri).unwrap())
    }

    #[test]
    fn without_rules_nothing_is_allowed() {
        assert_eq!(trust_of(&[], "https://example.com/"), None);
    }

    #[test]
    fn a_host_is_allowed_at_every_port_unless_the_rule_names_one() {
        assert_eq!(trust_of(&["example.com"], "https://example.com/"), Some(Trust::Named));
        assert_eq!(trust_of(&["EXAMPLE.com."], "http://Example.COM:8080/"), Some(Trust::Named));
        assert_eq!(trust_of(&["example.com:443"], "https://example.com/x"), Some(Trust::Named));
        assert_eq!(trust_of(&["example.com:443"], "http://example.com/x"), None);
        assert_eq!(trust_of(&["example.com"], "http://www.example.com/"), None);
        assert_eq!(trust_of(&["example.com"], "http://badexample.com/"), None);
    }

    #[test]
    fn a_star_stands_for_names_at_public_addresses() {
        assert_eq!(trust_of(&["*.example.com"], "http://a.b.example.com/"), Some(Trust::Public));
        assert_eq!(trust_of(&["*.example.com"], "http://example.com/"), None);
        assert_eq!(trust_of(&["*.example.com"], "http://badexample.com/"), None);
        assert_eq!(trust_of(&["*"], "http://127.0.0.1/"), Some(Trust::Public));
        assert_eq!(trust_of(&["*", "127.0.0.1"], "http://127.0.0.1/"), Some(Trust::Address));
        assert_eq!(trust_of(&["*:443"], "http://example.com/"), None);
    }

    #[test]
    fn an_address_is_the_same_in_all_its_spellings() {
        for uri in
            ["http://127.0.0.1/", "http://127.1/", "http://0x7f.1/", "http://2130706433/", "http://[::ffff:7f00:1]/"]
        {
            assert_eq!(trust_of(&["127.0.0.1"], uri), Some(Trust::Address), "{uri}");
        }
        assert_eq!(trust_of(&["::1"], "http://[::1]:80/"), Some(Trust::Address));
        assert_eq!(trust_of(&["[::1]:80"], "http://[0:0::1]/"), Some(Trust::Address));
        assert_eq!(trust_of(&["[::1]:80"], "https://[::1]/"), None);
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in ["", ":80", "https://example.com", "example.com/x", "example.com:http", "example.com:99999"] {
            assert!(text.parse::<AllowedHost>().is_err(), "{text}");
        }
        for text in ["*.127.0.0.1", "a*.example.com", "user@example.com", "a b", "*.", "example.com:0", "[::1"] {
            assert!(text.parse::<AllowedHost>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_rule_is_written_as_it_is_compared() {
        for (text, written) in
            [("Example.com.:80", "example.com:80"), ("*.x.org", "*.x.org"), ("::1", "[::1]"), ("0x7f.1", "127.0.0.1")]
        {
            assert_eq!(text.parse::<AllowedHost>().unwrap().to_string(), written);
        }
    }
}
