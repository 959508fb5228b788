//! The embedded driver: it feeds machines, carries out their commands in cells, and tells what happens.
//!
//! A [`Runtime`] has threads of its own, on which machines take their turns and cells run; none of them serves
//! clients. An [`Execution`] is driven by one task on them: it applies an input to the machine, appends the
//! turn's events to the [`EventLog`](hotcell_progress::EventLog), carries out its commands, and waits for what
//! comes next. A call that runs alone is run in place, without a hop to another thread.
//!
//! Executions hear each other's events, and those of whoever else publishes some, over the [`Broker`] of their
//! runtime. [`Runtime::listen`] hears them outside of an execution.

mod broker;
mod builtins;
mod catalog;
mod check;
mod clock;
mod components;
mod documents;
mod driver;
mod evaluators;
mod execution;
mod family;
mod files;
mod host;
mod listener;
mod outside;
mod placeholders;
mod policy;
mod resources;
mod runtime;
mod schedule;
mod scripts;
mod shell;
mod simulated_clock;
mod sources;
mod tokens;
mod workflow;

pub use broker::{Broker, EventsLost, Published};
pub use catalog::Catalog;
pub use check::{MAX_CHECK_TIME, check_expressions, check_loaded_schemas, check_schemas};
pub use clock::{Clock, SystemClock};
pub use components::{ComponentFolder, ComponentNotFound};
pub use evaluators::EvaluatorPool;
pub use execution::{End, Execution, StartExecution};
pub use listener::EventListener;
pub use policy::AllowedHosts;
pub use resources::{Fetch, FetchRequest, Loader};
pub use runtime::{Runtime, RuntimeError, RuntimeOptions};
pub use schedule::{Occasions, ScheduleError, ScheduleOptions, ScheduleSummary, Timetable, check_schedule};
pub use simulated_clock::SimulatedClock;
pub use workflow::{Workflow, WorkflowTimes};
