//! Durations: objects, ISO 8601, expressions.

use jiff::Span as JiffSpan;

use crate::problems::quote;
use crate::reader::{Node, is_expression};
use crate::{Code, Duration, Span};

/// "Duration"
pub(super) fn duration(node: Node<'_>) -> Option<Duration> {
    if node.is_object() {
        return inline(node);
    }
    let expected = "an object such as `{ seconds: 10 }`, or an ISO 8601 duration such as `PT10S`";
    let text = node.as_str().or_else(|| node.wrong_type(expected))?;
    if text.contains("${") {
        let expression = node.expression()?;
        return match is_expression(text) {
            true => Some(Duration::Expression(expression)),
            false => invalid(node, text),
        };
    }
    match parse_iso_8601(text) {
        Some(span) => Some(Duration::Literal(Span(span))),
        None => invalid(node, text),
    }
}

fn invalid<T>(node: Node<'_>, text: &str) -> Option<T> {
    node.error(Code::InvalidDuration, || {
        let help = if text.trim_start().starts_with('-') {
            "A duration cannot be negative."
        } else if text.starts_with(['p', 'P']) && parse_iso_8601(&text.to_uppercase()).is_some() {
            "Write its letters in upper case."
        } else {
            "Write `PT10S`, `PT1H30M`, `P2D`, an object such as `{ seconds: 10 }`, or one `${ }`."
        };
        (format!("`{}` is not an ISO 8601 duration.", quote(text)), help.into())
    })
}

fn inline(node: Node<'_>) -> Option<Duration> {
    let duration = node.object(&["days", "hours", "minutes", "seconds", "milliseconds"])?;
    if node.members().next().is_none() {
        return node.error(Code::InvalidDuration, || {
            (
                "The duration is empty.".into(),
                "Add one of `days`, `hours`, `minutes`, `seconds`, `milliseconds`.".into(),
            )
        });
    }
    type Set = fn(JiffSpan, i64) -> Result<JiffSpan, jiff::Error>;
    let units: [(&str, Set); 5] = [
        ("days", |span, count| span.try_days(count)),
        ("hours", |span, count| span.try_hours(count)),
        ("minutes", |span, count| span.try_minutes(count)),
        ("seconds", |span, count| span.try_seconds(count)),
        ("milliseconds", |span, count| span.try_milliseconds(count)),
    ];
    let mut span = Some(JiffSpan::new());
    for (unit, set) in units {
        let Some(node) = duration.get(unit) else { continue };
        let count = node.count(i64::MAX as u64);
        span = match (span, count) {
            (Some(span), Some(count)) => set(span, count as i64).ok().or_else(|| {
                node.error(Code::InvalidDuration, || {
                    (format!("{count} {unit} is too long."), "Use less than some 19,000 years.".into())
                })
            }),
            _ => None,
        };
    }
    Some(Duration::Literal(Span(span?)))
}

/// An ISO 8601 duration by the pattern of the schema: `P[nY][nM][nW][nD][T[nH][nM][nS]]`, where each `n` may have a
/// fraction. Years, months, weeks and days stay what they are, as their length depends on the calendar; the fraction of
/// one becomes smaller units: of a year, months; of a month, days, 30 to the month; of a week, days; of a day, hours.
fn parse_iso_8601(text: &str) -> Option<JiffSpan> {
    let body = text.strip_prefix('P')?;
    let (date, time) = match body.split_once('T') {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return None,
        None => (body, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let [years, months, weeks, days] = components(date, ['Y', 'M', 'W', 'D'])?;
    let [hours, minutes, seconds] = components(time, ['H', 'M', 'S'])?;

    // Fractions in billionths, carried down: what is left of a unit counts in the next smaller one.
    let more_months = years.billionths * 12;
    let more_days = (more_months % BILLION + months.billionths) * 30 + weeks.billionths * 7;
    let day_rest = more_days % BILLION + days.billionths;
    let nanoseconds = day_rest * 86_400 + hours.billionths * 3_600 + minutes.billionths * 60 + seconds.billionths;

    let span = JiffSpan::new()
        .try_years(years.whole)
        .ok()?
        .try_months(months.whole.checked_add(more_months / BILLION)?)
        .ok()?
        .try_weeks(weeks.whole)
        .ok()?
        .try_days(days.whole.checked_add(more_days / BILLION)?)
        .ok()?
        .try_hours(hours.whole)
        .ok()?
        .try_minutes(minutes.whole)
        .ok()?;
    let rest = nanoseconds % BILLION;
    span.try_seconds(seconds.whole.checked_add(nanoseconds / BILLION)?)
        .ok()?
        .try_milliseconds(rest / 1_000_000)
        .ok()?
        .try_microseconds(rest / 1_000 % 1_000)
        .ok()?
        .try_nanoseconds(rest % 1_000)
        .ok()
}

const BILLION: i64 = 1_000_000_000;

/// A number with its fraction in billionths. Digits beyond the ninth are dropped.
#[derive(Clone, Copy, Default)]
struct Number {
    whole: i64,
    billionths: i64,
}

/// Numbers with designators, each at most once and in this order.
fn components<const N: usize>(mut text: &str, designators: [char; N]) -> Option<[Number; N]> {
    let mut numbers = [Number::default(); N];
    for (number, designator) in numbers.iter_mut().zip(designators) {
        let Some((digits, rest)) = text.split_once(designator) else { continue };
        *number = parse_number(digits)?;
        text = rest;
    }
    text.is_empty().then_some(numbers)
}

fn parse_number(text: &str) -> Option<Number> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    let nine: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    Some(Number { whole: whole.parse().ok()?, billionths: nine.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    #[test]
    fn iso_8601_durations_keep_their_units() {
        for (text, span) in [
            ("PT30S", 30.seconds()),
            ("PT0S", 0.seconds()),
            ("P1Y2M3W4DT5H6M7S", 1.year().months(2).weeks(3).days(4).hours(5).minutes(6).seconds(7)),
            ("P1M", 1.month()),
            ("PT1M", 1.minute()),
            ("PT0.25S", 250.milliseconds()),
            ("PT1.5H", 1.hour().seconds(1_800)),
            ("PT0.000001S", 1.microsecond()),
            ("P0.5D", 43_200.seconds()),
            ("P1.5W", 1.week().days(3).seconds(43_200)),
            ("P0.5Y", 6.months()),
            ("P0.5M", 15.days()),
            ("PT0.1234567899S", 123.milliseconds().microseconds(456).nanoseconds(789)),
        ] {
            assert_eq!(Span(parse_iso_8601(text).expect(text)), Span(span), "{text}");
        }
    }

    #[test]
    fn what_the_pattern_of_the_schema_refuses_is_no_duration() {
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "1D",
            "PT1D",
            "P1S",
            "P1DT",
            "P1D2Y",
            "-PT1S",
            "PT-1S",
            "PT.5S",
            "PT1.S",
            "pt1s",
            "P1D1D",
            "PT99999999999999999999S",
            "P99999Y",
        ] {
            assert!(parse_iso_8601(text).is_none(), "{text}");
        }
    }
}
