//! Cells: WebAssembly components, each call a fresh and bounded instance.
//!
//! A task is a component that exports `hotcell:task/handler` (the contract is `wit/task.wit`). [`Cells`] checks and
//! compiles it once, and then runs each [`Call`] of it in a cell of its own: a fresh instance that is called once and
//! thrown away, so that nothing of one call survives into the next. A cell can reach nothing but its [`Host`], which
//! checks what the call was granted; what it may use is bounded by [`CallLimits`]. However a call ends, it ends as
//! a [`CallEnd`]: an output, or a [`CallError`] that becomes the problem which the workflow sees.
//!
//! All of that is plain data and knows nothing of wasmtime, so that cells can live in this process
//! ([`InProcess`]) or in others ([`Workers`], on Linux).
//!
//! Expressions of a workflow that are more than a path run in a cell as well, see [`CellEvaluator`].

mod artifacts;
mod call;
mod cells;
mod digest;
mod error;
mod evaluator;
mod http;
mod in_process;
mod inspect;
mod limits;
mod refusal;
#[cfg(target_os = "linux")]
mod workers;

pub use call::{Call, CallContext, CallEnd, CallId, Usage, WorkflowName};
pub use cells::{Cells, Host, LogLevel, LogStream, SecretDenied};
pub use digest::{Digest, InvalidDigest};
pub use error::{CallError, PayloadKind, PayloadUnit, ResourceKind, TrapKind};
pub use evaluator::{
    CellEvaluator, DEFAULT_EVALUATOR_MEMORY, DEFAULT_EVALUATOR_TIME, EvaluatorLimits, Evaluators, EvaluatorsError,
};
pub use http::{HTTP_CALLER, HttpFailure, HttpRequest, HttpResponse};
pub use in_process::{DEFAULT_CELLS, InProcess, InProcessOptions, LogOutput, Logs, StartError, engine_config};
pub use inspect::{ExportedFunction, Form, Import, Inspection, Kind, inspect};
pub use limits::{
    CallLimits, DEFAULT_CLOCK_RESOLUTION, DEFAULT_CPU_TIME, DEFAULT_HANDLES, DEFAULT_LOG_BYTES, DEFAULT_MEMORY,
    DEFAULT_PAYLOAD, DEFAULT_PAYLOAD_VALUES, DEFAULT_REPORTS, DEFAULT_WALL_TIME, LOG_LINE_OVERHEAD, MAX_CELL_MEMORY,
    MAX_COMPONENT_SIZE, MAX_JSON_DEPTH,
};
pub use refusal::ComponentError;
#[cfg(target_os = "linux")]
pub use workers::{
    DEFAULT_SILENCE, DEFAULT_WORKER_CELLS, Isolation, Measure, WorkerProgram, Workers, WorkersError, WorkersOptions,
    compiler_main, confine_as_worker, worker_main,
};
