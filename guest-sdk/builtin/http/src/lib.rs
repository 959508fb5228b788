//! The HTTP caller: what `call: http` does, in a cell whose only grant is the host that it was told to call.
//!
//! The machine evaluates everything that a definition says of the call and passes plain data, `input::Input`. Here it
//! becomes a request (`compose`), which hotcell sends if it is allowed (`outside`), and the answer becomes the task's
//! output (`answer`). What a server sends, OpenAPI documents included (`openapi`), is thus never interpreted outside a
//! cell.

mod answer;
mod authentication;
mod body;
mod compose;
mod exchange;
mod faults;
mod input;
mod openapi;
mod outside;

#[cfg(target_arch = "wasm32")]
mod bindings;

pub use answer::Output;

use hotcell::Problem;

/// Makes the call.
#[hotcell::task]
fn call(input: input::Input) -> Result<Output, Problem> {
    exchange::perform(input)
}
