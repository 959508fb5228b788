//! Writing tasks: `hotcell new` begins one, `hotcell build` makes its component, `hotcell dev` does so whenever its source changes.
//!
//! A task's source is a folder. Its language is told by the file with which the language's own tool begins (`Cargo.toml`,
//! `package.json`, …), and what is built goes to `task.wasm` in it, which a definition names.

mod build;
mod dev;
mod language;
mod new;
mod templates;
mod tool;
mod watch;

pub(crate) use build::build;
pub(crate) use dev::dev;
pub(crate) use language::Language;
pub(crate) use new::new;

/// What `hotcell build` leaves in the folder of a task.
pub(crate) const COMPONENT: &str = "task.wasm";
