//! What a case expects.

use jiff::Timestamp;
use libtest_mimic::Trial;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::case::present;
use crate::compare::{equal, same};
use crate::run::Ran;
use crate::trial;

/// Exactly one of `output`, `text`, `problem` and `refused`, and what matters besides.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Expectation {
    /// The workflow completes with this output.
    #[serde(deserialize_with = "present")]
    output: Option<Value>,
    /// The same, as JSON text: where the notation of numbers or the order of members matters.
    text: Option<String>,
    /// The workflow faults with a problem that has these members. `type` may be the last word of a standard type,
    /// `detail` is a part of it.
    problem: Option<Map<String, Value>>,
    /// The document is refused with this code.
    refused: Option<String>,
    /// The names of all tasks that start, in order.
    order: Option<Vec<String>>,
    /// `event reference`: these come in this order; others may come in between.
    events: Vec<String>,
    /// `event reference`: these do not come.
    never: Vec<String>,
    takes: Option<Takes>,
}

/// How long the workflow may take, in milliseconds.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Takes {
    at_least: Option<i64>,
    at_most: Option<i64>,
}

const STANDARD_TYPES: &str = "https://open-workflow-specification.org/spec/1.0.0/errors/";
const STANDARD_NAMES: [&str; 8] = [
    "configuration",
    "validation",
    "expression",
    "authentication",
    "authorization",
    "timeout",
    "communication",
    "runtime",
];

impl Expectation {
    /// # Errors
    /// If nothing is expected, so that the case could not fail, or two different ends.
    pub(crate) fn assert_complete(&self) -> Result<(), String> {
        let ends = [self.output.is_some(), self.text.is_some(), self.problem.is_some(), self.refused.is_some()];
        match ends.iter().filter(|expected| **expected).count() {
            1 if self.refused.as_deref() == Some("") => Err("`refused` needs the code of the refusal".into()),
            1 => Ok(()),
            _ => Err("a case expects exactly one of `output`, `text`, `problem` and `refused`".into()),
        }
    }

    /// # Errors
    /// What is not as expected.
    pub(crate) fn check(&self, ran: &Ran) -> Result<(), String> {
        self.check_end(ran)?;
        if let Some(order) = &self.order {
            equal("the tasks do not start in this order", &json!(order), &json!(ran.order()))?;
        }
        self.check_events(ran)?;
        self.takes.map_or(Ok(()), |takes| takes.check(ran))
    }

    fn check_end(&self, ran: &Ran) -> Result<(), String> {
        if let Some(expected) = &self.output {
            let actual = ran.output().ok_or_else(|| format!("does not complete, with {expected}"))?;
            return equal("the output is another one", expected, &actual);
        }
        if let Some(expected) = &self.text {
            return match ran.code {
                Some(0) if *expected == ran.stdout => Ok(()),
                _ => Err(format!("does not print {expected}")),
            };
        }
        if let Some(expected) = &self.problem {
            let actual = ran.problem().ok_or_else(|| format!("does not fault, with {}", json!(expected)))?;
            return check_problem(expected, actual);
        }
        let code = self.refused.as_deref().expect("one of them is expected");
        if ran.code != Some(2) || !ran.messages.contains(code) {
            return Err(format!("is not refused with {code:?}"));
        }
        Ok(())
    }

    fn check_events(&self, ran: &Ran) -> Result<(), String> {
        let line =
            |event: &Value| Some(format!("{} {}", event["event"].as_str()?, event["task"]["reference"].as_str()?));
        let lines: Vec<String> = ran.events.iter().filter_map(line).collect();
        let mut rest = lines.iter();
        for expected in &self.events {
            if !rest.any(|line| line == expected) {
                return Err(format!("has no {expected:?} in its place among\n  {}", lines.join("\n  ")));
            }
        }
        match self.never.iter().find(|never| lines.contains(never)) {
            Some(never) => Err(format!("has {never:?} among\n  {}", lines.join("\n  "))),
            None => Ok(()),
        }
    }
}

/// # Errors
/// The member that is not as expected.
pub(crate) fn check_problem(expected: &Map<String, Value>, actual: &Value) -> Result<(), String> {
    for (name, value) in expected {
        let found = &actual[name];
        let fits = match (name.as_str(), value, found) {
            ("type", Value::String(kind), found) if STANDARD_NAMES.contains(&kind.as_str()) => {
                *found == format!("{STANDARD_TYPES}{kind}")
            }
            ("detail", Value::String(part), Value::String(whole)) => whole.contains(part),
            (_, value, found) => same(value, found),
        };
        if !fits {
            return Err(format!("the problem's {name} is {found}, not {value}"));
        }
    }
    Ok(())
}

impl Takes {
    fn check(self, ran: &Ran) -> Result<(), String> {
        let time = |event: Option<&Value>| event.and_then(|event| event["time"].as_str()?.parse::<Timestamp>().ok());
        let (Some(start), Some(end)) = (time(ran.named("workflow_executing").next()), time(ran.events.last())) else {
            return Err("there are no events that tell how long it took".into());
        };
        let took = end.as_millisecond() - start.as_millisecond();
        let fits = self.at_least.is_none_or(|least| took >= least) && self.at_most.is_none_or(|most| took <= most);
        if fits { Ok(()) } else { Err(format!("takes {took} ms, which is not within {self:?}")) }
    }
}

/// That expectations which are not met are told.
pub(crate) fn trials() -> Vec<Trial> {
    let ran = || Ran {
        code: Some(0),
        stdout: "{\"n\":1.0}".into(),
        events: vec![json!({"event": "task_started", "task": {"name": "a", "reference": "/do/0/a"}})],
        messages: String::new(),
    };
    let verdicts = [
        ("an output is compared by value", json!({"output": {"n": 1}}), true),
        ("another output is a failure", json!({"output": {"n": 2}}), false),
        ("a member too many is a failure", json!({"output": {"n": 1, "m": null}}), false),
        ("text is compared as it is", json!({"text": "{\"n\":1}"}), false),
        ("an end that is no fault is a failure", json!({"problem": {}}), false),
        ("an end that is no refusal is a failure", json!({"refused": "x"}), false),
        ("an order with fewer tasks is a failure", json!({"output": {"n": 1}, "order": []}), false),
        (
            "an event that does not come is a failure",
            json!({"output": {"n": 1}, "events": ["task_failed /do/0/a"]}),
            false,
        ),
        (
            "an event that must not come is a failure",
            json!({"output": {"n": 1}, "never": ["task_started /do/0/a"]}),
            false,
        ),
    ];
    let judged = verdicts.into_iter().map(|(name, expected, fits)| {
        trial(format!("runner: {name}"), move || {
            let expectation: Expectation = serde_json::from_value(expected).map_err(|error| error.to_string())?;
            expectation.assert_complete()?;
            let verdict = expectation.check(&ran());
            if verdict.is_ok() == fits { Ok(()) } else { Err(format!("the verdict is {verdict:?}")) }
        })
    });
    let empty = trial("runner: a case that expects nothing is refused".into(), || {
        Expectation::default().assert_complete().err().map(drop).ok_or_else(|| "it is accepted".to_owned())
    });
    judged.chain([empty]).collect()
}
