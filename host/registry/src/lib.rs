//! Components from elsewhere: OCI registries and https.
//!
//! A definition names a component by a path, or by one of these:
//!
//! | written | what it is |
//! | --- | --- |
//! | `oci://registry.example.com/team/price:1.2.0` | a WebAssembly artifact in an OCI registry, by its tag |
//! | `oci://registry.example.com/team/price:1.2.0@sha256:…` | the same, by the digest of its manifest; the tag is for people |
//! | `https://example.com/price.wasm@sha256:…` | a file, by the digest of its bytes, which must be there |
//!
//! Whatever comes is checked against its digest and stored once, by content ([`ContentStore`]). What is named by a digest and
//! is in the store is not asked for again. All requests go through the egress: to hosts that the operator allows.
//!
//! Artifacts have the layout of the CNCF's *Wasm OCI artifact* guidance: a manifest with a config of the type
//! `application/vnd.wasm.config.v0+json` and one layer `application/wasm`. Layers of older tools are read as well.

mod challenge;
mod credentials;
mod error;
mod manifest;
mod reference;
mod registry;
mod session;
mod store;

pub use credentials::{Credentials, CredentialsError};
pub use error::RegistryError;
pub use reference::{ComponentReference, InvalidReference, OciReference, UrlReference};
pub use registry::{Fetched, Pushed, Registry};
pub use store::ContentStore;
