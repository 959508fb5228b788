//! The JSON Schema validator that runs in a cell.
//!
//! A schema can be a program: `allOf` with references to itself takes time that doubles with every level, and so does
//! a chain of `anyOf`. So validation runs where memory and time are bounded. The module imports nothing, and a schema
//! that refers to something that did not come with it is refused: nothing is fetched.
//!
//! Nothing here guards against deep recursion or lack of memory: both trap, and the host gives up the cell.

pub mod exports;
mod seeds;
mod validator;

pub use validator::{MAX_VIOLATIONS, Outcome, Schemas, Violation};
