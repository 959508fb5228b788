//! What the cell answers.

use hotcell_expression::ExpressionError;

use super::request::{too_deep, too_large};

/// Where an answer stands in the memory of the cell: a pointer in the upper and a length in the lower 32 bits.
pub(super) fn locate(memory: &[u8], location: u64) -> Result<&[u8], ExpressionError> {
    let (start, length) = ((location >> 32) as usize, (location & 0xffff_ffff) as usize);
    memory.get(start..).and_then(|rest| rest.get(..length)).ok_or_else(|| broken("it answered with no answer"))
}

/// What stands in an answer: its first byte says which. The table stands in the module `exports` of the guest.
pub(super) fn read(answer: &[u8]) -> Result<&[u8], ExpressionError> {
    let (kind, content) = answer.split_first().ok_or_else(|| broken("it answered nothing"))?;
    let message = || String::from_utf8_lossy(content).into_owned();
    match kind {
        0 => Ok(content),
        1 => Err(ExpressionError::Failed(message())),
        2 => {
            let (offset, message) = content.split_first_chunk().ok_or_else(|| broken("its answer is too short"))?;
            let offset = u32::from_le_bytes(*offset);
            Err(ExpressionError::Syntax {
                message: String::from_utf8_lossy(message).into_owned(),
                offset: (offset != u32::MAX).then_some(offset as usize),
            })
        }
        3 => Err(too_large()),
        4 => Err(too_deep()),
        5 => Err(ExpressionError::DataLimit(
            "the result of the expression has more than 1000000 values; return less of it".to_owned(),
        )),
        6 => Err(broken(&message())),
        _ => Err(broken("its answer is of an unknown kind")),
    }
}

/// Whether the cell should not be used again after this answer: it left behind what was too much, or is broken.
pub(super) fn spends_cell(answer: &[u8]) -> bool {
    !matches!(answer.first(), Some(0..=2))
}

/// The cell does not keep to the agreement. A bug of ours.
pub(super) fn broken(what: &str) -> ExpressionError {
    ExpressionError::Unavailable(format!("the evaluator and its cell do not understand each other: {what}"))
}
