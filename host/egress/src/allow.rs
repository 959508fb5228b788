//! What the operator allows.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::Deserialize;
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
/// | `api.example.com=GET,HEAD` | only requests with these methods, whatever else stands before the `=` |
///
/// In a policy file a rule is such a text, or an object with the members `host`, `port` and `methods`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct AllowedHost {
    host: Pattern,
    port: Option<u16>,
    /// In upper case. Empty: every method.
    methods: Vec<String>,
}

/// A rule as a policy file has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Members(Members),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    host: String,
    port: Option<u16>,
    #[serde(default)]
    methods: Option<Vec<String>>,
}

impl TryFrom<Written> for AllowedHost {
    type Error = InvalidHost;

    fn try_from(written: Written) -> Result<Self, InvalidHost> {
        let Members { host, port, methods } = match written {
            Written::Text(text) => return text.parse(),
            Written::Members(members) => members,
        };
        let invalid = || InvalidHost { text: host.clone() };
        let rule: AllowedHost = host.parse()?;
        let is_bare = rule.port.is_none() && rule.methods.is_empty();
        // A list without any would allow what nobody meant.
        let is_written = port != Some(0) && methods.as_ref().is_none_or(|methods| !methods.is_empty());
        if !is_bare || !is_written {
            return Err(invalid());
        }
        let methods = methods.unwrap_or_default();
        let methods = methods_of(methods.iter().map(String::as_str)).ok_or_else(invalid)?;
        Ok(AllowedHost { port, methods, ..rule })
    }
}

/// Methods, each in upper case; nothing if one of them is none.
fn methods_of<'n>(names: impl Iterator<Item = &'n str>) -> Option<Vec<String>> {
    names.map(method).collect()
}

/// A method that requests can have, in upper case.
fn method(name: &str) -> Option<String> {
    let is_method =
        !name.is_empty() && name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    is_method.then(|| name.to_ascii_uppercase())
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
     scheme or path; behind it, =GET,HEAD allows only these methods"
)]
pub struct InvalidHost {
    text: String,
}

impl FromStr for AllowedHost {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let invalid = || InvalidHost { text: text.into() };
        let (text, methods) = match text.split_once('=') {
            Some((host, names)) => (host, methods_of(names.split(','))),
            None => (text, Some(Vec::new())),
        };
        let methods = methods.ok_or_else(invalid)?;
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
        Ok(AllowedHost { host, port, methods })
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
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        match self.methods.is_empty() {
            true => Ok(()),
            false => write!(f, "={}", self.methods.join(",")),
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

/// How far the operator trusts a host for requests of some method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// Not at all.
    No,
    /// Only with other methods.
    OtherMethods,
    /// So far.
    Yes(Trust),
}

/// What the rules say of a request. One that names the method is enough.
pub(crate) fn allowed(rules: &[AllowedHost], target: &Target, method: &str) -> Allowed {
    let of_host = rules.iter().filter_map(|rule| Some((rule, rule.trust(target)?)));
    let (mut found, mut with_method) = (Allowed::No, None);
    for (rule, trust) in of_host {
        found = Allowed::OtherMethods;
        if rule.methods.is_empty() || rule.methods.iter().any(|allowed| allowed == method) {
            with_method = with_method.max(Some(trust));
        }
    }
    with_method.map_or(found, Allowed::Yes)
}

impl AllowedHost {
    /// How far this rule trusts a host; nothing if it is about others.
    fn trust(&self, target: &Target) -> Option<Trust> {
        if self.port.is_some_and(|port| port != target.port) {
            return None;
        }
        match (&self.host, target.address()) {
            (Pattern::Any, _) => Some(Trust::Public),
            (Pattern::Beneath(above), None) => target.host.ends_with(above.as_str()).then_some(Trust::Public),
            (Pattern::Name(name), None) => (*name == target.host).then_some(Trust::Named),
            (Pattern::Address(named), Some(address)) => (*named == address).then_some(Trust::Address),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust_of(rules: &[&str], uri: &str) -> Option<Trust> {
        let rules: Vec<AllowedHost> = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        match allowed(&rules, &Target::parse(uri).unwrap(), "GET") {
            Allowed::Yes(trust) => Some(trust),
            Allowed::No | Allowed::OtherMethods => None,
        }
    }

    #[test]
    fn a_rule_may_allow_some_methods_only() {
        let rules: Vec<AllowedHost> =
            ["a.example=get,HEAD", "a.example:8080=DELETE", "b.example"].map(|rule| rule.parse().unwrap()).into();
        let allowed = |method: &str, uri: &str| allowed(&rules, &Target::parse(uri).unwrap(), method);
        assert_eq!(allowed("GET", "https://a.example/"), Allowed::Yes(Trust::Named));
        assert_eq!(allowed("POST", "https://a.example/"), Allowed::OtherMethods);
        assert_eq!(allowed("DELETE", "https://a.example/"), Allowed::OtherMethods);
        assert_eq!(allowed("DELETE", "https://a.example:8080/"), Allowed::Yes(Trust::Named));
        assert_eq!(allowed("HEAD", "https://a.example:8080/"), Allowed::Yes(Trust::Named));
        assert_eq!(allowed("PATCH", "https://b.example/"), Allowed::Yes(Trust::Named));
        assert_eq!(allowed("GET", "https://c.example/"), Allowed::No);
        assert_eq!(rules[0].to_string(), "a.example=GET,HEAD");
        for text in ["a.example=", "a.example=GET,", "a.example=GET /", "=GET", "a.example=GET=PUT"] {
            assert!(text.parse::<AllowedHost>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_policy_file_has_rules_as_text_or_as_objects() {
        let read = |text: &str| serde_json::from_str::<AllowedHost>(text).map(|rule| rule.to_string());
        assert_eq!(read("\"a.example:80=GET\"").unwrap(), "a.example:80=GET");
        let members = r#"{"host": "*.a.example", "port": 443, "methods": ["get", "POST"]}"#;
        assert_eq!(read(members).unwrap(), "*.a.example:443=GET,POST");
        assert_eq!(read(r#"{"host": "a.example"}"#).unwrap(), "a.example");
        for wrong in [
            r#"{"host": "a.example:80", "port": 80}"#,
            r#"{"host": "a.example", "methods": []}"#,
            r#"{"host": "a.example", "port": 0}"#,
            r#"{"host": "https://a.example"}"#,
            r#"{"host": "a.example", "metods": ["GET"]}"#,
            r#"{"host": "a.example=GET", "methods": ["PUT"]}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
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
