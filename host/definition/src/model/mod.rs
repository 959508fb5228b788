//! The DSL as types, one file for each chapter of the reference.

mod authentication;
mod call;
mod cron;
mod data;
mod document;
mod duration;
mod events;
mod fault;
mod resource;
mod run;
mod task;

pub use authentication::*;
pub use call::*;
pub use cron::*;
pub use data::*;
pub use document::*;
pub use duration::*;
pub use events::*;
pub use fault::*;
pub use resource::*;
pub use run::*;
pub use task::*;

/// Something that is either written in place or named, and then stands under `use`.
#[derive(Debug, Clone, PartialEq)]
pub enum Reusable<T> {
    /// Written in place.
    Inline(T),
    /// The name of an entry of `use`.
    Named(String),
}
