//! How a workflow ended, whichever way it ran.

use hotcell_machine::Outcome;
use hotcell_runtime::End;
use serde_json::Value;

use crate::attack::Ends;

/// How a workflow ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Completed(Value),
    Faulted(Value),
    Refused(Value),
    /// The document or the input was not taken.
    Invalid(String),
    Cancelled,
    /// Its time was up, and it still ran.
    Late,
}

impl From<End> for Ended {
    fn from(end: End) -> Self {
        match end {
            End::Ran(Outcome::Completed(output)) => Ended::Completed(output.value().clone()),
            End::Ran(Outcome::Faulted(problem)) => Ended::Faulted(problem.to_value()),
            End::Ran(Outcome::Cancelled) => Ended::Cancelled,
            End::Refused(problem) => Ended::Refused(problem.to_value()),
        }
    }
}

impl Ended {
    /// What is not as it was expected.
    pub(crate) fn differs(&self, expected: &Ends) -> Option<String> {
        match (expected, self) {
            (Ends::Problem(expected), Ended::Faulted(problem)) | (Ends::Refused(expected), Ended::Refused(problem)) => {
                expected.differs(problem)
            }
            (Ends::Output(expected), Ended::Completed(output)) if expected == output => None,
            (Ends::Invalid(words), Ended::Invalid(reason)) if reason.contains(words) => None,
            _ => Some(format!("it ended otherwise: {}", self.told())),
        }
    }

    /// In a line.
    pub(crate) fn told(&self) -> String {
        let text = match self {
            Ended::Completed(output) => format!("completed with {output}"),
            Ended::Faulted(problem) => format!("faulted with {problem}"),
            Ended::Refused(problem) => format!("refused with {problem}"),
            Ended::Invalid(reason) => format!("not taken: {reason}"),
            Ended::Cancelled => "cancelled".into(),
            Ended::Late => "still running when its time was up".into(),
        };
        match text.char_indices().nth(1_000) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }
}
