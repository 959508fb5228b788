//! The hostile suite: attacks as data, each carried out in a process of its own, and what becomes of them.
//!
//! The attacks stand in `tests/hostile` (see the README there for their form). Each is a test for each way in which cells
//! run:
//!
//! ```sh
//! cargo test --workspace --test hostile                   everything
//! cargo test --workspace --test hostile -- endless-loop   what has this in its name
//! scripts/security                                        everything, and writes the table in docs/security.md
//! ```
//!
//! The process of an attack runs it as a real workflow while another workflow runs beside it, and measures itself before
//! and after. That the process dies is thus a test that fails, not a suite that is gone.

mod attack;
mod beside;
mod binary;
mod bombs;
mod component;
mod network;
mod outcome;
mod process;
mod report;
mod servers;
mod stage;
mod table;
mod trial;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use crate::attack::Attack;

fn main() -> ExitCode {
    if let Some((name, way)) = trial::asked_for() {
        return stage::perform(&Attack::read(&folder().join(name)), way);
    }
    let arguments = Arguments::from_args();
    let attacks = Attack::all(&folder());
    let mut trials: Vec<Trial> = attacks.iter().flat_map(trial::trials).collect();
    trials.push(table::trial(attacks));
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !conclusion.has_failed() && !arguments.list {
        table::write_if_asked(&folder());
    }
    conclusion.exit_code()
}

/// Where the attacks are.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/hostile")
}
