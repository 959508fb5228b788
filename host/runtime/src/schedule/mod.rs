//! Workflows that start by themselves: a [`Timetable`] says when, without a clock of its own; a runtime
//! [starts the runs](crate::Runtime::run_schedule) when their time has come.

mod cron;
mod runs;
mod timetable;

pub use runs::{ScheduleOptions, ScheduleSummary};
pub use timetable::{ScheduleError, Timetable};
