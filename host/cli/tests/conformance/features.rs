//! Features in Gherkin, with the steps of the specification's conformance test kit.

use std::path::Path;

use libtest_mimic::Trial;
use serde_json::{Map, Value, json};

use crate::compare::{at_path, equal};
use crate::expectation::check_problem;
use crate::gherkin::{Feature, Scenario, Step};
use crate::requirements::Requirements;
use crate::run::{Ran, Run};
use crate::{files, from_yaml, trial};

/// The start of a tag that names what a scenario needs, `@requires-http` for example.
const REQUIRES: &str = "requires-";

/// A test for each scenario of the features in a folder.
///
/// # Panics
/// If a file is not a feature.
pub(crate) fn trials(folder: &Path, requirements: &Requirements) -> Vec<Trial> {
    let mut trials = Vec::new();
    for file in files(folder, "feature") {
        let text = std::fs::read_to_string(&file).expect("the file can be read");
        let feature = Feature::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for scenario in feature.scenarios {
            let name = format!("feature: {}: {}", feature.name, scenario.name);
            let needs: Vec<String> =
                scenario.tags.iter().filter_map(|tag| tag.strip_prefix(REQUIRES)).map(str::to_owned).collect();
            let runs = requirements.meets(&needs);
            trials.push(trial(name, move || check(&scenario)).with_ignored_flag(!runs));
        }
    }
    trials
}

/// What the steps so far have given and found.
#[derive(Default)]
struct World {
    definition: Option<String>,
    input: Option<Value>,
    ran: Option<Ran>,
}

fn check(scenario: &Scenario) -> Result<(), String> {
    let mut world = World::default();
    for step in &scenario.steps {
        world.take(step).map_err(|error| {
            let told = world.ran.as_ref().map(Ran::told).unwrap_or_default();
            format!("line {}: {}\n{error}\n{told}", step.line, step.text)
        })?;
    }
    if world.ran.is_none() { Err("no step executes the workflow".into()) } else { Ok(()) }
}

impl World {
    fn take(&mut self, step: &Step) -> Result<(), String> {
        match step.text.as_str() {
            "a workflow with definition:" => self.definition = Some(text(step)?),
            "given the workflow input is:" | "the workflow input is:" => self.input = Some(value(step)?),
            "the workflow is executed" => {
                let definition = self.definition.as_deref().ok_or("no step has given a definition")?;
                let mut run = Run::new(definition)?;
                if let Some(input) = &self.input {
                    run.input(input);
                }
                self.ran = Some(run.end()?);
            }
            assertion => return self.ran.as_ref().ok_or("the workflow has not been executed")?.holds(assertion, step),
        }
        Ok(())
    }
}

impl Ran {
    fn holds(&self, assertion: &str, step: &Step) -> Result<(), String> {
        if let Some(end) = assertion.strip_prefix("the workflow should ") {
            return self.workflow_ended(end, step);
        }
        if let Some(about) = assertion.strip_prefix("the workflow output should have ") {
            return self.output_has(about, step);
        }
        match assertion.split_once(" should ") {
            Some((task, end)) if end.starts_with("run ") => self.task_ran(task, end),
            Some((task, end)) => self.task_ended(task, end, step),
            None => Err("this step is not known".into()),
        }
    }

    fn workflow_ended(&self, end: &str, step: &Step) -> Result<(), String> {
        match end {
            "complete" => self.output().map(drop).ok_or_else(|| "it does not complete".into()),
            "complete with output:" => {
                let actual = self.output().ok_or("it does not complete")?;
                equal("the output is another one", &value(step)?, &actual)
            }
            "fault" => self.problem().map(drop).ok_or_else(|| "it does not fault".into()),
            "fault with error:" => check_problem(&members(step)?, self.problem().ok_or("it does not fault")?),
            "cancel" => match self.named("workflow_cancelled").next() {
                Some(_) => Ok(()),
                None => Err("it is not cancelled".into()),
            },
            _ => Err("this step is not known".into()),
        }
    }

    fn output_has(&self, about: &str, step: &Step) -> Result<(), String> {
        let output = self.output().ok_or("it does not complete")?;
        // What stands between quotes, and what after the last one.
        let parts: Vec<&str> = about.split('\'').collect();
        let paths: Vec<&str> = parts.iter().skip(1).step_by(2).copied().collect();
        if paths.is_empty() || parts.len().is_multiple_of(2) {
            return Err("the step names no property in single quotes".into());
        }
        let missing = |path: &str| format!("the output has no {path:?}: {output}");
        let rest = parts.last().map_or("", |rest| rest.trim());
        if about.starts_with("properties") || rest.is_empty() {
            return match paths.iter().find(|path| at_path(&output, path).is_none()) {
                Some(path) => Err(missing(path)),
                None => Ok(()),
            };
        }
        let found = at_path(&output, paths[0]).ok_or_else(|| missing(paths[0]))?;
        match rest {
            "property with value:" => equal(&format!("{:?} has another value", paths[0]), &value(step)?, found),
            _ => {
                let count =
                    rest.strip_prefix("property containing ").and_then(|rest| rest.split(' ').next()?.parse().ok());
                let expected: usize = count.ok_or("this step is not known")?;
                let actual = found.as_array().map(Vec::len).or_else(|| Some(found.as_object()?.len()));
                equal("the number of items", &json!(expected), &json!(actual))
            }
        }
    }

    fn task_ran(&self, task: &str, when: &str) -> Result<(), String> {
        let order = self.order();
        let place = |task: &str| {
            order.iter().position(|name| *name == task).ok_or_else(|| format!("{task} does not run, but {order:?}"))
        };
        let at = place(task)?;
        let fits = match when {
            "run first" => at == 0,
            "run last" => order.last() == Some(&task),
            _ => match (when.strip_prefix("run before "), when.strip_prefix("run after ")) {
                (Some(other), _) => at < place(other)?,
                (_, Some(other)) => at > place(other)?,
                _ => return Err("this step is not known".into()),
            },
        };
        if fits { Ok(()) } else { Err(format!("the tasks run in the order {order:?}")) }
    }

    fn task_ended(&self, task: &str, end: &str, step: &Step) -> Result<(), String> {
        let event = |name: &str| {
            let mut of_task =
                self.events.iter().filter(|event| event["event"] == name && event["task"]["name"] == task);
            of_task.next().ok_or_else(|| format!("there is no {name} of {task}"))
        };
        match end {
            "complete" => event("task_completed").map(drop),
            "complete with output:" => {
                event("task_completed")?;
                let output = &event("state_updated")?["data"]["value"];
                equal(&format!("the output of {task} is another one"), &value(step)?, output)
            }
            "fault" => event("task_failed").map(drop),
            "fault with error:" => check_problem(&members(step)?, &event("task_failed")?["error"]),
            "cancel" => event("task_cancelled").map(drop),
            _ => Err("this step is not known".into()),
        }
    }
}

fn text(step: &Step) -> Result<String, String> {
    step.block.clone().ok_or_else(|| "the step has no text under it".into())
}

fn value(step: &Step) -> Result<Value, String> {
    from_yaml(&text(step)?)
}

fn members(step: &Step) -> Result<Map<String, Value>, String> {
    from_yaml(&text(step)?)
}
