//! When a scheduled workflow starts: a function of its definition, of when the schedule began, and of what has been.

use croner::Cron;
use hotcell_definition::{Duration, Schedule, Span, Trigger};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::cron;

/// The times of a schedule. It has no clock and does no I/O; the same questions have the same answers.
///
/// | `schedule` | the first run | the runs after it |
/// | --- | --- | --- |
/// | `every` | at once | at whole multiples of the interval since the first |
/// | `cron` | at the next of its times | at each of its times |
/// | `after` | at once | the delay after the end of the run before, however it ended |
///
/// Years, months, weeks and days are those of the calendar in the time zone of the schedule: what runs every day at nine
/// does so in summer too. Months are counted from the first run: every month from January 31st on is the end of February,
/// and then March 31st.
#[derive(Debug, Clone)]
pub struct Timetable {
    when: When,
    zone: TimeZone,
}

#[derive(Debug, Clone)]
enum When {
    Every(Span),
    After(Span),
    Cron(Box<Cron>),
}

/// Why a schedule cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The duration is an expression.
    #[error("a schedule belongs to no execution, so there is no data for an expression; write the duration in place")]
    Expression(&'static str),
    /// The interval is zero.
    #[error("an interval of no length would start runs without end; write one of at least a millisecond")]
    NoInterval,
    /// There is no such time zone.
    #[error("{0} is not in the database of time zones; write a name such as Europe/Paris")]
    UnknownZone(String),
    /// The cron expression has no time that ever comes.
    #[error("there is no such time: the expression names a day that no month has, the 31st of February for example")]
    Never,
    /// The schedule waits for events, which no timetable knows.
    #[error("the workflow starts when events come, not at certain times")]
    NoTimes,
    /// A filter of events that cannot be matched.
    #[error("{0}")]
    InvalidFilter(String),
    /// The definition has no schedule.
    #[error("the definition has no `schedule`; add one, or run the workflow once, by hand")]
    Missing,
}

impl ScheduleError {
    /// Where in the definition the reason stands.
    pub fn pointer(&self) -> &'static str {
        match self {
            ScheduleError::Expression(pointer) => pointer,
            ScheduleError::NoInterval => "/schedule/every",
            ScheduleError::UnknownZone(_) | ScheduleError::Never => "/schedule/cron",
            ScheduleError::NoTimes | ScheduleError::InvalidFilter(_) => "/schedule/on",
            ScheduleError::Missing => "/schedule",
        }
    }
}

impl Timetable {
    /// The times of this schedule, in a time zone, unless its cron expression names one itself.
    ///
    /// # Errors
    /// If it has no times, or none that are known before a run.
    pub fn new(schedule: &Schedule, zone: TimeZone) -> Result<Self, ScheduleError> {
        let literal = |duration: &Duration, pointer| match duration {
            Duration::Literal(span) => Ok(*span),
            Duration::Expression(_) => Err(ScheduleError::Expression(pointer)),
        };
        Ok(match &schedule.trigger {
            Trigger::Every(interval) => {
                let interval = literal(interval, "/schedule/every")?;
                if interval.0.is_zero() {
                    return Err(ScheduleError::NoInterval);
                }
                Timetable { when: When::Every(interval), zone }
            }
            Trigger::After(delay) => Timetable { when: When::After(literal(delay, "/schedule/after")?), zone },
            Trigger::Cron(expression) => {
                let zone = match &expression.zone {
                    Some(name) => TimeZone::get(name).map_err(|_| ScheduleError::UnknownZone(name.clone()))?,
                    None => zone,
                };
                Timetable { when: When::Cron(Box::new(expression.fields.clone())), zone }
            }
            Trigger::On(_) => return Err(ScheduleError::NoTimes),
        })
    }

    /// Whether a run starts only after the one before it has ended.
    pub fn waits_for_ends(&self) -> bool {
        matches!(self.when, When::After(_))
    }

    /// When the first run of a schedule starts that begins now. `None`: never.
    pub fn first(&self, begun: Timestamp) -> Option<Timestamp> {
        match &self.when {
            When::Every(_) | When::After(_) => Some(begun),
            When::Cron(cron) => cron::next(cron, &self.zone, begun),
        }
    }

    /// The first time after `after` of a schedule that began at `begun`. `None`: there is none, or a run has to end
    /// first.
    pub fn next(&self, begun: Timestamp, after: Timestamp) -> Option<Timestamp> {
        match &self.when {
            When::Every(interval) => self.next_multiple(interval, begun, after),
            When::Cron(cron) => cron::next(cron, &self.zone, after.max(begun)),
            When::After(_) => None,
        }
    }

    /// When the next run starts after one that ended now. `None`: that does not depend on it.
    pub fn next_after_end(&self, ended: Timestamp) -> Option<Timestamp> {
        match &self.when {
            When::After(delay) => self.add(ended, delay, 1),
            When::Every(_) | When::Cron(_) => None,
        }
    }

    /// The first multiple of an interval since `begun` that lies after `after`.
    fn next_multiple(&self, interval: &Span, begun: Timestamp, after: Timestamp) -> Option<Timestamp> {
        if after < begun {
            return Some(begun);
        }
        // What cannot be counted any more, or lies beyond the calendar, is later than everything.
        let is_later = |count: i64| self.add(begun, interval, count).is_none_or(|time| time > after);
        let mut most = 1;
        while !is_later(most) {
            most *= 2;
        }
        let mut least = most / 2;
        while most - least > 1 {
            let middle = least + (most - least) / 2;
            if is_later(middle) {
                most = middle;
            } else {
                least = middle;
            }
        }
        self.add(begun, interval, most)
    }

    fn add(&self, from: Timestamp, span: &Span, count: i64) -> Option<Timestamp> {
        let span = span.0.checked_mul(count).ok()?;
        Some(from.to_zoned_datetime(self.zone.clone()).checked_add(span).ok()?.timestamp())
    }
}

#[cfg(test)]
#[path = "timetable_tests.rs"]
mod tests;
