//! The formats that jaq lacks, or has otherwise than jq: `@csv`, `@tsv`, `@html`, `@base32`, `@base64d`.

use base64::alphabet;
use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};
use jaq_core::ValR;

use crate::json;
use crate::value::{Value, failed};

/// Like jq's: padding may be missing, and bits that belong to no byte are ignored.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// One line of comma-separated values, or of tab-separated ones.
pub(crate) fn row(value: &Value, name: &str, separator: &str, quote: fn(&str) -> String) -> ValR<Value> {
    let Value::Array(items) = value else {
        return failed(format_args!("{} cannot be {name}-formatted, only array", value.described()));
    };
    let mut cells = Vec::with_capacity(items.len());
    for item in items.iter() {
        cells.push(match item {
            Value::Null => String::new(),
            Value::Bool(_) | Value::Number(_) => json::to_text(item),
            Value::String(text) => quote(text),
            other => return failed(format_args!("{} is not valid in a {name} row", other.described())),
        });
    }
    Ok(Value::text(cells.join(separator)))
}

pub(crate) fn quoted_for_csv(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

pub(crate) fn escaped_for_tsv(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

pub(crate) fn escaped_for_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&quot;"),
            char => out.push(char),
        }
    }
    out
}

pub(crate) fn from_base64(text: &str) -> ValR<Value> {
    match BASE64.decode(text.trim_end()) {
        Ok(bytes) => Ok(Value::lossy(&bytes)),
        Err(_) => failed(format_args!("{} is not valid base64 data", Value::text(text).described())),
    }
}

pub(crate) fn to_base32(text: &str) -> String {
    let mut out = String::with_capacity(text.len().div_ceil(5) * 8);
    for chunk in text.as_bytes().chunks(5) {
        let bits = (0..5).fold(0u64, |bits, at| bits << 8 | u64::from(chunk.get(at).copied().unwrap_or(0)));
        let digits = (chunk.len() * 8).div_ceil(5);
        for digit in 0..8 {
            let value = (bits >> (35 - 5 * digit)) as usize & 31;
            out.push(if digit < digits { char::from(BASE32[value]) } else { '=' });
        }
    }
    out
}

pub(crate) fn from_base32(text: &str) -> ValR<Value> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut count) = (0u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let Some(digit) = BASE32.iter().position(|digit| *digit == byte) else {
            return failed(format_args!("{} is not valid base32 data", Value::text(text).described()));
        };
        bits = bits << 5 | digit as u32;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Ok(Value::lossy(&bytes))
}
