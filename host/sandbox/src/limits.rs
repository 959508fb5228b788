//! What one call may use.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Memory: against a guest that grows until the host has none left. Enough for a Python interpreter with room for data.
pub const DEFAULT_MEMORY: usize = 128 << 20;
/// Wall time: against a guest that sleeps, or waits for something that never comes.
pub const DEFAULT_WALL_TIME: Duration = Duration::from_secs(60);
/// CPU time: against an endless loop.
pub const DEFAULT_CPU_TIME: Duration = Duration::from_secs(10);
/// Payload: against data that fills the memory of the *host*, which has to hold it.
pub const DEFAULT_PAYLOAD: usize = 8 << 20;
/// Values in a payload: against `[0,0,0,…]`, each two bytes of which become some 70 on the host once it is read.
pub const DEFAULT_PAYLOAD_VALUES: usize = 1_000_000;
/// Log bytes: against a flood of output, each line of which is kept as an event.
pub const DEFAULT_LOG_BYTES: usize = 256 << 10;
/// Handles: against a guest that makes resources and drops none, each of which is an object on the host.
pub const DEFAULT_HANDLES: usize = 1_000;
/// Reports: against a flood of progress, each of which is kept as an event.
pub const DEFAULT_REPORTS: u32 = 1_000;
/// Resolution of the clocks: against a guest that measures what the processor's caches tell of other cells.
pub const DEFAULT_CLOCK_RESOLUTION: Duration = Duration::from_millis(1);

/// What each log line counts beyond its text: against a flood of empty lines, of which there are otherwise
/// as many as log bytes. At most 16,384 lines with the default.
pub const LOG_LINE_OVERHEAD: usize = 16;
/// The most linear memory that any call can be given, in bytes: 1 GiB. A component whose memories begin larger is
/// refused when it is prepared.
pub const MAX_CELL_MEMORY: usize = 1 << 30;
/// The largest component, in bytes: 64 MiB. A Python interpreter with its library has 18.
pub const MAX_COMPONENT_SIZE: usize = 64 << 20;
/// How deep a JSON text may be nested: against parsers, here and in whoever reads the events, that recurse.
pub const MAX_JSON_DEPTH: usize = 100;

/// What one call may use. When a limit is passed, the call ends with the problem that
/// [`CallError::to_problem`](crate::CallError::to_problem) describes, unless it says otherwise here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct CallLimits {
    /// Bytes of all linear memories of the call together. Default 128 MiB. No call gets more than
    /// [`MAX_CELL_MEMORY`](crate::MAX_CELL_MEMORY), whatever stands here. Growing beyond fails inside the guest
    /// (`memory.grow` returns -1); a guest that then gives up ends with "Memory limit".
    pub memory: usize,
    /// From the start of the instantiation to the end of the call, host calls included; waiting for a free cell is
    /// not counted. Default 60 s; whoever calls gives the task's `timeout` if that is shorter.
    pub wall_time: Duration,
    /// The time that a processor spends on the call, by the clock of the thread. Default 10 s. Checked every
    /// 5 ms; a single bulk operation (`memory.fill` of 128 MiB, say) may overrun it by its own length.
    pub cpu_time: Duration,
    /// Bytes of the input, of the output or of the problem, and of each host call's data. Default 8 MiB.
    pub payload: usize,
    /// JSON values in the output, and in each report's data. Default 1,000,000.
    pub payload_values: usize,
    /// Bytes of all that the call writes to stdout and stderr and logs, together; each line counts
    /// [`LOG_LINE_OVERHEAD`](crate::LOG_LINE_OVERHEAD) bytes more than its text. Default 256 KiB. What goes
    /// beyond is dropped, and a last line says how much; the task goes on.
    pub log_bytes: usize,
    /// Handles and resources of the component model that exist at the same time. Default 1,000.
    pub handles: usize,
    /// Progress reports that are passed on at once. Default 1,000; one more each 100 ms, and all of them together
    /// at most as many bytes as [`payload`](Self::payload) says. Others are dropped, and a last log line says how
    /// many; the task goes on.
    pub reports: u32,
    /// The steps in which the call's clocks move, both the monotonic and the wall clock. Default 1 ms. No problem: the
    /// task sees no finer time. Zero stands for 1 ns, as fine as the system's clocks are.
    pub clock_resolution: Duration,
}

impl Default for CallLimits {
    fn default() -> Self {
        CallLimits {
            memory: DEFAULT_MEMORY,
            wall_time: DEFAULT_WALL_TIME,
            cpu_time: DEFAULT_CPU_TIME,
            payload: DEFAULT_PAYLOAD,
            payload_values: DEFAULT_PAYLOAD_VALUES,
            log_bytes: DEFAULT_LOG_BYTES,
            handles: DEFAULT_HANDLES,
            reports: DEFAULT_REPORTS,
            clock_resolution: DEFAULT_CLOCK_RESOLUTION,
        }
    }
}
