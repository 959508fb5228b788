//! Progress events on the wire: what leaves the host, and what receives it.
//!
//! An execution appends its events to an [`EventLog`], which costs it a lock and a push, and never waits. Whoever wants
//! events reads them from there at its own pace: the drawing on a terminal, and a [`Reporter`], which pushes them to a
//! sink over gRPC, survives every outage of the sink, and resumes with what was not acknowledged. [`serve`] is such a
//! sink: it keeps what it gets in a [`Store`] and lets others [`watch`](fn@watch). The protocol is
//! `proto/hotcell/progress/v1/progress.proto`; [`proto`] is its Rust form, [`encode`] and [`decode`] lead to it and back.
//! A [`Publisher`] sends the same facts as the specification's [lifecycle events](Lifecycle), over HTTP or to a file.
//!
//! ```no_run
//! # use hotcell_progress::{EventLog, Reporter, ReporterOptions};
//! # use std::time::Duration;
//! # async fn example(events: Vec<hotcell_machine::Event>) -> Result<(), hotcell_progress::EndpointError> {
//! let log = EventLog::new();
//! let reporter = Reporter::start(log.subscribe(), "http://127.0.0.1:7070", ReporterOptions::default())?;
//! log.append(events);
//! let flushed = reporter.flush(Duration::from_secs(5)).await;
//! if !flushed.is_complete() {
//!     eprintln!("{flushed}");
//! }
//! # Ok(())
//! # }
//! ```

mod backoff;
mod decode;
mod encode;
mod endpoint;
mod lifecycle;
mod log;
pub mod proto;
mod publisher;
mod reporter;
mod sink;
mod source;
mod spill;
mod store;
mod watch;

pub use backoff::Backoff;
pub use decode::{InvalidEvent, decode};
pub use encode::encode;
pub use endpoint::EndpointError;
pub use lifecycle::{Definitions, Lifecycle, LifecycleEvent};
pub use log::{EventLog, Subscription};
pub use publisher::{Published, Publisher, PublisherError, PublisherOptions};
pub use reporter::{Flushed, Reporter, ReporterOptions, Unreported};
pub use sink::{Limits, ServeError, serve};
pub use source::EventSource;
pub use store::{Store, StoreError};
pub use watch::{Watch, WatchError, watch};
