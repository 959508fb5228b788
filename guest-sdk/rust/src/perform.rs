//! Between JSON and the function that `#[hotcell::task]` stands on: what the attribute's expansion calls.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Problem, kind};

/// The JSON text that a task returns, or why there is none.
pub type Outcome = Result<String, Problem>;

/// Parses the input, and performs a task that takes one.
pub fn perform<I: DeserializeOwned>(input: &str, task: impl FnOnce(I) -> Outcome) -> Outcome {
    match serde_json::from_str(input) {
        Ok(value) => task(value),
        Err(error) => Err(misfit::<I>(input, error)),
    }
}

/// The problem of an input that does not fit the task's type.
fn misfit<I: DeserializeOwned>(input: &str, error: serde_json::Error) -> Problem {
    // Remembering the path costs an allocation for each member, hence only now, when it is needed.
    let mut deserializer = serde_json::Deserializer::from_str(input);
    let detail = match serde_path_to_error::deserialize::<_, I>(&mut deserializer) {
        Err(error) if error.path().iter().next().is_some() => format!("`{}`: {}", error.path(), error.inner()),
        _ => error.to_string(),
    };
    Problem::validation(detail).title("The input does not fit the task")
}

/// What a task's function returned. The attribute's expansion calls `outcome` on it, which for a `Result` is the
/// inherent method below, also when the `Result` stands behind an alias, and otherwise that of [`Plain`].
pub struct Returned<T>(pub T);

impl<T, E> Returned<Result<T, E>> {
    /// The outcome of a task that can fail.
    pub fn outcome(self) -> Outcome
    where
        T: Serialize,
        E: Into<Problem>,
    {
        to_json(&self.0.map_err(Into::into)?)
    }
}

/// The outcome of a task that cannot fail.
pub trait Plain {
    /// The outcome of a task that cannot fail.
    fn outcome(self) -> Outcome;
}

impl<T: Serialize> Plain for Returned<T> {
    fn outcome(self) -> Outcome {
        to_json(&self.0)
    }
}

fn to_json(output: &impl Serialize) -> Outcome {
    serde_json::to_string(output).map_err(|error| {
        Problem::new(format!("the task's output cannot be told in JSON: {error}"))
            .kind(kind::RUNTIME)
            .title("The output is not JSON")
    })
}

/// Tells of a panic before the cell is lost to it: what was said and where, as an error in the log.
#[cfg(target_arch = "wasm32")]
pub fn tell_panics() {
    std::panic::set_hook(Box::new(|panic| crate::error(panic)));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::Value;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Order {
        lines: Vec<Line>,
    }

    #[derive(Debug, Deserialize)]
    struct Line {
        quantity: u32,
    }

    fn pieces(order: Order) -> Outcome {
        Returned(order.lines.iter().map(|line| line.quantity).sum::<u32>()).outcome()
    }

    #[test]
    fn the_input_is_parsed_and_the_output_is_told_in_json() {
        assert_eq!(perform(r#"{"lines":[{"quantity":2},{"quantity":3}]}"#, pieces).unwrap(), "5");
    }

    #[test]
    fn an_input_that_does_not_fit_is_a_validation_problem_that_names_the_member() {
        let problem = perform(r#"{"lines":[{"quantity":2},{"quantity":"three"}]}"#, pieces).unwrap_err();
        assert_eq!(problem.kind.as_deref(), Some(kind::VALIDATION));
        assert_eq!(problem.status, Some(400));
        let detail = problem.detail.unwrap();
        assert!(detail.starts_with("`lines[1].quantity`: invalid type: string \"three\", expected u32"), "{detail}");
    }

    #[test]
    fn a_missing_member_and_what_follows_the_value_are_named() {
        for (input, expected) in [("{}", "missing field `lines`"), (r#"{"lines":[]} 1"#, "trailing characters")] {
            let detail = perform(input, pieces).unwrap_err().detail.unwrap();
            assert!(detail.contains(expected), "{detail}");
        }
    }

    #[test]
    fn input_nested_too_deep_is_refused_rather_than_overflowing_the_stack() {
        let deep = "[".repeat(100_000);
        assert_eq!(perform(&deep, |value: Value| Returned(value).outcome()).unwrap_err().status, Some(400));
    }

    #[test]
    fn an_error_is_a_problem_also_when_the_result_stands_behind_an_alias() {
        type Maybe = Result<u32, std::num::ParseIntError>;
        let maybe: Maybe = "x".parse();
        let problem = Returned(maybe).outcome().unwrap_err();
        assert_eq!(problem.detail.as_deref(), Some("invalid digit found in string"));
    }

    #[test]
    fn an_output_that_json_cannot_hold_is_a_problem() {
        let keyed_by_pairs = BTreeMap::from([((1, 2), 3)]);
        let problem = Returned(keyed_by_pairs).outcome().unwrap_err();
        assert_eq!(problem.title.as_deref(), Some("The output is not JSON"));
    }
}
