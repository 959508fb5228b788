//! What is fuzzed. Each entry point takes any bytes, and panics if something does not hold that always must.
//!
//! The targets in `fuzz_targets/` feed them from libFuzzer, which looks for inputs that reach new code; `src/loop.rs`
//! feeds them from a seeded generator, on any toolchain. `scripts/fuzz` runs what there is.

mod choices;
mod definition;
mod expression;
mod machine;
mod workflow;

pub use definition::definition;
pub use expression::expression;
pub use machine::machine;

/// An entry point.
pub type Target = fn(&[u8]);

/// Every entry point, by name.
pub const TARGETS: [(&str, Target); 3] = [("definition", definition), ("expression", expression), ("machine", machine)];
