//! Hosts that requests may go to.

use std::fmt;
use std::net::IpAddr;

use serde::Serialize;
use url::Host;

/// The methods that requests can have. `CONNECT` and `TRACE` concern the connection, which is the host's.
pub(crate) const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// A host, or several, with the ports and methods that are allowed there.
///
/// | written | allows |
/// | --- | --- |
/// | `api.example.com` | this host, any port, also where its address is not public |
/// | `api.example.com:8443` | only this port of it |
/// | `10.0.0.7`, `[fd00::7]:80` | this address |
/// | `*.example.com` | hosts beneath `example.com`, not itself, at public addresses |
/// | `*`, `*:443` | every host at a public address |
/// | `api.example.com=GET,HEAD` | only requests with these methods, whatever else stands before the `=` |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRule {
    pub(crate) host: HostPattern,
    /// Default: every port.
    pub(crate) ports: Option<Vec<u16>>,
    /// In upper case. Default: every method.
    pub(crate) methods: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostPattern {
    Any,
    /// The name of what the hosts are beneath, with a dot before it.
    Beneath(String),
    Name(String),
    Address(IpAddr),
}

/// At which addresses a host may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// At public ones only.
    Public,
    /// At whichever it is: the rule names the very host.
    Named,
}

/// A request, as far as rules look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The host, in lower case and punycode; addresses without brackets.
    pub host: &'a str,
    /// The port.
    pub port: u16,
}

impl HostRule {
    /// Reads a host with or without a port and methods, as `--allow-net` has it.
    pub fn new(text: &str) -> Option<Self> {
        if text.len() > MAX_HOST {
            return None;
        }
        let (text, methods) = match text.split_once('=') {
            None => (text, None),
            Some((host, names)) => {
                let known = |name: &str| METHODS.contains(&name).then(|| name.to_owned());
                (host, Some(names.split(',').map(known).collect::<Option<Vec<_>>>()?))
            }
        };
        let (host, port) = match text.rsplit_once(':') {
            // An IPv6 address without brackets has no port.
            _ if text.parse::<std::net::Ipv6Addr>().is_ok() => (format!("[{text}]"), None),
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host.to_owned(), Some(port.parse().ok().filter(|port: &u16| *port != 0)?))
            }
            _ => (text.to_owned(), None),
        };
        let host = match host.as_str() {
            "*" => HostPattern::Any,
            pattern => match (pattern.strip_prefix("*."), parse(pattern)) {
                (Some(above), _) => match parse(above)? {
                    Host::Domain(name) => HostPattern::Beneath(format!(".{name}")),
                    _ => return None,
                },
                (None, host) => match host? {
                    Host::Domain(name) => HostPattern::Name(name),
                    Host::Ipv4(address) => HostPattern::Address(address.into()),
                    Host::Ipv6(address) => HostPattern::Address(IpAddr::V6(address).to_canonical()),
                },
            },
        };
        Some(HostRule { host, ports: port.map(|port| vec![port]), methods })
    }

    /// How far it allows a request; not at all if it does not.
    pub fn allows(&self, asked: Asked<'_>) -> Option<Reach> {
        let allowed = self.ports.as_ref().is_none_or(|ports| ports.contains(&asked.port))
            && self.methods.as_ref().is_none_or(|methods| methods.iter().any(|method| method == asked.method));
        self.reach(asked.host).filter(|_| allowed)
    }

    /// How far it trusts a host, at some port and with some method.
    pub(crate) fn reach(&self, host: &str) -> Option<Reach> {
        let address = || host.parse::<IpAddr>().ok().map(|address| address.to_canonical());
        match &self.host {
            HostPattern::Any => Some(Reach::Public),
            HostPattern::Beneath(above) => {
                (host.ends_with(above.as_str()) && address().is_none()).then_some(Reach::Public)
            }
            HostPattern::Name(name) => (name == host).then_some(Reach::Named),
            HostPattern::Address(named) => (Some(*named) == address()).then_some(Reach::Named),
        }
    }

    /// The same hosts and ports, whatever the method, as `--allow-net` has them: one for each port.
    pub fn authorities(&self) -> Vec<String> {
        let one = |port: Option<u16>| {
            let ports = port.map(|port| vec![port]);
            HostRule { host: self.host.clone(), ports, methods: None }.to_string()
        };
        match &self.ports {
            None => vec![one(None)],
            Some(ports) => ports.iter().map(|port| one(Some(*port))).collect(),
        }
    }

    /// Whether all that it allows is allowed by the other, and no address more.
    pub fn is_within(&self, other: &HostRule) -> bool {
        use HostPattern::{Address, Any, Beneath, Name};
        let hosts = match (&self.host, &other.host) {
            // A pattern allows public addresses only, so that a rule that names a host is wider in that.
            (Any | Beneath(_), Any) => true,
            (Beneath(narrow), Beneath(wide)) => narrow.ends_with(wide.as_str()),
            (Name(name), Name(other)) => name == other,
            (Address(address), Address(other)) => address == other,
            _ => false,
        };
        hosts
            && subset(self.ports.as_deref(), other.ports.as_deref())
            && subset(self.methods.as_deref(), other.methods.as_deref())
    }
}

/// The longest host: a name has at most 253 characters.
const MAX_HOST: usize = 300;

/// Nothing stands for everything.
fn subset<T: PartialEq>(narrow: Option<&[T]>, wide: Option<&[T]>) -> bool {
    match (narrow, wide) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(narrow), Some(wide)) => narrow.iter().all(|item| wide.contains(item)),
    }
}

/// A host in the one form in which hosts are compared: lower case, punycode, addresses as numbers.
fn parse(text: &str) -> Option<Host> {
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

impl fmt::Display for HostRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            HostPattern::Any => f.write_str("*")?,
            HostPattern::Beneath(above) => write!(f, "*{above}")?,
            HostPattern::Name(name) => f.write_str(name)?,
            HostPattern::Address(IpAddr::V4(address)) => write!(f, "{address}")?,
            HostPattern::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
        }
        if let Some(ports) = &self.ports {
            let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
            write!(f, ":{}", ports.join(","))?;
        }
        if let Some(methods) = &self.methods {
            write!(f, "={}", methods.join(","))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> HostRule {
        HostRule::new(text).unwrap_or_else(|| panic!("{text} is a host"))
    }

    fn get(host: &str, port: u16) -> Asked<'_> {
        Asked { method: "GET", host, port }
    }

    #[test]
    fn a_host_is_read_as_allow_net_reads_it() {
        assert_eq!(rule("API.example.com.").allows(get("api.example.com", 80)), Some(Reach::Named));
        assert_eq!(rule("api.example.com:443").allows(get("api.example.com", 80)), None);
        assert_eq!(rule("*.example.com").allows(get("a.b.example.com", 80)), Some(Reach::Public));
        assert_eq!(rule("*.example.com").allows(get("example.com", 80)), None);
        assert_eq!(rule("*").allows(get("127.0.0.1", 80)), Some(Reach::Public));
        assert_eq!(rule("0x7f.1").allows(get("127.0.0.1", 80)), Some(Reach::Named));
        assert_eq!(rule("::1").allows(get("::1", 80)), Some(Reach::Named));
        let reader = rule("example.com:443=GET,HEAD");
        assert_eq!(reader.to_string(), "example.com:443=GET,HEAD");
        assert!(reader.allows(get("example.com", 443)).is_some());
        assert_eq!(reader.allows(Asked { method: "PUT", ..get("example.com", 443) }), None);
        for wrong in [
            "",
            "a.org=",
            "a.org=get",
            "a.org=CONNECT",
            "https://example.com",
            "example.com/x",
            "example.com:0",
            "*.127.0.0.1",
            "a*.b",
            "[::1",
        ] {
            assert_eq!(HostRule::new(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_rule_with_methods_allows_no_other() {
        let rule = HostRule { methods: Some(vec!["GET".into()]), ..rule("example.com") };
        assert_eq!(rule.allows(get("example.com", 443)), Some(Reach::Named));
        assert_eq!(rule.allows(Asked { method: "POST", ..get("example.com", 443) }), None);
    }

    #[test]
    fn rules_know_which_of_them_is_narrower() {
        let with = |text, methods: &[&str]| {
            let methods = methods.iter().map(|method| (*method).to_owned()).collect();
            HostRule { methods: Some(methods), ..rule(text) }
        };
        assert!(rule("a.org:80").is_within(&rule("a.org")));
        assert!(rule("*.b.org").is_within(&rule("*.org")));
        assert!(rule("*.org:443").is_within(&rule("*")));
        assert!(with("a.org", &["GET"]).is_within(&rule("a.org")));
        assert!(with("a.org", &["GET"]).is_within(&with("a.org", &["GET", "PUT"])));
        assert!(!rule("a.org").is_within(&rule("a.org:80")));
        assert!(!rule("*").is_within(&rule("*.org")));
        assert!(!rule("a.org").is_within(&with("a.org", &["GET"])));
        // It would reach the host at a private address, which the pattern does not allow.
        assert!(!rule("a.org").is_within(&rule("*")));
    }
}
