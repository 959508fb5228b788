//! What a process takes away from itself before it has to do with anything of a tenant's.
//!
//! The order matters: what is asked of the system comes before the system call filter, after which nothing can be asked any
//! more. All of it happens while there is one thread, so that every later one inherits it.

mod descriptors;
mod filter;
mod folders;
mod limits;

use serde::{Deserialize, Serialize};

use self::limits::Bounds;
pub(super) use self::limits::{COMPILE_MEMORY, COMPILE_SECONDS};

/// One of the things that confine a worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// What it is called.
    pub name: String,
    /// What it keeps away.
    pub purpose: String,
    /// Why it is not on, if it is not, and what to do.
    pub missing: Option<String>,
}

impl Measure {
    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        self.missing.is_none()
    }
}

/// What a process is for, which decides what it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It runs cells.
    Cells,
    /// It compiles one component.
    Compiler,
}

/// The first step, before this process opens anything itself.
pub(super) fn begin() -> Measure {
    measure("descriptors", "files that hotcell's own parent left open", descriptors::close_others())
}

/// Confines this process for the rest of its life. What the kernel has not is left out, and told.
pub(super) fn confine(purpose: Purpose, descriptors: Measure) -> Vec<Measure> {
    let bounds = match purpose {
        Purpose::Cells => Bounds::CELLS,
        Purpose::Compiler => Bounds::COMPILER,
    };
    vec![
        descriptors,
        measure("parent", "living on when hotcell is gone", limits::end_with_parent()),
        measure("dump", "being read by other processes, and core dumps", limits::not_dumpable()),
        measure("rlimits", "files, core dumps, large files", limits::set(&bounds)),
        measure("no_new_privs", "gaining rights through other programs", limits::no_new_privileges()),
        measure("landlock", "every file and folder, every TCP port, signals to others", folders::deny_all()),
        measure(
            "seccomp",
            "system calls that a worker does not need: sockets, programs, files, other processes",
            filter::install(),
        ),
    ]
}

fn measure(name: &str, purpose: &str, done: Result<(), String>) -> Measure {
    Measure { name: name.into(), purpose: purpose.into(), missing: done.err() }
}
