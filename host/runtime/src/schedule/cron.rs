//! The times of a cron expression: croner's search on jiff's calendar and time zones.

use std::cmp::Ordering;

use croner::errors::CronError;
use croner::{CivilDate, CivilDateTime, CivilTime, Cron, CronDateTime, Resolution, Weekday};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ZonedDateTime};

/// The first time of the expression in this zone after `after`. `None` if there is none, as for the 30th of February.
///
/// A time that the clock jumps over, as one set forward for summer does, is the first instant after the jump, if the
/// expression names single hours and minutes; a time that comes twice, as when the clock is set back, is the first of the
/// two. One that names intervals (`*/15`) runs as the clock shows them: not within the jump, and in both of the hours.
pub(super) fn next(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let start = Moment(after.to_zoned_datetime(zone.clone()));
    let mut found = cron.find_next_occurrence(&start, false).ok()?;
    // The search looks at whole seconds, and may find the one within which it began.
    if found.0.timestamp() <= after {
        found = cron.find_next_occurrence(&found, false).ok()?;
    }
    Some(found.0.timestamp()).filter(|found| *found > after)
}

/// A moment in a time zone.
#[derive(Debug, Clone)]
struct Moment(ZonedDateTime);

impl CronDateTime for Moment {
    fn to_civil(&self) -> CivilDateTime {
        let shown = self.0.datetime();
        CivilDateTime::new(
            CivilDate::from_parts_unchecked(shown.year().into(), part(shown.month()), part(shown.day())),
            CivilTime::from_parts_unchecked(part(shown.hour()), part(shown.minute()), part(shown.second())),
        )
    }

    fn civil_weekday(&self) -> Weekday {
        Weekday::from_days_from_sunday(part(self.0.weekday().to_sunday_zero_offset()))
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let shown = to_jiff(civil).ok_or(CronError::InvalidDate)?;
        let ambiguous = self.0.time_zone().to_ambiguous_zoned_datetime(shown);
        let moment = |zoned: Result<ZonedDateTime, jiff::Error>| zoned.map(Moment).map_err(|_| CronError::InvalidTime);
        Ok(match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => Resolution::Single(moment(ambiguous.unambiguous())?),
            AmbiguousOffset::Fold { .. } => {
                Resolution::Ambiguous(moment(ambiguous.clone().earlier())?, moment(ambiguous.later())?)
            }
            AmbiguousOffset::Gap { .. } => Resolution::Gap,
        })
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0.checked_add(SignedDuration::from_secs(seconds)).ok().map(Moment)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.timestamp().cmp(&other.0.timestamp())
    }
}

/// A part of a date or a time, which is never negative.
fn part(part: i8) -> u32 {
    u32::from(part.unsigned_abs())
}

fn to_jiff(civil: CivilDateTime) -> Option<DateTime> {
    let part = |part: u32| i8::try_from(part).ok();
    let (month, day) = (part(civil.month())?, part(civil.day())?);
    let (hour, minute, second) = (part(civil.hour())?, part(civil.minute())?, part(civil.second())?);
    DateTime::new(i16::try_from(civil.year()).ok()?, month, day, hour, minute, second, 0).ok()
}
