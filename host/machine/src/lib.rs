//! The pure state machine that walks a definition.
//!
//! A [`Machine`] does no I/O, knows no clock and is not asynchronous. [`Input`]s go in: a call ended, a timer
//! fired, someone cancels; each carries the time at which it happened. Each yields a [`Turn`]: [`Command`]s that
//! the driver must carry out now, and numbered [`Event`]s. The same inputs always give the same commands and
//! events, so that a machine can be brought back by replaying them, and each can be told by its number.
//!
//! Between any two inputs the machine can be serialized ([`Machine::state`]) and restored ([`Machine::restore`]).
//!
//! The state is a tree of *frames*, one for each task that is being performed. What is to be done next stands
//! on an *agenda* in the same state; nothing recurses along the document, and a turn that does not come to an
//! end by itself is cut off and continued ([`Command::Proceed`]).

mod authentication;
mod bindings;
mod calendar;
mod cloud_event;
mod command;
mod emit;
mod event;
mod event_filter;
mod event_strategy;
mod extend;
mod flow;
mod function;
mod grants;
mod http;
mod input;
mod listen;
mod machine;
mod mask;
mod needs;
mod perform;
mod positions;
mod problem;
mod process;
mod program;
mod retry;
mod state;
mod uri;
mod uri_syntax;

pub use authentication::policy_of_document;
pub use cloud_event::{CloudEvent, Interest, InvalidCloudEvent};
pub use command::{
    Builtin, CallId, Callee, ChildId, Command, ListeningId, Outcome, ScriptLanguage, StartCall, StartChild, Subscribe,
    TimerId,
};
pub use event::*;
pub use event_strategy::{EventMatcher, Heard};
pub use grants::SecretGrants;
pub use input::{Input, InputKind};
pub use machine::{Environment, Machine, Start, Turn};
pub use mask::problem as mask_problem;
pub use needs::needs;
pub use positions::{Position, Positions};
pub use program::{
    HostShell, LinkError, Links, Loaded, LoadedSchema, Missing, NamedComponent, NamedWorkflow, Origin, Program,
    Unsupported, Wanted, refers_elsewhere, schema_text,
};
pub use state::State;
