//! Where a request goes.

use std::net::IpAddr;

use url::{Host, Url};

use crate::EgressError;

/// Where a request goes: the one reading of a URI by which it is checked *and* sent.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// In lower case and punycode, without a dot at its end. An IPv6 address stands without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) is_tls: bool,
    /// What stands in the request's first line.
    pub(crate) path: String,
    address: Option<IpAddr>,
}

impl Target {
    pub(crate) fn parse(uri: &str) -> Result<Self, EgressError> {
        let invalid = |reason: String| EgressError::Invalid { reason };
        let url = Url::parse(uri).map_err(|error| invalid(format!("this is not an absolute URI: {error}")))?;
        let is_tls = match url.scheme() {
            "http" => false,
            "https" => true,
            other => return Err(invalid(format!("requests are made over http and https, not over {other:?}"))),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("a user name stands in the URI; use `authentication` instead".into()));
        }
        let (host, address) = match url.host() {
            Some(Host::Domain(name)) => (name.strip_suffix('.').unwrap_or(name).to_owned(), None),
            Some(Host::Ipv4(address)) => (address.to_string(), Some(IpAddr::V4(address))),
            // A v4-mapped address is the IPv4 address that it holds.
            Some(Host::Ipv6(address)) => {
                let address = IpAddr::V6(address).to_canonical();
                (address.to_string(), Some(address))
            }
            None => return Err(invalid("there is no host in the URI".into())),
        };
        if host.is_empty() {
            return Err(invalid("there is no host in the URI".into()));
        }
        let port = url.port_or_known_default().expect("both schemes have one");
        let path = url[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
        Ok(Target { host, port, is_tls, path, address })
    }

    /// The address, where the URI has one rather than a name.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Host and port as `host` headers and `--allow-net` have them.
    pub(crate) fn authority(&self) -> String {
        let default = if self.is_tls { 443 } else { 80 };
        match self.port == default {
            true => self.bracketed(),
            false => format!("{}:{}", self.bracketed(), self.port),
        }
    }

    fn bracketed(&self) -> String {
        match self.address {
            Some(IpAddr::V6(address)) => format!("[{address}]"),
            _ => self.host.clone(),
        }
    }
}
