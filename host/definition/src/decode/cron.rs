//! Cron expressions: the fields are checked here, the time zone where zones are known.

use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};

use crate::problems::quote;
use crate::reader::Node;
use crate::{Code, CronExpression};

/// The longest cron expression, in bytes. Answers fields that list millions of values.
const MAX_BYTES: usize = 512;
/// The longest name of a time zone.
const MAX_ZONE_BYTES: usize = 64;

/// `schedule.cron`
pub(super) fn cron(node: Node<'_>) -> Option<Box<CronExpression>> {
    let text = node.text()?;
    match parse(&text) {
        Ok(cron) => Some(Box::new(cron)),
        Err(reason) => node.error(Code::InvalidCron, || {
            let help = "Write five fields, `minute hour day month weekday`, `0 9 * * MON-FRI` for example; six, with \
                        seconds before them; or @hourly, @daily, @weekly, @monthly or @yearly. A time zone may stand \
                        before them, `CRON_TZ=Europe/Paris 0 9 * * *`.";
            (format!("`{}` is not a cron expression: {reason}.", quote(&text)), help.into())
        }),
    }
}

fn parse(text: &str) -> Result<CronExpression, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("it is longer than {MAX_BYTES} bytes"));
    }
    let trimmed = text.trim();
    let (zone, fields) = match trimmed.strip_prefix("CRON_TZ=").or_else(|| trimmed.strip_prefix("TZ=")) {
        Some(rest) => {
            let (zone, fields) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            (Some(checked_zone(zone)?), fields)
        }
        None => (None, trimmed),
    };
    // A seventh field, the year, is an invention of single programs.
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    let fields = parser.parse(fields).map_err(|error| reason(&error))?;
    Ok(CronExpression { text: text.to_owned(), zone, fields })
}

/// A name as the time zone database has them, `America/Argentina/Buenos_Aires` for example.
fn checked_zone(zone: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'+');
    if zone.is_empty() || zone.len() > MAX_ZONE_BYTES || !zone.bytes().all(allowed) {
        return Err("its time zone is not a name such as Europe/Paris".into());
    }
    Ok(zone.to_owned())
}

/// Why the fields are none, as the end of a sentence.
fn reason(error: &CronError) -> String {
    match error {
        CronError::EmptyPattern => "it has no fields".into(),
        CronError::InvalidPattern(reason)
        | CronError::IllegalCharacters(reason)
        | CronError::ComponentError(reason) => quote(reason.trim_end_matches('.')),
        other => quote(other.to_string().trim_end_matches('.')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_and_six_fields_names_ranges_steps_and_lists_are_cron_expressions() {
        for text in [
            "0 0 * * *",
            "*/15 9-17 * * MON-FRI",
            "0 0 1,15 JAN,jul *",
            "30 0 0 L * *",
            "0 0 * * 5#2",
            "0 0 15W * ?",
            "@daily",
            " 0 0 * * 7 ",
        ] {
            assert_eq!(parse(text).expect(text).zone, None, "{text}");
        }
    }

    #[test]
    fn a_time_zone_may_stand_before_the_fields() {
        for (text, zone) in [
            ("CRON_TZ=Europe/Paris 0 9 * * *", "Europe/Paris"),
            ("TZ=America/Argentina/Buenos_Aires 0 0 9 * * *", "America/Argentina/Buenos_Aires"),
            ("TZ=Etc/GMT+3\t@daily", "Etc/GMT+3"),
        ] {
            assert_eq!(parse(text).expect(text).zone.as_deref(), Some(zone));
        }
    }

    #[test]
    fn what_is_no_cron_expression_is_refused_with_the_reason() {
        let long = "1,".repeat(MAX_BYTES);
        for (text, reason) in [
            ("* * * *", "fields"),
            ("* * * * * * *", "fields"),
            ("60 * * * *", "bounds"),
            ("* * * * FUNDAY", "illegal"),
            ("@reboot", "fields"),
            ("TZ= 0 0 * * *", "time zone"),
            ("TZ=../../etc/passwd 0 0 * * *", "time zone"),
            ("TZ=Europe/Paris", "no fields"),
            (&long, "longer than"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
