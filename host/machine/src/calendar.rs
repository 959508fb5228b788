//! Durations: from data, and on the calendar.

use hotcell_definition::Span;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Unit};
use serde_json::Value;

/// The end of a duration that starts at `from`. Years, months, weeks and days are those of the calendar in UTC.
/// A time beyond the calendar's end is the calendar's end.
pub(crate) fn after(from: Timestamp, span: &Span) -> Timestamp {
    from.to_zoned_datetime(TimeZone::UTC).checked_add(span.0).map_or(Timestamp::MAX, |end| end.timestamp())
}

/// The length of a duration that starts at `from`.
pub(crate) fn length(from: Timestamp, span: &Span) -> SignedDuration {
    after(from, span).duration_since(from)
}

/// A duration that an expression yielded: an ISO 8601 text, or an object of days, hours, minutes, seconds and
/// milliseconds.
pub(crate) fn from_value(value: &Value) -> Result<Span, String> {
    let span = match value {
        Value::String(text) => {
            text.parse::<jiff::Span>().map_err(|error| format!("{text:?} is not a duration: {error}"))?
        }
        Value::Object(members) if !members.is_empty() => {
            let mut span = jiff::Span::new();
            for (name, value) in members {
                let unit = match name.as_str() {
                    "days" => Unit::Day,
                    "hours" => Unit::Hour,
                    "minutes" => Unit::Minute,
                    "seconds" => Unit::Second,
                    "milliseconds" => Unit::Millisecond,
                    other => return Err(format!("a duration has no {other:?}")),
                };
                let amount =
                    whole_number(value).ok_or_else(|| format!("{name} must be a whole number, not {value}"))?;
                span = add_unit(span, unit, amount).map_err(|error| format!("{name}: {error}"))?;
            }
            span
        }
        other => {
            return Err(format!("a duration is text like PT10S or an object like {{\"seconds\": 10}}, not {other}"));
        }
    };
    if span.is_negative() { Err("a duration must not be negative".into()) } else { Ok(Span(span)) }
}

/// A whole number, in whatever notation: jq makes no difference between 2 and 2.0.
pub(crate) fn whole_number(value: &Value) -> Option<i64> {
    /// Beyond it not every whole number has a double, so that a double says nothing about which was meant.
    const EXACT: f64 = (1u64 << 53) as f64;
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= EXACT)?;
        Some(number as i64)
    })
}

fn add_unit(span: jiff::Span, unit: Unit, amount: i64) -> Result<jiff::Span, jiff::Error> {
    match unit {
        Unit::Day => span.try_days(amount),
        Unit::Hour => span.try_hours(amount),
        Unit::Minute => span.try_minutes(amount),
        Unit::Second => span.try_seconds(amount),
        _ => span.try_milliseconds(amount),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn months_are_those_of_the_calendar() {
        let start: Timestamp = "2024-01-31T12:00:00Z".parse().unwrap();
        let month = from_value(&json!("P1M")).unwrap();
        assert_eq!(after(start, &month).to_string(), "2024-02-29T12:00:00Z");
    }

    #[test]
    fn a_duration_beyond_the_calendar_ends_with_it() {
        let long = from_value(&json!({"hours": 100_000_000})).unwrap();
        assert_eq!(after(Timestamp::UNIX_EPOCH, &long), Timestamp::MAX);
    }

    #[test]
    fn a_whole_number_may_have_a_decimal_point() {
        assert_eq!(from_value(&json!({"seconds": 2.0})), from_value(&json!({"seconds": 2})));
        assert_eq!(whole_number(&json!(-3.0)), Some(-3));
        for no in [json!(2.5), json!(1e300), json!("2"), json!(null), json!(u64::MAX)] {
            assert_eq!(whole_number(&no), None, "{no}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_the_reason() {
        for (value, reason) in [
            (json!("tomorrow"), "\"tomorrow\" is not a duration"),
            (json!({"seconds": "3"}), "seconds must be a whole number, not \"3\""),
            (json!({"weeks": 1}), "a duration has no \"weeks\""),
            (json!({"seconds": -3}), "a duration must not be negative"),
            (json!({"seconds": i64::MAX}), "seconds:"),
            (json!(3), "a duration is text like PT10S"),
        ] {
            let error = from_value(&value).unwrap_err();
            assert!(error.starts_with(reason), "{value}: {error}");
        }
    }
}
