//! Evaluates jq, and validates against JSON Schema, in a cell.
//!
//! A jq program may loop and grow without bound: `[range(1e9)]` or `def f: [f]; f` takes a host down. A schema that refers
//! to itself takes time that doubles with every level. So both run as WebAssembly, each in a cell with bounded
//! memory and time, and this module implements [`Evaluator`](hotcell_expression::Evaluator) on top of them.
//!
//! [`Evaluators`] is what a host has one of: the engine and the compiled modules. It gives out
//! [`CellEvaluator`]s, one for each definition of a tenant. An evaluator has a cell from its first evaluation on, which keeps
//! the programs that were compiled, and gets a fresh one whenever the old one has trapped, passed a limit
//! or become large. No data passes from one evaluation to the next; still, two tenants never share an evaluator.

mod answer;
mod cell;
mod evaluators;
mod limits;
mod programs;
mod request;
mod schemas;
mod ticker;

use hotcell_expression::{Evaluation, Evaluator, ExpressionError, Needs, Violation};
use serde_json::Value;

pub use evaluators::{Evaluators, EvaluatorsError};
pub use limits::{DEFAULT_EVALUATOR_MEMORY, DEFAULT_EVALUATOR_TIME, EvaluatorLimits};

use self::evaluators::with_stack;
use self::programs::JqCell;
use self::schemas::SchemaCell;

/// How large the buffer for requests may be when it is kept for the next evaluation.
const MAX_KEPT_BUFFER: usize = 256 << 10;

/// Evaluates the expressions of one definition of one tenant, and validates its data, in cells. Made by [`Evaluators::evaluator`].
///
/// A warm evaluation takes microseconds; the first one of a program compiles it, which takes a fraction of a
/// millisecond. An evaluation runs on the thread that calls, for as long as [`EvaluatorLimits::time`] allows, so it does
/// not belong on threads that serve clients. Where such a thread has less than 25 MiB of stack left, the evaluation gets a stack of
/// its own, which takes some microseconds.
///
/// After any error the evaluator can be used again.
pub struct CellEvaluator {
    evaluators: Evaluators,
    limits: EvaluatorLimits,
    jq: Option<JqCell>,
    schemas: Option<SchemaCell>,
    buffer: Vec<u8>,
}

impl CellEvaluator {
    /// Runs something in the jq cell, within the limits.
    fn in_jq_cell<R>(
        &mut self,
        run: impl FnOnce(&mut JqCell, usize, &mut Vec<u8>) -> Result<R, ExpressionError>,
    ) -> Result<R, ExpressionError> {
        let EvaluatorLimits { memory, time } = self.limits;
        // Compiling it is not the program's to pay for.
        let jq_module = self.evaluators.jq()?;
        let watch = self.evaluators.watch();
        let jq = match &mut self.jq {
            Some(jq) => jq,
            none => none.insert(JqCell::new(jq_module, memory)?),
        };
        jq.cell().grant(time);
        let buffer = &mut self.buffer;
        let result = with_stack(|| run(jq, memory, buffer));
        if jq.is_worn() {
            self.jq = None;
        }
        drop(watch);
        self.trim_buffer();
        result
    }

    fn trim_buffer(&mut self) {
        if self.buffer.capacity() > MAX_KEPT_BUFFER {
            self.buffer = Vec::new();
        }
    }
}

impl Evaluator for CellEvaluator {
    fn prepare(&mut self, needs: Needs) -> Result<(), ExpressionError> {
        let evaluators = &self.evaluators;
        // Side by side: each may have to be compiled.
        std::thread::scope(|scope| {
            let schemas = needs.schemas.then(|| scope.spawn(|| evaluators.schema().map(drop)));
            let jq = if needs.jq { evaluators.jq().map(drop) } else { Ok(()) };
            let schemas = schemas.map_or(Ok(()), |thread| thread.join().expect("compiling does not panic"));
            jq.and(schemas)
        })
    }

    fn evaluate(&mut self, evaluation: Evaluation<'_>) -> Result<Value, ExpressionError> {
        self.in_jq_cell(|jq, memory, buffer| jq.evaluate(evaluation, memory, buffer))
    }

    fn check(&mut self, program: &str, variables: &[&str]) -> Result<(), ExpressionError> {
        self.in_jq_cell(|jq, _, buffer| jq.prepare(program, variables.iter().copied(), buffer).map(drop))
    }

    fn validate(&mut self, schema: &str, data: &Value) -> Result<Vec<Violation>, ExpressionError> {
        let EvaluatorLimits { memory, time } = self.limits;
        let module = self.evaluators.schema()?;
        let watch = self.evaluators.watch();
        let schemas = match &mut self.schemas {
            Some(schemas) => schemas,
            none => none.insert(SchemaCell::new(module, memory)?),
        };
        schemas.cell().grant(time);
        let buffer = &mut self.buffer;
        let result = with_stack(|| schemas.validate(schema, data, buffer));
        if schemas.is_worn() {
            self.schemas = None;
        }
        drop(watch);
        self.trim_buffer();
        result
    }
}
