//! Whether a schedule can be run, told before it is.

use hotcell_definition::{Code, Definition, Diagnostic, Locations, Severity};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{ScheduleError, Timetable};

/// Why the schedule of a definition cannot be run from now on: the same that running it would say. Nothing if there is none, or one
/// that waits for events.
pub fn check_schedule(definition: &Definition, locations: &Locations, now: Timestamp) -> Option<Diagnostic> {
    let schedule = definition.schedule.as_ref()?;
    let error = match Timetable::new(schedule, TimeZone::UTC) {
        Ok(timetable) if timetable.first(now).is_some() => return None,
        Ok(_) => ScheduleError::Never,
        Err(ScheduleError::NoTimes) => return None,
        Err(error) => error,
    };
    let pointer = error.pointer();
    let (code, what) = match pointer {
        "/schedule/cron" => (Code::InvalidCron, "cron expression"),
        _ => (Code::InvalidDuration, "duration"),
    };
    Some(Diagnostic {
        severity: Severity::Error,
        code,
        place: locations.pointer(pointer),
        pointer: pointer.to_owned(),
        message: format!("The workflow cannot be run by this {what}: {error}."),
        help: "Without --schedule, the workflow runs all the same, once.".into(),
        related: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schedule: &str) -> Option<(Code, String)> {
        let text = format!(
            "document: {{ dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }}\nschedule: {schedule}\ndo: [ {{ a: {{ set: {{}} }} }} ]"
        );
        let parsed = Definition::parse(text.as_bytes()).expect(schedule);
        let now = "2026-01-01T00:00:00Z".parse().expect("a time");
        check_schedule(&parsed.definition, &parsed.locations, now).map(|found| (found.code, found.message))
    }

    #[test]
    fn what_a_schedule_would_be_refused_for_is_found_before() {
        for (schedule, code, part) in [
            ("{ cron: 'CRON_TZ=Nowhere/X 0 9 * * *' }", Code::InvalidCron, "Nowhere/X"),
            ("{ cron: '0 0 31 2 *' }", Code::InvalidCron, "no such time"),
            ("{ every: PT0S }", Code::InvalidDuration, "no length"),
            ("{ after: '${ .x }' }", Code::InvalidDuration, "no data"),
        ] {
            let (found, message) = check(schedule).expect(schedule);
            assert!(found == code && message.contains(part), "{schedule}: {message}");
        }
    }

    #[test]
    fn what_can_be_run_is_not_told_of() {
        for schedule in
            ["{ cron: '0 0 29 2 *' }", "{ every: PT1S }", "{ after: P1D }", "{ on: { one: { with: { type: a } } } }"]
        {
            assert_eq!(check(schedule), None, "{schedule}");
        }
    }
}
