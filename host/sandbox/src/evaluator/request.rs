//! What is sent into the cell: a program, or JSON texts.

use hotcell_expression::ExpressionError;
use serde_json::Value;

use super::limits::{MAX_DATA, MAX_DEPTH, MAX_PROGRAM, MAX_SCHEMA, MAX_VARIABLES};

/// A program with the names of its variables, as `compile` takes them.
pub(super) fn write_program<'a>(
    program: &str,
    variables: impl ExactSizeIterator<Item = &'a str>,
    out: &mut Vec<u8>,
) -> Result<(), ExpressionError> {
    if program.len() > MAX_PROGRAM {
        return Err(too_long("the expression", MAX_PROGRAM));
    }
    if variables.len() > MAX_VARIABLES {
        return Err(ExpressionError::DataLimit(format!(
            "the expression is given {} variables; no more than {MAX_VARIABLES} are possible",
            variables.len()
        )));
    }
    out.clear();
    write_length(variables.len(), out);
    for name in variables {
        if name.len() > MAX_PROGRAM {
            return Err(too_long("the name of a variable", MAX_PROGRAM));
        }
        write_length(name.len(), out);
        out.extend_from_slice(name.as_bytes());
    }
    out.extend_from_slice(program.as_bytes());
    Ok(())
}

fn too_long(what: &str, most: usize) -> ExpressionError {
    ExpressionError::DataLimit(format!(
        "{what} is longer than {} KiB; data belongs into the workflow's input, not into its definition",
        most >> 10
    ))
}

fn write_length(length: usize, out: &mut Vec<u8>) {
    let length = u32::try_from(length).expect("programs, names and their number are bounded");
    out.extend_from_slice(&length.to_le_bytes());
}

/// JSON texts, as `evaluate` takes them. All of them together may take as many bytes as the cell has memory.
pub(super) fn write_values<'a>(
    values: impl Iterator<Item = &'a Value>,
    memory: usize,
    out: &mut Vec<u8>,
) -> Result<(), ExpressionError> {
    out.clear();
    for value in values {
        let end = out.len() + MAX_DATA;
        Json { out, end }.write(value, 0)?;
        out.push(b'\n');
        if out.len() > memory {
            return Err(ExpressionError::MemoryLimit(memory as u64));
        }
    }
    Ok(())
}

/// A schema and the data that should fit it, as `validate` takes them.
pub(super) fn write_schema(schema: &str, data: &Value, out: &mut Vec<u8>) -> Result<(), ExpressionError> {
    if schema.len() > MAX_SCHEMA {
        return Err(too_long("the schema", MAX_SCHEMA));
    }
    out.clear();
    write_length(schema.len(), out);
    out.extend_from_slice(schema.as_bytes());
    let end = out.len() + MAX_DATA;
    Json { out, end }.write(data, 0)
}

/// Writes JSON until it is too much. serde_json's own writer would recurse as deeply as the value is nested.
struct Json<'o> {
    out: &'o mut Vec<u8>,
    end: usize,
}

impl Json<'_> {
    fn write(&mut self, value: &Value, depth: usize) -> Result<(), ExpressionError> {
        match value {
            Value::Array(items) => {
                let depth = descend(depth)?;
                self.out.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        self.out.push(b',');
                    }
                    self.write(item, depth)?;
                }
                self.out.push(b']');
            }
            Value::Object(members) => {
                let depth = descend(depth)?;
                self.out.push(b'{');
                for (at, (name, member)) in members.iter().enumerate() {
                    if at > 0 {
                        self.out.push(b',');
                    }
                    self.scalar(name);
                    self.out.push(b':');
                    self.write(member, depth)?;
                }
                self.out.push(b'}');
            }
            // Before it is copied: a string may be large.
            Value::String(text) if self.out.len() + text.len() > self.end => return Err(too_large()),
            Value::String(text) => self.scalar(text),
            scalar => self.scalar(scalar),
        }
        if self.out.len() > self.end { Err(too_large()) } else { Ok(()) }
    }

    fn scalar(&mut self, scalar: &(impl serde::Serialize + ?Sized)) {
        serde_json::to_writer(&mut *self.out, scalar).expect("a vector takes all, and scalars are always JSON");
    }
}

fn descend(depth: usize) -> Result<usize, ExpressionError> {
    if depth == MAX_DEPTH { Err(too_deep()) } else { Ok(depth + 1) }
}

pub(super) fn too_large() -> ExpressionError {
    ExpressionError::DataLimit(format!(
        "the data is larger than {} MiB; keep less in it, or keep large things outside and pass a reference",
        MAX_DATA >> 20
    ))
}

pub(super) fn too_deep() -> ExpressionError {
    ExpressionError::DataLimit(format!("the data is nested more than {MAX_DEPTH} levels deep"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nested(levels: usize) -> Value {
        (0..levels).fold(json!(1), |inner, _| json!([inner]))
    }

    #[test]
    fn values_are_written_one_per_line() {
        let mut out = Vec::new();
        let values = [json!({"a": [1, 2.5, "x\n"], "b": {}}), json!(null), json!([])];
        write_values(values.iter(), 100, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "{\"a\":[1,2.5,\"x\\n\"],\"b\":{}}\nnull\n[]\n");
    }

    #[test]
    fn values_that_are_too_much_are_refused() {
        let mut out = Vec::new();
        write_values([nested(100)].iter(), 1000, &mut out).unwrap();
        assert_eq!(write_values([nested(101)].iter(), 1000, &mut out), Err(too_deep()));
        let large = json!("x".repeat(MAX_DATA));
        assert_eq!(write_values([large].iter(), usize::MAX, &mut out), Err(too_large()));
        let many: Vec<_> = (0..200).map(|_| json!("abcdef")).collect();
        assert_eq!(write_values(many.iter(), 1000, &mut out), Err(ExpressionError::MemoryLimit(1000)));
    }
}
