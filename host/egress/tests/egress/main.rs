//! Requests to servers on this machine: well-behaved ones, hostile ones, and ones that are not meant to be reached.

mod hostile;
mod names;
mod server;
mod smuggling;
mod tls;
mod ways;
