//! Scripts in real cells: what they return, what they find, and what becomes of hostile ones.
//!
//! Python is not part of the binary: these tests need `scripts/runtimes python --to target/runtimes`.

mod bench;
mod hostile;
mod outputs;
mod shell;
mod surroundings;
