//! JSON Schema in a cell. The schemas that the cell has compiled, it keeps by their text.

use hotcell_expression::{ExpressionError, Violation};
use serde_json::Value;
use wasmtime::{InstancePre, TypedFunc};

use super::answer::broken;
use super::cell::{Bounds, Cell};
use super::request::write_schema;

/// How much a cell may grow and still be kept for the next validation: 16 MiB. A hundred schemas fit.
const MAX_KEPT: usize = 16 << 20;

/// A cell with the JSON Schema validator.
pub(super) struct SchemaCell {
    cell: Cell,
    validate: TypedFunc<u32, u64>,
    fresh_size: usize,
}

impl SchemaCell {
    pub(super) fn new(module: &InstancePre<Bounds>, memory: usize) -> Result<Self, ExpressionError> {
        let mut cell = Cell::new(module, memory)?;
        let validate = cell.function("validate")?;
        let fresh_size = cell.size();
        Ok(SchemaCell { cell, validate, fresh_size })
    }

    pub(super) fn cell(&mut self) -> &mut Cell {
        &mut self.cell
    }

    /// Whether another validation should rather have a fresh cell.
    pub(super) fn is_worn(&self) -> bool {
        self.cell.is_spent() || self.cell.size() > self.fresh_size + MAX_KEPT
    }

    /// What does not fit.
    pub(super) fn validate(
        &mut self,
        schema: &str,
        data: &Value,
        buffer: &mut Vec<u8>,
    ) -> Result<Vec<Violation>, ExpressionError> {
        write_schema(schema, data, buffer)?;
        let length = self.cell.send(buffer)?;
        let answer = self.cell.call(&self.validate, length)?;
        let violations: Vec<(String, String)> = serde_json::from_slice(answer)
            .map_err(|error| broken(&format!("its list of violations is not one: {error}")))?;
        Ok(violations.into_iter().map(|(pointer, message)| Violation { pointer, message }).collect())
    }
}
