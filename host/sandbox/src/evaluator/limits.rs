//! What one evaluation may use.

use std::time::Duration;

/// Memory: against `[range(1e9)]`, which would take all that the host has. A third of it is stack, for deep recursion. 96 MiB.
pub const DEFAULT_EVALUATOR_MEMORY: usize = 96 << 20;
/// Time: against `def f: f; f`.
pub const DEFAULT_EVALUATOR_TIME: Duration = Duration::from_secs(1);

/// The longest program, in bytes: against one that takes all its time to compile, every time. 256 KiB.
pub(super) const MAX_PROGRAM: usize = 256 << 10;
/// The longest schema, with the documents to which it refers, in bytes: 1 MiB.
pub(super) const MAX_SCHEMA: usize = 1 << 20;
/// The most variables that a program may be given: against names that fill the memory before the program runs.
pub(super) const MAX_VARIABLES: usize = 1_000;
/// The largest input, and the largest variable, in bytes of JSON; 8 MiB, like all data that flows through a workflow.
/// What the cell gives back has the same bound, which it keeps itself.
pub(super) const MAX_DATA: usize = 8 << 20;
/// The deepest nesting of data: 100. The JSON parser of the cell stops at 128.
pub(super) const MAX_DEPTH: usize = 100;

/// What one evaluation may use. Data, in and out, is bounded besides: 8 MiB of JSON, nested 100 levels deep, and at
/// most 1,000,000 values in a result. A program may be 256 KiB long and use 1,000 variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvaluatorLimits {
    /// Bytes of memory of the cell, with all programs that it keeps. Default 96 MiB, of which 32 MiB are stack. Whoever needs more gets
    /// [`MemoryLimit`](hotcell_expression::ExpressionError::MemoryLimit). Less than 36 MiB is too little for any program.
    pub memory: usize,
    /// What the processor may spend on an evaluation, compiling the program included. Default 1 s. Checked every 5 ms.
    /// Time in which the machine does something else is not counted, so that a busy one makes expressions
    /// slow, but not wrong. Whoever needs longer gets [`TimeLimit`](hotcell_expression::ExpressionError::TimeLimit).
    pub time: Duration,
}

impl Default for EvaluatorLimits {
    fn default() -> Self {
        EvaluatorLimits { memory: DEFAULT_EVALUATOR_MEMORY, time: DEFAULT_EVALUATOR_TIME }
    }
}
