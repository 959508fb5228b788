//! Tests of a task's logic with `cargo test`, without a cell.
//!
//! A task is a plain function, so a test calls it. Outside of a cell, [`context`](crate::context()) answers with a
//! made-up call, log lines go to stderr, and no secret is granted. To decide what the task finds, and to see what it
//! told, perform it in a [`Call`]:
//!
//! ```
//! use hotcell::testing::Call;
//! use hotcell::{Level, Problem};
//!
//! fn charge() -> Result<String, Problem> {
//!     let token = hotcell::secret("provider")?;
//!     hotcell::info(format_args!("attempt {}", hotcell::context().attempt));
//!     Ok(token)
//! }
//!
//! let told = Call::new().attempt(3).secret("provider", "s3cret").run(charge);
//! assert_eq!(told.returned.unwrap(), "s3cret");
//! assert_eq!(told.logs, [(Level::Info, "attempt 3".to_owned())]);
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use crate::host;
use crate::{Context, Level, Report, Workflow};

/// A made-up call for tests.
///
/// Unless told otherwise: task `task` at `/do/0/task` of the definition `test/test:0.1.0`, execution `execution`, attempt
/// 1, a deadline that never comes, no secrets.
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `run`"]
pub struct Call {
    pub(crate) context: Context,
    pub(crate) secrets: BTreeMap<String, String>,
}

/// What a task returned and told.
#[derive(Clone, Debug)]
pub struct Told<T> {
    /// What the task returned.
    pub returned: T,
    /// The log lines, in order.
    pub logs: Vec<(Level, String)>,
    /// The progress reports, in order.
    pub reports: Vec<Report>,
}

impl Default for Call {
    fn default() -> Self {
        Self::new()
    }
}

impl Call {
    /// The call with the defaults above.
    pub fn new() -> Self {
        let context = Context {
            task: "task".to_owned(),
            reference: "/do/0/task".to_owned(),
            workflow: Workflow::new("test".to_owned(), "test".to_owned(), "0.1.0".to_owned()),
            execution: "execution".to_owned(),
            attempt: 1,
            idempotency_key: "execution/1".to_owned(),
            deadline: Duration::from_millis(u64::MAX),
        };
        Self { context, secrets: BTreeMap::new() }
    }

    /// Says which attempt it is, from 1.
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.context.attempt = attempt;
        self
    }

    /// Grants a secret.
    pub fn secret(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.secrets.insert(name.into(), value.into());
        self
    }

    /// Changes anything else about the call.
    ///
    /// ```
    /// let told = hotcell::testing::Call::new()
    ///     .context(|context| context.task = "price".to_owned())
    ///     .run(|| hotcell::context().task);
    /// assert_eq!(told.returned, "price");
    /// ```
    pub fn context(mut self, change: impl FnOnce(&mut Context)) -> Self {
        change(&mut self.context);
        self
    }

    /// Performs `task` in this call, on this thread.
    pub fn run<T>(self, task: impl FnOnce() -> T) -> Told<T> {
        let (returned, telling) = host::within(self, task);
        Told { returned, logs: telling.logs, reports: telling.reports }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_in_an_inner_call_is_not_told_in_the_outer_one() {
        let outer = Call::new().run(|| {
            crate::info("outside");
            let inner = Call::new().attempt(2).run(|| {
                crate::info("inside");
                crate::report(0.5, "half");
                crate::context().attempt
            });
            (inner, crate::context().attempt)
        });

        let (inner, outer_attempt) = outer.returned;
        assert_eq!((inner.returned, outer_attempt), (2, 1));
        assert_eq!(inner.logs, [(Level::Info, "inside".to_owned())]);
        assert_eq!(inner.reports[0].fraction, Some(0.5));
        assert_eq!(outer.logs, [(Level::Info, "outside".to_owned())]);
        assert!(outer.reports.is_empty());
    }

    #[test]
    fn a_call_that_panics_is_left() {
        let panicked = std::panic::catch_unwind(|| Call::new().attempt(7).run(|| panic!("on purpose")));
        assert!(panicked.is_err());
        assert_eq!(crate::context().attempt, 1);
    }

    #[test]
    fn a_secret_that_was_not_granted_is_an_authorization_problem() {
        let told = Call::new().secret("granted", "value").run(|| crate::secret("other"));
        assert_eq!(told.returned.unwrap_err().status, Some(403));
    }
}
