//! `+`, `-`, `*`, `/` and `%`.

use std::collections::BTreeSet;
use std::ops::{Add, Div, Mul, Neg, Rem, Sub};
use std::rc::Rc;

use jaq_core::ValR;

use super::{Map, Number, Value, failed};

fn refused(left: &Value, right: &Value, verb: &str) -> ValR<Value> {
    failed(format_args!("{} and {} cannot be {verb}", left.described(), right.described()))
}

impl Add for Value {
    type Output = ValR<Value>;

    fn add(self, other: Self) -> ValR<Value> {
        Ok(match (self, other) {
            (Value::Null, value) | (value, Value::Null) => value,
            (Value::Number(a), Value::Number(b)) => Value::Number(a.add(b)),
            (Value::String(mut a), Value::String(b)) => {
                Rc::make_mut(&mut a).push_str(&b);
                Value::String(a)
            }
            (Value::Array(mut a), Value::Array(b)) => {
                Rc::make_mut(&mut a).extend(b.iter().cloned());
                Value::Array(a)
            }
            (Value::Object(mut a), Value::Object(b)) => {
                Rc::make_mut(&mut a).extend(b.iter().map(|(name, value)| (Rc::clone(name), value.clone())));
                Value::Object(a)
            }
            (a, b) => return refused(&a, &b, "added"),
        })
    }
}

impl Sub for Value {
    type Output = ValR<Value>;

    fn sub(self, other: Self) -> ValR<Value> {
        Ok(match (self, other) {
            (Value::Number(a), Value::Number(b)) => Value::Number(a.subtract(b)),
            (Value::Array(mut a), Value::Array(b)) => {
                let removed: BTreeSet<&Value> = b.iter().collect();
                Rc::make_mut(&mut a).retain(|item| !removed.contains(item));
                Value::Array(a)
            }
            (a, b) => return refused(&a, &b, "subtracted"),
        })
    }
}

impl Mul for Value {
    type Output = ValR<Value>;

    fn mul(self, other: Self) -> ValR<Value> {
        Ok(match (self, other) {
            (Value::Number(a), Value::Number(b)) => Value::Number(a.multiply(b)),
            (Value::String(text), Value::Number(times)) | (Value::Number(times), Value::String(text)) => {
                repeated(&text, times)
            }
            (Value::Object(mut a), Value::Object(b)) => {
                merge(&mut a, &b);
                Value::Object(a)
            }
            (a, b) => return refused(&a, &b, "multiplied"),
        })
    }
}

/// As often as the number says, a broken time included; null if it is not above zero.
fn repeated(text: &str, times: Number) -> Value {
    let times = times.as_f64();
    if times > 0.0 { Value::text(text.repeat(times.max(1.0) as usize)) } else { Value::Null }
}

/// Merges objects, those inside them too.
fn merge(into: &mut Rc<Map>, from: &Map) {
    let into = Rc::make_mut(into);
    for (name, value) in from {
        match (into.get_mut(name), value) {
            (Some(Value::Object(inner)), Value::Object(from)) => merge(inner, from),
            (Some(present), value) => *present = value.clone(),
            (None, value) => {
                into.insert(Rc::clone(name), value.clone());
            }
        }
    }
}

impl Div for Value {
    type Output = ValR<Value>;

    fn div(self, other: Self) -> ValR<Value> {
        match (&self, &other) {
            (Value::Number(a), Value::Number(b)) => match a.divide(*b) {
                Some(quotient) => Ok(Value::Number(quotient)),
                None => refused(&self, &other, "divided because the divisor is zero"),
            },
            (Value::String(text), Value::String(_)) if text.is_empty() => Ok(Value::array(Vec::new())),
            (Value::String(text), Value::String(by)) if by.is_empty() => Ok(text.chars().map(Value::text).collect()),
            (Value::String(text), Value::String(by)) => Ok(text.split(by.as_str()).map(Value::text).collect()),
            _ => refused(&self, &other, "divided"),
        }
    }
}

impl Rem for Value {
    type Output = ValR<Value>;

    fn rem(self, other: Self) -> ValR<Value> {
        match (&self, &other) {
            (Value::Number(a), Value::Number(b)) => match a.remainder(*b) {
                Some(remainder) => Ok(Value::Number(remainder)),
                None => refused(&self, &other, "divided (remainder) because the divisor is zero"),
            },
            _ => refused(&self, &other, "divided (remainder)"),
        }
    }
}

impl Neg for Value {
    type Output = ValR<Value>;

    fn neg(self) -> ValR<Value> {
        match self {
            Value::Number(number) => Ok(Value::Number(number.negate())),
            other => failed(format_args!("{} cannot be negated", other.described())),
        }
    }
}
