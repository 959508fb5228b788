//! Cells in worker processes: what a task can do there, what it cannot, and what becomes of workers that are lost.
//!
//! What hostile tasks try in the cells of this process is tried in workers as well: the same tests, with another host.
#![cfg(target_os = "linux")]

#[path = "../cells/attacks.rs"]
mod attacks;
mod compiler;
mod compromised;
#[path = "../cells/functions.rs"]
mod functions;
#[path = "../cells/guest.rs"]
mod guest;
mod host;
mod losses;
#[path = "../cells/payloads.rs"]
mod payloads;
#[path = "../cells/recorder.rs"]
mod recorder;
mod tenants;
