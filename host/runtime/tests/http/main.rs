//! Calls over HTTP as workflows make them: the real component in a real cell, through the real egress, to services on this
//! machine.

mod authentication;
mod authority;
mod basics;
mod denied;
mod documents;
mod leaks;
mod openapi;
mod rig;
mod tls;
mod tokens;
