//! What this process has, as Linux counts it.

use serde::{Deserialize, Serialize};

/// What a process has, its workers' memory included.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Has {
    /// Resident memory, in bytes.
    pub(crate) memory: u64,
    /// Threads.
    pub(crate) threads: u64,
    /// Open files, sockets included.
    pub(crate) files: u64,
}

impl Has {
    /// What this process and its workers have now.
    pub(crate) fn now() -> Self {
        let files = std::fs::read_dir("/proc/self/fd").expect("Linux tells it").count() as u64;
        let own = Has { memory: status("VmRSS:") * 1024, threads: status("Threads:"), files };
        children().into_iter().fold(own, |has, child| Has { memory: has.memory + memory_of(child), ..has })
    }
}

/// The processes that this one has started.
fn children() -> Vec<u32> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux tells it").flatten();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect()
}

/// Forgets the most memory that this process had so far.
pub(crate) fn reset_peak() {
    std::fs::write("/proc/self/clear_refs", "5").expect("a process may reset its own peak");
}

/// The most memory that it had since, in bytes.
pub(crate) fn peak() -> u64 {
    status("VmHWM:") * 1024
}

/// The resident memory of another process, in bytes; 0 if it is gone.
pub(crate) fn memory_of(process: u32) -> u64 {
    let statm = std::fs::read_to_string(format!("/proc/{process}/statm")).unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells it");
    let value = status.lines().find_map(|line| line.strip_prefix(field)).expect("Linux tells it");
    value.trim().trim_end_matches(" kB").parse().expect("a number")
}
