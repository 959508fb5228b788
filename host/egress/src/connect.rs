//! From a target to a connection whose other end was checked.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::EgressError;
use crate::address::{Kind, kind};
use crate::allow::Trust;
use crate::resolve::Resolve;
use crate::target::Target;

/// What bytes go through.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The addresses of the target, each of them checked.
pub(crate) async fn addresses(target: &Target, trust: Trust, names: &dyn Resolve) -> Result<Vec<IpAddr>, EgressError> {
    let addresses = match target.address() {
        Some(address) => vec![address],
        None => names.resolve(&target.host).await.map_err(|_| unreachable(target, "the name is not known"))?,
    };
    if addresses.is_empty() {
        return Err(unreachable(target, "the name has no address"));
    }
    // All of them: a name that stands for a public and a private address is an attack, or a mistake.
    for address in &addresses {
        let needed = match kind(*address) {
            Kind::Public => Trust::Public,
            Kind::Private => Trust::Named,
            Kind::Reserved => Trust::Address,
        };
        // Naming an address allows it, whatever it is; naming a host allows where it is.
        if trust < needed {
            return Err(not_public(target, needed));
        }
    }
    Ok(addresses)
}

fn not_public(target: &Target, needed: Trust) -> EgressError {
    let is_nameable = needed != Trust::Address || target.address().is_some();
    EgressError::NotPublic { authority: target.authority(), rule: is_nameable.then(|| target.authority()) }
}

/// Connects to the first address that answers.
pub(crate) async fn connect(
    target: &Target,
    addresses: &[IpAddr],
    tls: impl FnOnce() -> Arc<ClientConfig>,
    limit: Duration,
) -> Result<Box<dyn Stream>, EgressError> {
    let mut last = None;
    let mut connected = None;
    for address in addresses {
        let attempt = TcpStream::connect(SocketAddr::new(*address, target.port));
        match tokio::time::timeout(limit, attempt).await {
            Ok(Ok(stream)) => {
                connected = Some(stream);
                break;
            }
            Ok(Err(error)) => last = Some(reason_of(&error)),
            Err(_) => last = Some(format!("no connection within {} s", limit.as_secs_f64())),
        }
    }
    let Some(stream) = connected else {
        return Err(unreachable(target, last.as_deref().unwrap_or("there is no address to try")));
    };
    // A request is one write; waiting for more would only delay it.
    let _ = stream.set_nodelay(true);
    if !target.is_tls {
        return Ok(Box::new(stream));
    }
    let name = match target.address() {
        Some(address) => ServerName::from(address),
        None => ServerName::try_from(target.host.clone())
            .map_err(|_| EgressError::Invalid { reason: format!("{:?} is not a name of a host", target.host) })?,
    };
    let handshake = TlsConnector::from(tls()).connect(name, stream);
    match tokio::time::timeout(limit, handshake).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(error)) => Err(unreachable(target, &explain_tls(&error))),
        Err(_) => Err(unreachable(target, &format!("no TLS handshake within {} s", limit.as_secs_f64()))),
    }
}

/// What failed, without the address, which is not for everybody to know.
fn reason_of(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "the connection was refused".into(),
        std::io::ErrorKind::NetworkUnreachable | std::io::ErrorKind::HostUnreachable => {
            "there is no way to its network".into()
        }
        other => other.to_string(),
    }
}

fn explain_tls(error: &std::io::Error) -> String {
    let text = error.to_string();
    if text.contains("UnknownIssuer") {
        return "its certificate was issued by somebody who is not trusted; give the issuer's certificate with \
                --ca-file, or in SSL_CERT_FILE"
            .into();
    }
    format!("no TLS connection: {text}")
}

pub(crate) fn unreachable(target: &Target, reason: &str) -> EgressError {
    EgressError::Unreachable { authority: target.authority(), reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use futures::FutureExt;
    use futures::future::BoxFuture;

    use super::*;

    /// A name server of the attacker's: each question takes the next answer.
    struct Rebinding(Mutex<Vec<&'static str>>);

    impl Resolve for Rebinding {
        fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
            let answer = self.0.lock().unwrap().remove(0).parse().unwrap();
            async move { Ok(vec![answer]) }.boxed()
        }
    }

    #[tokio::test]
    async fn a_name_that_is_public_first_and_private_then_is_connected_to_where_it_was_public() {
        let target = Target::parse("http://rebinding.example/").unwrap();
        let names = Rebinding(Mutex::new(vec!["93.184.216.34", "127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1"]));
        let checked = addresses(&target, Trust::Public, &names).await.unwrap();
        // What is connected to is this very list: nothing asks again until the next request, which is checked again.
        assert_eq!(checked, ["93.184.216.34".parse::<IpAddr>().unwrap()]);
        for _ in 0..3 {
            let error = addresses(&target, Trust::Public, &names).await.unwrap_err();
            assert!(matches!(error, EgressError::NotPublic { .. }), "{error}");
        }
    }
}
