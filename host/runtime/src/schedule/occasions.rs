//! What starts the runs of a schedule: times, or events.

use std::sync::Arc;

use hotcell_definition::Trigger;
use hotcell_machine::Position;
use jiff::tz::TimeZone;

use super::{ScheduleError, Timetable};
use crate::listener::EventListener;
use crate::runtime::Runtime;
use crate::workflow::Workflow;

/// What starts the runs of a schedule.
#[derive(Debug)]
pub enum Occasions {
    /// Their times.
    Times(Timetable),
    /// Events, which are the input of the run that they start.
    Events(Box<EventListener>),
}

impl Runtime {
    /// What starts a workflow by itself, its days and cron expressions in a time zone, unless it names one itself. Events
    /// are those that the broker holds, and all that come.
    ///
    /// # Errors
    /// If the definition has no schedule, or one that cannot be run.
    pub fn occasions(&self, workflow: &Arc<Workflow>, zone: TimeZone) -> Result<Occasions, ScheduleError> {
        let schedule = workflow.definition().schedule.as_ref().ok_or(ScheduleError::Missing)?;
        workflow.take_times();
        match &schedule.trigger {
            Trigger::On(strategy) => self
                .listen(workflow, strategy, schedule.read, Position(0))
                .map(|listener| Occasions::Events(Box::new(listener)))
                .map_err(ScheduleError::InvalidFilter),
            _ => {
                let timetable = Timetable::new(schedule, zone)?;
                match timetable.first(self.shared.clock.now()) {
                    Some(_) => Ok(Occasions::Times(timetable)),
                    None => Err(ScheduleError::Never),
                }
            }
        }
    }
}
