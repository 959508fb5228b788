//! jq in a cell: programs are compiled when they are first needed, and kept.

use std::collections::HashMap;

use hotcell_expression::{Evaluation, ExpressionError};
use jiff::Timestamp;
use serde_json::Value;
use wasmtime::{InstancePre, TypedFunc};

use super::answer::broken;
use super::cell::{Bounds, Cell};
use super::request::{write_program, write_values};

/// How many programs one cell keeps. A cell that has so many gives way to a fresh one.
const MAX_PROGRAMS: usize = 1_000;
/// How large a cell may be when it is kept for the next evaluation, beyond what a fresh one has: 8 MiB. Memory of a cell never shrinks,
/// and evaluators that wait should not hold what one evaluation needed.
const MAX_KEPT: usize = 8 << 20;

/// The stack that the interpreter has in its own memory, from 0 up to here: as in its `build.rs`.
const GUEST_STACK: usize = 32 << 20;
/// How much of that stack may have been used when the cell is kept: 2 MiB.
const MAX_KEPT_STACK: usize = 2 << 20;

/// A cell with the jq interpreter, and what it has compiled.
pub(super) struct JqCell {
    cell: Cell,
    compile: TypedFunc<u32, u64>,
    evaluate: TypedFunc<(u32, f64, u32), u64>,
    /// By program; then one for each set of variables.
    programs: HashMap<Box<str>, Vec<Compiled>>,
    count: usize,
    fresh_size: usize,
}

/// A program that the cell has compiled: the variables it was compiled for, and the number by which the cell knows it.
struct Compiled {
    variables: Box<[Box<str>]>,
    number: u32,
}

impl JqCell {
    pub(super) fn new(module: &InstancePre<Bounds>, memory: usize) -> Result<Self, ExpressionError> {
        let mut cell = Cell::new(module, memory)?;
        let compile = cell.function("compile")?;
        let evaluate = cell.function("evaluate")?;
        let fresh_size = cell.size();
        Ok(JqCell { cell, compile, evaluate, programs: HashMap::new(), count: 0, fresh_size })
    }

    pub(super) fn cell(&mut self) -> &mut Cell {
        &mut self.cell
    }

    /// Whether another evaluation should rather have a fresh cell.
    pub(super) fn is_worn(&self) -> bool {
        self.cell.is_spent()
            || self.count >= MAX_PROGRAMS
            || self.cell.size() > self.fresh_size + MAX_KEPT
            || self.cell.is_used(GUEST_STACK - MAX_KEPT_STACK)
    }

    /// The number of a program, which is compiled if it has none yet. `buffer` is used for requests.
    pub(super) fn prepare<'a>(
        &mut self,
        program: &str,
        variables: impl ExactSizeIterator<Item = &'a str> + Clone,
        buffer: &mut Vec<u8>,
    ) -> Result<u32, ExpressionError> {
        let same = |names: &[Box<str>]| names.iter().map(|name| &**name).eq(variables.clone());
        let known = self.programs.get(program).and_then(|known| known.iter().find(|known| same(&known.variables)));
        if let Some(known) = known {
            return Ok(known.number);
        }
        write_program(program, variables.clone(), buffer)?;
        let length = self.cell.send(buffer)?;
        let answer = self.cell.call(&self.compile, length)?;
        let number = answer.try_into().map(u32::from_le_bytes).map_err(|_| broken("a program has no number"))?;
        let variables = variables.map(Box::from).collect();
        self.programs.entry(program.into()).or_default().push(Compiled { variables, number });
        self.count += 1;
        Ok(number)
    }

    /// The first output of a program, which is compiled if it has not been yet.
    pub(super) fn evaluate(
        &mut self,
        evaluation: Evaluation<'_>,
        memory: usize,
        buffer: &mut Vec<u8>,
    ) -> Result<Value, ExpressionError> {
        let variables = evaluation.variables;
        let number = self.prepare(evaluation.program, variables.iter().map(|(name, _)| *name), buffer)?;
        let values = std::iter::once(evaluation.input).chain(variables.iter().map(|(_, value)| *value));
        write_values(values, memory, buffer)?;
        let length = self.cell.send(buffer)?;
        let output = self.cell.call(&self.evaluate, (number, seconds(evaluation.now), length))?;
        serde_json::from_slice(output).map_err(|error| broken(&format!("its output is not JSON: {error}")))
    }
}

/// What `now` yields: seconds since 1970, with microseconds as in jq.
fn seconds(now: Timestamp) -> f64 {
    now.as_microsecond() as f64 / 1e6
}
