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

mod bindings;
mod calendar;
mod command;
mod event;
mod extend;
mod flow;
mod function;
mod input;
mod machine;
mod needs;
mod perform;
mod problem;
mod process;
mod program;
mod retry;
mod state;

pub use command::{CallId, Callee, ChildId, Command, Outcome, ScriptLanguage, StartCall, StartChild, TimerId};
pub use event::*;
pub use input::{Input, InputKind};
pub use machine::{Environment, Machine, Start, Turn};
pub use program::{HostShell, LinkError, Links, Loaded, Missing, NamedComponent, Origin, Program, Unsupported, Wanted};
pub use state::State;
