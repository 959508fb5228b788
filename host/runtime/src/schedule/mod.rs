//! Workflows that start by themselves. [`Occasions`] start them: a [`Timetable`] says when, without a clock of its own,
//! or events do. A runtime [starts the runs](crate::Runtime::run_schedule).

mod check;
mod cron;
mod occasions;
mod runs;
mod timetable;

pub use check::check_schedule;
pub use occasions::Occasions;
pub use runs::{ScheduleOptions, ScheduleSummary};
pub use timetable::{ScheduleError, Timetable};
