//! What the kernel is asked to bound.

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, set_dumpable_behavior, set_parent_process_death_signal, setrlimit,
};

/// What a process may use.
pub(super) struct Bounds {
    /// Open files. Cells need some for each component that is loaded.
    files: u64,
    /// The size of a file. There are no files but those in memory that images of components are made of.
    file_size: u64,
    /// Seconds of CPU time, after which the process is killed.
    cpu: Option<u64>,
    /// Bytes of address space. Cells reserve terabytes without using them; what they really use is watched from outside.
    address_space: Option<u64>,
}

impl Bounds {
    pub(super) const CELLS: Bounds = Bounds { files: 4_096, file_size: 1 << 30, cpu: None, address_space: None };
    /// A few kilobytes of hostile WebAssembly can take gigabytes and minutes to compile.
    pub(super) const COMPILER: Bounds =
        Bounds { files: 64, file_size: 1 << 30, cpu: Some(COMPILE_SECONDS), address_space: Some(COMPILE_MEMORY) };
}

/// How many seconds of CPU time compiling a component may take.
pub(in crate::workers) const COMPILE_SECONDS: u64 = 30;
/// How many bytes of memory compiling a component may take.
pub(in crate::workers) const COMPILE_MEMORY: u64 = 2 << 30;

pub(super) fn set(bounds: &Bounds) -> Result<(), String> {
    let limits = [
        (Resource::Core, Some(0)),
        (Resource::Nofile, Some(bounds.files)),
        (Resource::Fsize, Some(bounds.file_size)),
        (Resource::Cpu, bounds.cpu),
        (Resource::As, bounds.address_space),
        // Message queues and locked memory are of no use to it.
        (Resource::Msgqueue, Some(0)),
        (Resource::Memlock, Some(0)),
    ];
    for (resource, limit) in limits {
        let Some(limit) = limit else { continue };
        let hard = rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX);
        let limit = Some(limit.min(hard));
        setrlimit(resource, Rlimit { current: limit, maximum: limit })
            .map_err(|error| format!("setrlimit {resource:?}: {error}"))?;
    }
    Ok(())
}

/// Asks to be killed when the thread that started this process ends. If it has ended already, the end of the socket tells.
pub(super) fn end_with_parent() -> Result<(), String> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| format!("PR_SET_PDEATHSIG: {error}"))
}

pub(super) fn not_dumpable() -> Result<(), String> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(|error| format!("PR_SET_DUMPABLE: {error}"))
}

pub(super) fn no_new_privileges() -> Result<(), String> {
    rustix::thread::set_no_new_privs(true).map_err(|error| format!("PR_SET_NO_NEW_PRIVS: {error}"))
}
