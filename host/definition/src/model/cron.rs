//! Cron expressions.

/// A cron expression that has been checked: five fields (minute, hour, day of the month, month, day of the week), or six
/// with seconds before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronExpression {
    /// The whole text as its author wrote it.
    pub text: String,
    /// The time zone that the text begins with, `CRON_TZ=Europe/Paris` or `TZ=Europe/Paris`. Whether there is such a
    /// zone is not known here. Default: that of whoever runs the schedule.
    pub zone: Option<String>,
    /// The fields.
    pub fields: croner::Cron,
}
