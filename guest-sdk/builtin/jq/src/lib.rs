//! The jq evaluator that runs in a cell.
//!
//! A jq program may loop and grow without bound, so it runs where both end harmlessly: in WebAssembly, with
//! bounded memory and time. The host writes a request into [the buffer that it asked for](exports), calls
//! `compile` or `evaluate`, and reads the answer. The module imports nothing: no clock, no environment, no files.
//! What a program may ask of its surroundings (`now`, `$ENV`, `input`, …) is answered from the request, or empty,
//! so that the same evaluation always gives the same result.
//!
//! The language is jaq's. The values are ours, with the numbers of jq, and so are the functions
//! that jaq lacks or that differ from jq's; `docs/conformance.md` lists what still differs.
//!
//! Nothing here guards against deep recursion or lack of memory: both trap, and the host gives up the cell.

mod convert;
pub mod exports;
mod format;
mod functions;
mod interpreter;
mod json;
mod prelude;
mod regex;
mod surroundings;
mod syntax;
mod value;

pub use interpreter::{Failure, Interpreter};
pub use json::{MAX_BYTES, MAX_DEPTH, MAX_VALUES, Oversize};
pub use syntax::SyntaxError;
