//! From the values of WIT to JSON.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Number, Value};
use wasmtime::component::Val;
use wasmtime::component::types::Type;

use super::budget::Budget;
use crate::{CallError, MAX_JSON_DEPTH, PayloadKind};

/// The largest integer that every reader of JSON keeps exactly (RFC 8259, section 6).
const SAFE: u64 = (1 << 53) - 1;

type Result<T> = core::result::Result<T, CallError>;

/// Makes JSON.
pub(super) struct Lift {
    budget: Budget,
    depth: usize,
}

impl Lift {
    pub(super) fn new(budget: Budget) -> Self {
        Lift { budget, depth: 0 }
    }

    /// The value as JSON. wasmtime has made it of this type.
    pub(super) fn value(&mut self, ty: &Type, value: &Val) -> Result<Value> {
        self.budget.take(0)?;
        Ok(match (ty, value) {
            (_, Val::Bool(value)) => Value::Bool(*value),
            (_, Val::S8(number)) => (*number).into(),
            (_, Val::U8(number)) => (*number).into(),
            (_, Val::S16(number)) => (*number).into(),
            (_, Val::U16(number)) => (*number).into(),
            (_, Val::S32(number)) => (*number).into(),
            (_, Val::U32(number)) => (*number).into(),
            (_, Val::S64(number)) if number.unsigned_abs() <= SAFE => (*number).into(),
            (_, Val::S64(number)) => number.to_string().into(),
            (_, Val::U64(number)) if *number <= SAFE => (*number).into(),
            (_, Val::U64(number)) => number.to_string().into(),
            // The shortest decimal that is this number: 0.1, not 0.10000000149011612.
            (_, Val::Float32(number)) => float(number.to_string().parse().unwrap_or(f64::NAN)),
            (_, Val::Float64(number)) => float(*number),
            (_, Val::Char(character)) => character.to_string().into(),
            (_, Val::String(text)) => text.as_str().into(),
            (Type::List(list), Val::List(values)) => match list.ty() {
                Type::U8 => self.bytes(values)?,
                ty => self.array(values.iter().map(|value| (ty.clone(), value)))?,
            },
            (Type::Tuple(tuple), Val::Tuple(values)) => self.array(tuple.types().zip(values))?,
            (Type::Record(record), Val::Record(values)) => {
                let fields = record.fields().map(|field| field.ty).zip(values);
                self.nested(|lift| {
                    let members = fields.map(|(ty, (name, value))| {
                        lift.budget.take(name.len())?;
                        Ok((name.clone(), lift.value(&ty, value)?))
                    });
                    members.collect::<Result<Map<_, _>>>().map(Value::Object)
                })?
            }
            (Type::Variant(variant), Val::Variant(name, payload)) => {
                self.budget.take(name.len() + variant.cases().len())?;
                match payload {
                    None => name.as_str().into(),
                    Some(payload) => {
                        let ty = variant.cases().find(|case| case.name == name).and_then(|case| case.ty);
                        self.member(name, ty.as_ref(), Some(payload))?
                    }
                }
            }
            (_, Val::Enum(name)) => {
                self.budget.take(name.len())?;
                name.as_str().into()
            }
            (_, Val::Flags(set)) => {
                let flags = set.iter().map(|name| self.budget.take(name.len()).map(|()| name.as_str().into()));
                Value::Array(flags.collect::<Result<_>>()?)
            }
            (Type::Option(_), Val::Option(None)) => Value::Null,
            (Type::Option(option), Val::Option(Some(value))) => match option.ty() {
                inner @ Type::Option(_) => self.member("some", Some(&inner), Some(value))?,
                inner => self.value(&inner, value)?,
            },
            (Type::Result(ty), Val::Result(Ok(value))) => self.member("ok", ty.ok().as_ref(), value.as_deref())?,
            (Type::Result(ty), Val::Result(Err(value))) => self.member("err", ty.err().as_ref(), value.as_deref())?,
            _ => return Err(CallError::Internal { reason: "a value is not of its type".into() }),
        })
    }

    /// The payload of a case, `null` if it has none.
    pub(super) fn payload(&mut self, ty: Option<&Type>, value: Option<&Val>) -> Result<Value> {
        match (ty, value) {
            (Some(ty), Some(value)) => self.value(ty, value),
            _ => Ok(Value::Null),
        }
    }

    /// `{"name": payload}`
    fn member(&mut self, name: &str, ty: Option<&Type>, value: Option<&Val>) -> Result<Value> {
        self.nested(|lift| {
            let value = lift.payload(ty, value)?;
            Ok(Value::Object(Map::from_iter([(name.to_owned(), value)])))
        })
    }

    fn array<'a>(&mut self, elements: impl Iterator<Item = (Type, &'a Val)>) -> Result<Value> {
        self.nested(|lift| elements.map(|(ty, value)| lift.value(&ty, value)).collect::<Result<_>>().map(Value::Array))
    }

    fn bytes(&mut self, values: &[Val]) -> Result<Value> {
        let bytes = values.iter().map(|value| match value {
            Val::U8(byte) => Ok(*byte),
            _ => Err(CallError::Internal { reason: "a byte is none".into() }),
        });
        Ok(BASE64_STANDARD.encode(bytes.collect::<Result<Vec<u8>>>()?).into())
    }

    /// Makes an array or an object, unless it would be nested deeper than anything that is read later.
    fn nested(&mut self, make: impl FnOnce(&mut Self) -> Result<Value>) -> Result<Value> {
        if self.depth == MAX_JSON_DEPTH {
            let reason = format!("it is nested more than {MAX_JSON_DEPTH} levels deep");
            return Err(CallError::InvalidJson { what: PayloadKind::Output, reason });
        }
        self.depth += 1;
        let value = make(self);
        self.depth -= 1;
        value
    }
}

fn float(number: f64) -> Value {
    match Number::from_f64(number) {
        Some(number) => Value::Number(number),
        None if number.is_nan() => "NaN".into(),
        None if number > 0.0 => "Infinity".into(),
        None => "-Infinity".into(),
    }
}
