//! An execution and all that it runs: its workflows, theirs, and so on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hotcell_definition::{ErrorKind, Problem};

/// How many workflows of one execution run at the same time, those that nobody waits for included. Answers a workflow that
/// runs itself twice, each of which runs itself twice: the bound on how deep they run each other still leaves 2¹⁶ of them.
const MAX_LIVING: usize = 1_000;

/// What counts the workflows that an execution runs, wherever among them they were started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Family {
    living: Arc<AtomicUsize>,
}

/// A workflow that runs. It counts until this is dropped.
#[derive(Debug)]
pub(crate) struct Member {
    living: Arc<AtomicUsize>,
}

impl Family {
    /// One more.
    ///
    /// # Errors
    /// There are too many.
    pub(crate) fn admit(&self) -> Result<Member, Problem> {
        // Counted first, so that two that come at once are not both the last one.
        let member = Member { living: Arc::clone(&self.living) };
        match self.living.fetch_add(1, Ordering::Relaxed) < MAX_LIVING {
            true => Ok(member),
            false => Err(Problem::new(
                ErrorKind::Runtime,
                "Workflow limit",
                format!(
                    "this execution and the workflows that it runs have {MAX_LIVING} others going on at the same time, and may \
                     have no more; let it wait for some before it starts others"
                ),
            )),
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.living.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_has_only_so_many_members_at_a_time() {
        let family = Family::default();
        let mut members: Vec<Member> = (0..MAX_LIVING).map(|_| family.clone().admit().unwrap()).collect();
        assert_eq!(family.admit().unwrap_err().title.as_deref(), Some("Workflow limit"));
        members.pop();
        let last = family.admit().unwrap();
        assert!(family.admit().is_err());
        drop((members, last));
        assert!(family.admit().is_ok());
    }
}
