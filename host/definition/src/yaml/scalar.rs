//! Plain scalars by the core schema of YAML 1.2 (section 10.3.2), which for JSON's scalars is JSON's meaning.
//!
//! `yes`, `no`, `on` and `off` are strings, dates too. An integer beyond 64 bits becomes a floating-point number, as it
//! does in jq. Infinity and not-a-number are refused, as JSON has neither.

use serde_json::{Number, Value};

/// A number that JSON does not have.
#[derive(Debug, PartialEq)]
pub(crate) struct NotFinite;

/// What a plain scalar means.
pub(crate) fn plain(text: &str) -> Result<Value, NotFinite> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        ".nan" | ".NaN" | ".NAN" => return Err(NotFinite),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Err(NotFinite);
    }
    if is_digits(unsigned) {
        return match (text.strip_prefix('+').unwrap_or(text)).parse::<i64>() {
            Ok(number) => Ok(number.into()),
            Err(_) => match text.strip_prefix('+').unwrap_or(text).parse::<u64>() {
                Ok(number) => Ok(number.into()),
                Err(_) => float(text),
            },
        };
    }
    if let Some(octal) = text.strip_prefix("0o").filter(|digits| digits.bytes().all(|b| matches!(b, b'0'..=b'7'))) {
        return radix(octal, 8, text);
    }
    if let Some(hex) = text.strip_prefix("0x").filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit())) {
        return radix(hex, 16, text);
    }
    if is_float(unsigned) { float(text) } else { Ok(text.into()) }
}

fn radix(digits: &str, base: u32, text: &str) -> Result<Value, NotFinite> {
    if digits.is_empty() {
        return Ok(text.into());
    }
    match u64::from_str_radix(digits, base) {
        Ok(number) => Ok(number.into()),
        Err(_) => {
            let number = digits
                .chars()
                .filter_map(|digit| digit.to_digit(base))
                .fold(0.0, |number: f64, digit| number * f64::from(base) + f64::from(digit));
            Number::from_f64(number).map(Value::Number).ok_or(NotFinite)
        }
    }
}

fn float(text: &str) -> Result<Value, NotFinite> {
    text.parse().ok().and_then(Number::from_f64).map(Value::Number).ok_or(NotFinite)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`, after the sign.
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => is_digits(fraction),
        Some((whole, fraction)) => is_digits(whole) && (fraction.is_empty() || is_digits(fraction)),
        None => is_digits(mantissa),
    };
    mantissa_fits && exponent.is_none_or(|digits| is_digits(digits.strip_prefix(['-', '+']).unwrap_or(digits)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_scalars_mean_what_the_core_schema_says() {
        for (text, value) in [
            ("", json!(null)),
            ("~", json!(null)),
            ("null", json!(null)),
            ("nULL", json!("nULL")),
            ("true", json!(true)),
            ("FALSE", json!(false)),
            ("yes", json!("yes")),
            ("No", json!("No")),
            ("on", json!("on")),
            ("0", json!(0)),
            ("-17", json!(-17)),
            ("+17", json!(17)),
            ("007", json!(7)),
            ("0o17", json!(15)),
            ("0x1F", json!(31)),
            ("0x", json!("0x")),
            ("0o8", json!("0o8")),
            ("-0x1", json!("-0x1")),
            ("18446744073709551615", json!(u64::MAX)),
            ("18446744073709551616", json!(18446744073709551616.0)),
            ("1.5", json!(1.5)),
            ("1.", json!(1.0)),
            (".5", json!(0.5)),
            ("-.5e3", json!(-500.0)),
            ("1e3", json!(1000.0)),
            ("1.0.3", json!("1.0.3")),
            (".", json!(".")),
            ("-", json!("-")),
            ("1e", json!("1e")),
            ("e1", json!("e1")),
            ("1_000", json!("1_000")),
            ("2024-07-26", json!("2024-07-26")),
        ] {
            assert_eq!(plain(text), Ok(value), "{text:?}");
        }
    }

    #[test]
    fn numbers_that_json_does_not_have_are_refused() {
        for text in [".inf", "-.INF", "+.Inf", ".nan", "1e999", "-1e999"] {
            assert_eq!(plain(text), Err(NotFinite), "{text}");
        }
    }
}
