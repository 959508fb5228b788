//! Durations and counts as people read them.

use std::time::Duration;

use jiff::Timestamp;

/// The time from one moment to another; nothing if the clocks disagree about which came first.
pub(super) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// A duration with about two digits that matter, in at most seven characters: `85µs`, `12ms`, `4.2s`, `1m 05s`, `2h 10m`.
pub(super) fn duration(duration: Duration) -> String {
    let (micros, seconds) = (duration.as_micros(), duration.as_secs());
    match seconds {
        0 if micros < 1_000 => format!("{micros}µs"),
        0 if micros < 10_000 => format!("{}.{}ms", micros / 1_000, micros / 100 % 10),
        0 => format!("{}ms", micros / 1_000),
        1..60 => format!("{seconds}.{}s", duration.subsec_millis() / 100),
        60..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {:02}m", seconds / 3_600, seconds / 60 % 60),
        86_400..8_640_000 => format!("{}d {:02}h", seconds / 86_400, seconds / 3_600 % 24),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A number with its thousands apart: `1,204`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things: `1 task`, `1,204 tasks`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_as_exact_as_people_need_them() {
        let written = [85, 1_500, 12_900, 999_999, 4_250_000, 65_000_000, 7_805_000_000, 200_000_000_000]
            .map(|micros| duration(Duration::from_micros(micros)));
        assert_eq!(written, ["85µs", "1.5ms", "12ms", "999ms", "4.2s", "1m 05s", "2h 10m", "2d 07h"]);
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(counted(1, "retry", "retries"), "1 retry");
    }
}
