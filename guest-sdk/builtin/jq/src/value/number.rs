//! Numbers.

use std::cmp::Ordering;

/// A number: an integer as long as it is one that the host's JSON can hold exactly (-2^63 to 2^64-1), and a double
/// otherwise. jq itself has only doubles, and so rounds integers above 2^53.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Int(i64),
    /// Above `i64::MAX`; others are an `Int`, always.
    Large(u64),
    Float(f64),
}

/// The integers that doubles hold without gaps.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Number {
    /// The result of a computation: without a fraction it is an integer, as jq prints it.
    pub(crate) fn computed(number: f64) -> Self {
        if number.fract() == 0.0 && number.abs() <= EXACT && !(number == 0.0 && number.is_sign_negative()) {
            Number::Int(number as i64)
        } else {
            Number::Float(number)
        }
    }

    /// An integer, or the nearest double if it is out of range.
    pub(crate) fn from_wide(number: i128) -> Self {
        if let Ok(number) = i64::try_from(number) {
            Number::Int(number)
        } else if let Ok(number) = u64::try_from(number) {
            Number::Large(number)
        } else {
            Number::Float(number as f64)
        }
    }

    /// A number as it stands in a program or a string. `1.0` keeps its fraction as long as nobody computes with it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Ok(number) = text.parse() {
            return Some(Number::Int(number));
        }
        if let Ok(number) = text.parse() {
            return Some(Number::Large(number));
        }
        let float: f64 = text.parse().ok()?;
        Some(if text.contains(['e', 'E']) { Number::computed(float) } else { Number::Float(float) })
    }

    pub(crate) fn as_f64(self) -> f64 {
        match self {
            Number::Int(number) => number as f64,
            Number::Large(number) => number as f64,
            Number::Float(number) => number,
        }
    }

    /// The integer that it is.
    pub(crate) fn as_wide(self) -> Option<i128> {
        match self {
            Number::Int(number) => Some(number.into()),
            Number::Large(number) => Some(number.into()),
            Number::Float(number) if number.fract() == 0.0 && number.abs() <= EXACT => Some(number as i128),
            Number::Float(_) => None,
        }
    }

    /// The number without its fraction, which indices do not have. What is out of range becomes the nearest.
    pub(crate) fn truncated(self) -> i64 {
        match self {
            Number::Int(number) => number,
            Number::Large(_) => i64::MAX,
            Number::Float(number) => number as i64,
        }
    }

    pub(crate) fn is_nan(self) -> bool {
        matches!(self, Number::Float(number) if number.is_nan())
    }

    pub(crate) fn add(self, other: Self) -> Self {
        self.compute(other, i64::checked_add, i128::checked_add, |a, b| a + b)
    }

    pub(crate) fn subtract(self, other: Self) -> Self {
        self.compute(other, i64::checked_sub, i128::checked_sub, |a, b| a - b)
    }

    pub(crate) fn multiply(self, other: Self) -> Self {
        self.compute(other, i64::checked_mul, i128::checked_mul, |a, b| a * b)
    }

    /// `None` if the divisor is zero.
    pub(crate) fn divide(self, other: Self) -> Option<Self> {
        if other.as_f64() == 0.0 {
            return None;
        }
        if let (Some(a), Some(b)) = (self.as_wide(), other.as_wide())
            && a % b == 0
            && a != 0
        {
            return Some(Number::from_wide(a / b));
        }
        Some(Number::computed(self.as_f64() / other.as_f64()))
    }

    /// Of what remains of both without their fractions, with the sign of the dividend. `None` if the divisor is zero.
    pub(crate) fn remainder(self, other: Self) -> Option<Self> {
        if self.is_nan() || other.is_nan() {
            return Some(Number::Float(f64::NAN));
        }
        let whole = |number: Number| match number {
            Number::Float(number) => i128::from(number as i64),
            Number::Int(number) => number.into(),
            Number::Large(number) => number.into(),
        };
        whole(self).checked_rem(whole(other)).map(Number::from_wide)
    }

    pub(crate) fn negate(self) -> Self {
        match self {
            Number::Int(0) => Number::Float(-0.0),
            Number::Float(number) => Number::Float(-number),
            Number::Int(_) | Number::Large(_) => Number::Int(0).subtract(self),
        }
    }

    pub(crate) fn absolute(self) -> Self {
        if self.as_f64() < 0.0 { self.negate() } else { self }
    }

    fn compute(
        self,
        other: Self,
        narrow: fn(i64, i64) -> Option<i64>,
        wide: fn(i128, i128) -> Option<i128>,
        float: fn(f64, f64) -> f64,
    ) -> Self {
        if let (Number::Int(a), Number::Int(b)) = (self, other)
            && let Some(result) = narrow(a, b)
        {
            return Number::Int(result);
        }
        if let (Some(a), Some(b)) = (self.as_wide(), other.as_wide())
            && let Some(result) = wide(a, b)
            && !matches!((self, other), (Number::Float(_), Number::Float(_)))
        {
            return Number::from_wide(result);
        }
        Number::computed(float(self.as_f64(), other.as_f64()))
    }

    /// The order by which values are sorted: all that are not a number are equal, and less than the others.
    pub(crate) fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => a.cmp(&b),
            (Number::Large(a), Number::Large(b)) => a.cmp(&b),
            (Number::Int(_), Number::Large(_)) => Ordering::Less,
            (Number::Large(_), Number::Int(_)) => Ordering::Greater,
            (a, b) => {
                let (a, b) = (a.as_f64(), b.as_f64());
                a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
            }
        }
    }
}
