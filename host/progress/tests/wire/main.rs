//! What crosses the wire: real sinks on real sockets, reporters and watchers, and what happens when they are killed.

mod events;
mod outages;
mod process;
mod publishing;
mod publishing_tls;
mod refusals;
mod reporting;
mod roundtrip;
mod running;
mod services;
mod watching;
