use std::time::Instant;

use hotcell_definition::Definition;
use jiff::civil::DateTime;
use jiff::{ToSpan, ZonedDateTime};
use proptest::prelude::*;

use super::*;

fn schedule(text: &str) -> Schedule {
    let document = format!(
        "document: {{ dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }}\nschedule: {text}\ndo: []\n"
    );
    let parsed = Definition::parse(document.as_bytes()).expect("a valid document");
    parsed.definition.schedule.expect("a schedule")
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("a time zone")
}

fn timetable(text: &str, name: &str) -> Timetable {
    Timetable::new(&schedule(text), zone(name)).expect("a timetable")
}

/// The first times of a schedule that begins at this local time, as local times.
fn times(text: &str, zone_name: &str, begun: &str, count: usize) -> Vec<String> {
    let timetable = timetable(text, zone_name);
    let begun: DateTime = begun.parse().expect("a local time");
    let begun = begun.to_zoned_datetime(zone(zone_name)).expect("in range").timestamp();
    let mut times = Vec::new();
    let mut next = timetable.first(begun);
    while let Some(time) = next.filter(|_| times.len() < count) {
        times.push(time.to_zoned_datetime(zone(zone_name)).strftime("%F %T%:::z").to_string());
        next = timetable.next(begun, time);
    }
    times
}

#[test]
fn an_interval_begins_at_once_and_goes_on_at_its_multiples() {
    assert_eq!(
        times("{ every: PT90M }", "UTC", "2026-01-01T00:00:00", 3),
        ["2026-01-01 00:00:00+00", "2026-01-01 01:30:00+00", "2026-01-01 03:00:00+00"]
    );
}

#[test]
fn an_interval_of_a_month_is_counted_from_the_first_run_and_ends_with_short_months() {
    assert_eq!(
        times("{ every: P1M }", "UTC", "2024-01-31T12:00:00", 4),
        ["2024-01-31 12:00:00+00", "2024-02-29 12:00:00+00", "2024-03-31 12:00:00+00", "2024-04-30 12:00:00+00"]
    );
}

#[test]
fn an_interval_of_a_day_keeps_its_hour_in_summer_and_one_of_hours_does_not() {
    assert_eq!(
        times("{ every: { days: 1 } }", "Europe/Berlin", "2026-03-28T09:00:00", 3),
        ["2026-03-28 09:00:00+01", "2026-03-29 09:00:00+02", "2026-03-30 09:00:00+02"]
    );
    assert_eq!(
        times("{ every: { hours: 24 } }", "Europe/Berlin", "2026-03-28T09:00:00", 2),
        ["2026-03-28 09:00:00+01", "2026-03-29 10:00:00+02"]
    );
}

#[test]
fn cron_begins_at_its_next_time() {
    assert_eq!(
        times("{ cron: 0 9 * * MON-FRI }", "UTC", "2026-01-02T09:00:00", 2),
        ["2026-01-05 09:00:00+00", "2026-01-06 09:00:00+00"]
    );
    assert_eq!(
        times("{ cron: '*/20 * * * * *' }", "UTC", "2026-01-02T09:00:30", 2),
        ["2026-01-02 09:00:40+00", "2026-01-02 09:01:00+00"]
    );
}

#[test]
fn cron_knows_leap_years_and_the_ends_of_months() {
    assert_eq!(
        times("{ cron: 0 0 29 2 * }", "UTC", "2026-01-01T00:00:00", 2),
        ["2028-02-29 00:00:00+00", "2032-02-29 00:00:00+00"]
    );
    assert_eq!(
        times("{ cron: 0 0 L * * }", "UTC", "2027-01-15T00:00:00", 3),
        ["2027-01-31 00:00:00+00", "2027-02-28 00:00:00+00", "2027-03-31 00:00:00+00"]
    );
    assert_eq!(
        times("{ cron: 0 0 31 * * }", "UTC", "2026-01-31T00:00:00", 2),
        ["2026-03-31 00:00:00+00", "2026-05-31 00:00:00+00"]
    );
}

#[test]
fn a_time_that_the_clock_jumps_over_comes_after_the_jump() {
    assert_eq!(
        times("{ cron: 30 2 * * * }", "Europe/Berlin", "2026-03-28T00:00:00", 3),
        ["2026-03-28 02:30:00+01", "2026-03-29 03:00:00+02", "2026-03-30 02:30:00+02"]
    );
}

#[test]
fn a_time_that_the_clock_shows_twice_comes_once_and_an_interval_in_both_hours() {
    assert_eq!(
        times("{ cron: 30 2 * * * }", "Europe/Berlin", "2026-10-25T00:00:00", 2),
        ["2026-10-25 02:30:00+02", "2026-10-26 02:30:00+01"]
    );
    assert_eq!(
        times("{ cron: '*/30 * * * *' }", "Europe/Berlin", "2026-10-25T01:30:00", 5),
        [
            "2026-10-25 02:00:00+02",
            "2026-10-25 02:30:00+02",
            "2026-10-25 02:00:00+01",
            "2026-10-25 02:30:00+01",
            "2026-10-25 03:00:00+01"
        ]
    );
}

#[test]
fn the_time_zone_of_the_expression_wins() {
    let in_tokyo = timetable("{ cron: 'CRON_TZ=Asia/Tokyo 0 9 * * *' }", "Europe/Berlin");
    let begun: Timestamp = "2026-01-01T12:00:00Z".parse().expect("a time");
    assert_eq!(in_tokyo.first(begun).map(|time| time.to_string()), Some("2026-01-02T00:00:00Z".into()));
}

#[test]
fn a_delay_begins_at_once_and_counts_from_the_end_of_the_run() {
    let timetable = timetable("{ after: { minutes: 5 } }", "UTC");
    let begun: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
    assert_eq!(timetable.first(begun), Some(begun));
    assert_eq!(timetable.next(begun, begun), None);
    assert_eq!(timetable.next_after_end(begun + 1.hour()), Some(begun + 65.minutes()));
}

#[test]
fn what_has_no_times_is_refused_with_its_place() {
    for (text, pointer) in [
        ("{ every: PT0S }", "/schedule/every"),
        ("{ every: '${ .n }' }", "/schedule/every"),
        ("{ after: '${ .n }' }", "/schedule/after"),
        ("{ cron: 'TZ=Mars/Olympus 0 0 * * *' }", "/schedule/cron"),
        ("{ on: { one: { with: { type: a } } } }", "/schedule/on"),
    ] {
        let error = Timetable::new(&schedule(text), TimeZone::UTC).expect_err(text);
        assert_eq!(error.pointer(), pointer, "{error}");
    }
}

#[test]
fn a_date_that_never_comes_is_known_soon() {
    let begun: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
    let before = Instant::now();
    for text in ["0 0 30 2 *", "59 59 23 31 2,4,6,9,11 *", "0 0 31 FEB +MON"] {
        assert_eq!(timetable(&format!("{{ cron: '{text}' }}"), "Europe/Berlin").first(begun), None, "{text}");
    }
    let last = Timestamp::MAX;
    assert_eq!(timetable("{ cron: '* * * * *' }", "UTC").next(begun, last), None);
    assert_eq!(timetable("{ every: PT1S }", "UTC").next(begun, last), None);
    assert!(before.elapsed().as_secs() < 20, "{:?}", before.elapsed());
}

/// Zones with jumps of an hour, of half an hour, at midnight, and with none.
const ZONES: [&str; 6] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Casablanca",
    "Asia/Kolkata",
];

/// Fields of a cron expression with the values that they mean.
fn field(least: i8, most: i8) -> impl Strategy<Value = (String, Vec<i8>)> {
    prop_oneof![
        Just(("*".to_owned(), (least..=most).collect())),
        (2..=30_i8).prop_map(move |step| (
            format!("*/{}", step.min(most)),
            (least..=most).step_by(step.min(most) as usize).collect()
        )),
        proptest::collection::btree_set(least..=most, 1..4).prop_map(|values| (
            values.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            values.into_iter().collect()
        )),
        (least..=most, least..=most).prop_map(|(a, b)| {
            let (a, b) = (a.min(b), a.max(b));
            (format!("{a}-{b}"), (a..=b).collect())
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// The times of a cron expression are exactly the minutes whose local date and time match, but for the hours in
    /// which a clock is changed. The matching is written down here a second time, in the simplest way.
    #[test]
    fn cron_comes_at_every_minute_that_matches_and_at_no_other(
        minutes in field(0, 59),
        hours in field(0, 23),
        days in field(1, 31),
        months in field(1, 12),
        zone_index in 0..ZONES.len(),
        begun in 1_700_000_000_i64..1_900_000_000,
    ) {
        let text = format!("{} {} {} {} *", minutes.0, hours.0, days.0, months.0);
        let name = ZONES[zone_index];
        let timetable = timetable(&format!("{{ cron: '{text}' }}"), name);
        let begun = Timestamp::from_second(begun).expect("in range");
        let Some(next) = timetable.first(begun) else { return Ok(()) };
        prop_assert!(next > begun);

        let zone = zone(name);
        let local = |time: Timestamp| time.to_zoned_datetime(zone.clone());
        let matches = |at: &ZonedDateTime| {
            minutes.1.contains(&at.minute()) && hours.1.contains(&at.hour()) && days.1.contains(&at.day())
                && months.1.contains(&at.month()) && at.second() == 0
        };
        let clock_changes = |at: &ZonedDateTime| {
            let far = 3.hours();
            let (before, after) = (at.clone() - far, at.clone() + far);
            before.offset() != after.offset()
        };
        let at = local(next);
        prop_assert!(matches(&at) || clock_changes(&at), "{text} came at {at}");

        // Two days of minutes before it are enough to find one that was left out.
        let mut minute = (begun + 1.minute()).as_second().div_euclid(60) * 60;
        minute = minute.max(next.as_second() - 2 * 86_400);
        while minute < next.as_second() {
            let at = local(Timestamp::from_second(minute).expect("in range"));
            prop_assert!(at.timestamp() <= begun || !matches(&at) || clock_changes(&at), "{text} left out {at}");
            minute += 60;
        }
    }

    /// Whenever it is asked, an interval's next time is the multiple after that moment.
    #[test]
    fn the_next_time_of_an_interval_is_later_and_the_one_before_it_is_not(
        days in 0_i64..40,
        seconds in 1_i64..200_000,
        zone_index in 0..ZONES.len(),
        begun in 1_700_000_000_i64..1_900_000_000,
        later in 0_i64..400_000_000,
    ) {
        let timetable = timetable(&format!("{{ every: {{ days: {days}, seconds: {seconds} }} }}"), ZONES[zone_index]);
        let begun = Timestamp::from_second(begun).expect("in range");
        let after = begun + jiff::SignedDuration::from_secs(later);
        let next = timetable.next(begun, after).expect("there is a next time");
        prop_assert!(next > after);
        let longest = jiff::SignedDuration::from_secs(days * 86_400 + seconds + 7_200);
        prop_assert!(next.duration_since(after) <= longest);
        // A moment before it the answer is the same; at it, the next one.
        prop_assert_eq!(timetable.next(begun, next - 1.nanosecond()), Some(next));
        prop_assert!(timetable.next(begun, next) > Some(next));
    }
}
