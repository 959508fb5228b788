//! Stands in for hotcell where a task's logic is tested: each thread has a made-up call.

use std::cell::RefCell;

use crate::testing::Call;
use crate::{Context, Level, Problem, Report, kind};

thread_local! {
    /// The calls that this thread is in, the innermost last.
    static CALLS: RefCell<Vec<Telling>> = const { RefCell::new(Vec::new()) };
}

/// A made-up call, and what the task has told in it.
pub(crate) struct Telling {
    pub(crate) call: Call,
    pub(crate) logs: Vec<(Level, String)>,
    pub(crate) reports: Vec<Report>,
}

/// Performs `work` inside the made-up call, and returns what was told meanwhile. When `work` panics, the call is left.
pub(crate) fn within<T>(call: Call, work: impl FnOnce() -> T) -> (T, Telling) {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            if std::thread::panicking() {
                CALLS.with_borrow_mut(Vec::pop);
            }
        }
    }

    CALLS.with_borrow_mut(|calls| calls.push(Telling { call, logs: Vec::new(), reports: Vec::new() }));
    let leave = Leave;
    let returned = work();
    drop(leave);
    let telling = CALLS.with_borrow_mut(Vec::pop).expect("the call that was pushed above is still there");
    (returned, telling)
}

fn with_current<T>(inside: impl FnOnce(&mut Telling) -> T, outside: impl FnOnce() -> T) -> T {
    CALLS.with_borrow_mut(|calls| match calls.last_mut() {
        Some(telling) => inside(telling),
        None => outside(),
    })
}

pub(crate) fn log(level: Level, message: &str) {
    eprintln!("{level:?}: {message}");
    with_current(|telling| telling.logs.push((level, message.to_owned())), || ());
}

pub(crate) fn report(report: Report) {
    with_current(|telling| telling.reports.push(report), || ());
}

pub(crate) fn context() -> Context {
    with_current(|telling| telling.call.context.clone(), || Call::new().context)
}

pub(crate) fn secret(name: &str) -> Result<String, Problem> {
    let granted = with_current(|telling| telling.call.secrets.get(name).cloned(), || None);
    granted.ok_or_else(|| {
        Problem::new(format!("the secret \"{name}\" is not granted to this task"))
            .kind(kind::AUTHORIZATION)
            .status(403)
            .title("Secret not granted")
    })
}
