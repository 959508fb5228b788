//! Amounts as people write them: `128MiB`, `10s`, `1000`.

use jiff::SignedDuration;
use serde_json::Value;

/// What an amount counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Time,
    /// Things.
    Count,
}

const BINARY: [(&str, u32); 3] = [("GiB", 30), ("MiB", 20), ("KiB", 10)];

/// The longest amount, in characters. Answers a text of megabytes as a duration.
const MAX_CHARACTERS: usize = 40;

impl Unit {
    /// What a value says, or what it should look like.
    pub(crate) fn read(self, value: &Value) -> Result<u64, &'static str> {
        let text = value.as_str().filter(|text| text.len() <= MAX_CHARACTERS).map(str::trim);
        match self {
            Unit::Bytes => {
                let advice = "Write a size such as `128MiB`, `64KiB` or `1GiB`, or a number of bytes.";
                value.as_u64().or_else(|| text.and_then(bytes)).ok_or(advice)
            }
            Unit::Count => value.as_u64().ok_or("Write a whole number, such as `1000`."),
            Unit::Time => {
                let advice = "Write a duration such as `10s`, `500ms`, `2m` or `PT10S`.";
                text.and_then(milliseconds).ok_or(advice)
            }
        }
    }

    /// An amount in the form in which it can be read again.
    pub(crate) fn show(self, amount: u64) -> String {
        match self {
            Unit::Count => amount.to_string(),
            Unit::Bytes => {
                let unit = BINARY.iter().find(|(_, shift)| amount >= 1 << shift && amount.trailing_zeros() >= *shift);
                unit.map_or_else(|| format!("{amount}B"), |(name, shift)| format!("{}{name}", amount >> shift))
            }
            Unit::Time => match amount {
                0 => "0s".into(),
                amount if amount % 3_600_000 == 0 => format!("{}h", amount / 3_600_000),
                amount if amount % 60_000 == 0 => format!("{}m", amount / 60_000),
                amount if amount % 1_000 == 0 => format!("{}s", amount / 1_000),
                amount => format!("{amount}ms"),
            },
        }
    }
}

/// A number and a unit of powers of 1,024. `MB` is not read: to some it is a million, to others 1,048,576.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim_start() {
        "B" => 0,
        unit => BINARY.iter().find(|(name, _)| *name == unit)?.1,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// A duration, ISO 8601 or as jiff writes it for people, rounded up: a limit of less than a millisecond is one, not none.
fn milliseconds(text: &str) -> Option<u64> {
    let duration: SignedDuration = text.parse().ok()?;
    let nanoseconds = u128::try_from(duration.as_nanos()).ok()?;
    u64::try_from(nanoseconds.div_ceil(1_000_000)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them_and_ambiguous_ones_are_not() {
        for (text, expected) in [("128MiB", 128 << 20), ("64 KiB", 64 << 10), ("1GiB", 1 << 30), ("17B", 17)] {
            assert_eq!(Unit::Bytes.read(&json!(text)), Ok(expected), "{text}");
        }
        assert_eq!(Unit::Bytes.read(&json!(4096)), Ok(4096));
        for wrong in [
            json!("128MB"),
            json!("128"),
            json!("MiB"),
            json!("99999999999GiB"),
            json!(-1),
            json!(1.5),
            json!("1.5MiB"),
        ] {
            assert!(Unit::Bytes.read(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        for (text, expected) in [("10s", 10_000), ("PT10S", 10_000), ("500ms", 500), ("1m 30s", 90_000), ("1us", 1)] {
            assert_eq!(Unit::Time.read(&json!(text)), Ok(expected), "{text}");
        }
        for wrong in [json!(10), json!("10"), json!("-5s"), json!("P1M"), json!("soon"), json!("1s".repeat(100))] {
            assert!(Unit::Time.read(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        for unit in [Unit::Bytes, Unit::Time] {
            for amount in [0, 1, 999, 1_000, 1_024, 60_000, 90_000, 3_600_000, 128 << 20, 5 << 30] {
                assert_eq!(unit.read(&json!(unit.show(amount))), Ok(amount), "{}", unit.show(amount));
            }
        }
    }
}
