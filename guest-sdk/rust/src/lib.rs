//! Write hotcell tasks in Rust: a task is a function on serde types.
//!
//! ```
//! use hotcell::Problem;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize)]
//! struct Order {
//!     sku: String,
//!     quantity: u32,
//! }
//!
//! #[derive(Serialize)]
//! struct Priced {
//!     cents: u64,
//! }
//!
//! #[hotcell::task]
//! fn price(order: Order) -> Result<Priced, Problem> {
//!     if order.quantity == 0 {
//!         return Err(Problem::new("an order needs at least one piece").status(422).title("Order refused"));
//!     }
//!     hotcell::info(format_args!("{} pieces of {}", order.quantity, order.sku));
//!     Ok(Priced { cents: 1_999 * u64::from(order.quantity) })
//! }
//! # fn main() { assert_eq!(price(Order { sku: "A-1".into(), quantity: 2 }).unwrap().cents, 3_998); }
//! ```
//!
//! Built for `wasm32-wasip2` (or `wasm32-unknown-unknown`, and made a component) as a `cdylib`, this crate is a task that
//! a definition calls with `call: wasm`. hotcell runs every call in a fresh cell: `static`s and memory do not survive
//! from one call to the next, and nothing outside can be reached but what this crate offers and what was granted.
//!
//! - **Input and output** are any serde types. An input that does not fit becomes a problem of the kind
//!   [`kind::VALIDATION`] that names the member at fault; the function is not called.
//! - **Failing** is returning a [`Problem`], which the workflow can catch by its type, status or any other member. `?` makes
//!   one of any error.
//! - **Panics** end the call with a problem; what the panic said stands in the log.
//! - **Telling**: [`log`](log()) and its shorthands, [`report`] for progress that people see live.
//! - **Asking**: [`context`] for what this call is (attempt, idempotency key, deadline), [`secret`] for granted secrets.
//! - **Testing**: the function stays a function. `cargo test` calls it on the host; [`testing`] decides what it finds there.

mod context;
mod host;
mod log;
mod perform;
mod problem;
mod report;
mod task;

#[cfg(target_arch = "wasm32")]
mod bindings;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use context::{Context, Workflow, context, secret};
pub use log::{Level, debug, error, info, log, trace, warn};
pub use problem::{Problem, kind};
pub use report::{Report, report};
/// JSON of any shape, for tasks that do not know what they get.
pub use serde_json::{Value, json};
pub use task::task;

/// What the expansion of [`macro@task`] needs. Not for use by hand: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::perform::*;

    #[cfg(target_arch = "wasm32")]
    pub mod bindings {
        pub use crate::bindings::exports::hotcell::task::handler::Guest;
        pub use crate::bindings::*;

        /// The outcome, as the contract has it.
        pub type Answer = Result<String, super::super::bindings::hotcell::task::types::Problem>;
    }

    /// Performs a task in a cell.
    #[cfg(target_arch = "wasm32")]
    pub fn answer(task: fn(&str) -> Outcome, input: &str) -> bindings::Answer {
        tell_panics();
        task(input).map_err(crate::Problem::into_contract)
    }
}

/// The README's code compiles, too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
