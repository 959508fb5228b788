//! The one way out: requests to hosts that the operator allows, to addresses that were checked.
//!
//! Whatever workflows ask of the outside over HTTP goes through [`Egress`]. For each request, redirects included,
//! it checks the host against what the operator allows ([`AllowedHost`]; nothing, by default) and against what the
//! request's owner was granted ([`Grant`]). It looks the name up once, checks every address that it stands for,
//! and connects to one of those: a name that stands for something else a moment later changes nothing. Addresses that
//! are not public (private networks, loopback, link-local, where clouds keep a machine's credentials, and any of
//! these in IPv6 clothes) are reached only if the operator named that very host.
//!
//! Each request has a connection of its own, so that nothing of one tenant is seen by another, and HTTP/1.1 alone is spoken. Keeping
//! connections would save a handshake, and cost more than that: what a server sends behind an answer would be read as the next
//! one, of another call perhaps; a connection would outlive the check of the address that its name stands for, and the grant that it was
//! opened for; and which tenant's credentials a connection carries (a proxy may authenticate connections, not requests) the host cannot see. Proxies of the
//! environment are not used: they would look names up where nothing is checked. Time and sizes are bounded
//! ([`EgressLimits`]), whatever a server does.

mod address;
mod allow;
mod connect;
mod egress;
mod error;
mod narrow;
mod resolve;
mod target;
mod trusted;

pub use allow::{AllowedHost, InvalidHost};
pub use egress::{Document, Egress, EgressLimits, EgressOptions, Grant, Request, Response};
pub use error::EgressError;
pub use narrow::{Asked, Narrow, Reach};
pub use resolve::{Resolve, SystemNames};
pub use trusted::InvalidCertificates;
