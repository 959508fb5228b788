//! What stands on the other side of the glass: hotcell in a cell, [`testing`](crate::testing) on the host.

#[cfg(target_arch = "wasm32")]
mod cell;
#[cfg(not(target_arch = "wasm32"))]
mod native;

#[cfg(target_arch = "wasm32")]
pub(crate) use cell::{context, log, report, secret};
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::{context, log, report, secret, within};
