//! The cases in `tests/cases`: workflows and what becomes of them, as data.
//!
//! Each file is a list of cases. A case has
//! - `case`: what it shows, as a sentence, and `source`: where the specification says so;
//! - `workflow`: the document, of which `document` may be left out; `workflows`: those that it runs, by name;
//! - `large: true` if storing and restoring its data with every turn would take seconds;
//! - `input` (default null), `secrets` (those that are granted), `components`: the answers of each component, in order
//!   of its calls, the last for all that follow: `output`, `echo: true`, `jq` (a program on what it was given),
//!   `problem` or `never: true`; with `after` in milliseconds, and `log` and `report` to tell something before;
//! - `interferences`: what happens from outside: `after` so many milliseconds, `cancel`, `suspend` or `resume`;
//! - `published`: the events that come from outside, each with its `type`, and whatever else it has; `after` so many
//!   milliseconds, by default before the start; id and source are made up where they are missing;
//! - `expect`: exactly one of `output`, `problem` (the members that matter; `type` may be a standard kind, `detail` is
//!   a part of it), `cancelled: true`, `waits: true` (for ever) or `refused` (a part of a diagnostic, or of what is
//!   unsupported); and, if they matter, `milliseconds`, `calls` (`component input`, in order), `interrupted`
//!   (components), `emitted` (for each event those of its attributes that matter), and `events`: lines `name reference` that come in this order, others may come in between; or those
//!   of `never`, which must not come.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use hotcell_definition::{Definition, ErrorKind, Problem};
use hotcell_expression::Data;
use hotcell_machine::{CloudEvent, Event, EventKind, InputKind, Outcome, Program};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::simulation::{Answer, Lockstep, Order, Ran, Reply, Simulation, Telling, World};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    case: String,
    #[expect(dead_code, reason = "for who reads the cases")]
    source: Option<String>,
    workflow: Value,
    #[serde(default)]
    large: bool,
    #[serde(default)]
    workflows: BTreeMap<String, Value>,
    #[serde(default)]
    input: Value,
    #[serde(default)]
    secrets: Map<String, Value>,
    #[serde(default)]
    components: BTreeMap<String, Vec<CannedAnswer>>,
    #[serde(default)]
    interferences: Vec<Interference>,
    #[serde(default)]
    published: Vec<Map<String, Value>>,
    expect: Expectation,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CannedAnswer {
    #[serde(default, deserialize_with = "present")]
    output: Option<Value>,
    #[serde(default)]
    echo: bool,
    jq: Option<String>,
    problem: Option<Value>,
    #[serde(default)]
    never: bool,
    #[serde(default)]
    after: i64,
    log: Option<String>,
    report: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Interference {
    after: i64,
    cancel: Option<String>,
    #[serde(default)]
    suspend: bool,
    #[serde(default)]
    resume: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    #[serde(default, deserialize_with = "present")]
    output: Option<Value>,
    problem: Option<Map<String, Value>>,
    #[serde(default)]
    cancelled: bool,
    #[serde(default)]
    waits: bool,
    refused: Option<String>,
    milliseconds: Option<i64>,
    calls: Option<Vec<String>>,
    interrupted: Option<Vec<String>>,
    emitted: Option<Vec<Map<String, Value>>>,
    #[serde(default)]
    events: Vec<String>,
    #[serde(default)]
    never: Vec<String>,
}

/// A `null` that is written down is a value.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[test]
fn every_case_ends_as_it_says() {
    let mut failures = Vec::new();
    let mut count = 0;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        // YAML 1.2, as for definitions: `n` is no boolean.
        let options = serde_saphyr::options! { strict_booleans: true };
        let cases: Vec<Case> = serde_saphyr::from_str_with_options(&text, options)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for case in cases {
            count += 1;
            let name = format!("{}: {}", file.file_name().unwrap().display(), case.case);
            let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| case.check()));
            match checked {
                Ok(Ok(())) => {}
                Ok(Err(message)) => failures.push(format!("{name}\n    {message}")),
                Err(_) => failures.push(format!("{name}\n    panicked, see above")),
            }
        }
    }
    assert!(failures.is_empty(), "{} of {count} cases:\n{}", failures.len(), failures.join("\n"));
    assert!(count >= 80, "only {count} cases were found");
}

impl Case {
    fn check(&self) -> Result<(), String> {
        let program = match program("case", &self.workflow) {
            Ok(program) => program,
            Err(reasons) => {
                return match &self.expect.refused {
                    Some(expected) if reasons.contains(expected) => Ok(()),
                    _ => Err(format!("is refused: {reasons}")),
                };
            }
        };
        if self.expect.refused.is_some() {
            return Err("is not refused".into());
        }
        let world = World {
            components: self
                .components
                .iter()
                .map(|(name, answers)| (name.clone(), answers.iter().map(CannedAnswer::answer).collect()))
                .collect(),
            workflows: self
                .workflows
                .iter()
                .map(|(name, workflow)| (name.clone(), program_or_panic(name, workflow)))
                .collect(),
            secrets: self.secrets.clone(),
            interferences: self.interferences.iter().map(Interference::input).collect(),
            events: (1..).zip(&self.published).map(|(number, event)| publication(number, event)).collect(),
        };
        let lockstep = if self.large { Lockstep::Off } else { Lockstep::On };
        let ran = Simulation::new(&world, Order::Calm).with_lockstep(lockstep).run(&program, self.input.clone());
        self.expect.check(&ran)
    }
}

/// An event from outside, and when it comes.
fn publication(number: usize, event: &Map<String, Value>) -> (i64, CloudEvent) {
    let mut event = event.clone();
    let after = event.shift_remove("after").map_or(0, |after| after.as_i64().expect("milliseconds"));
    let made_up = [("specversion", json!("1.0")), ("id", json!(number.to_string())), ("source", json!("/outside"))];
    for (name, value) in made_up {
        event.entry(name).or_insert(value);
    }
    let event = Data::new(Value::Object(event)).expect("events are small");
    (after, CloudEvent::new(event).expect("what is published is an event"))
}

impl CannedAnswer {
    fn answer(&self) -> Answer {
        let reply = match (&self.output, &self.jq, &self.problem) {
            (Some(output), ..) => Reply::Output(output.clone()),
            (_, Some(program), _) => Reply::Jq(program.clone()),
            (.., Some(problem)) => Reply::Problem(canned_problem(problem)),
            _ if self.echo => Reply::Echo,
            _ if self.never => Reply::Never,
            _ => panic!("an answer is one of `output`, `echo`, `jq`, `problem`, `never`"),
        };
        let logs = self.log.iter().cloned().map(Telling::Log);
        let reports = self.report.iter().copied().map(Telling::Report);
        Answer { reply, milliseconds: self.after, tells: logs.chain(reports).collect() }
    }
}

fn canned_problem(problem: &Value) -> Problem {
    let mut problem = problem.clone();
    if let Some(kind) = problem["type"].as_str() {
        problem["type"] = json!(standard_type(kind));
    }
    serde_json::from_value(problem).expect("a problem has a type and a status")
}

/// The type of that name, if it is a standard one.
fn standard_type(name: &str) -> String {
    ErrorKind::ALL.into_iter().find(|kind| kind.name() == name).map_or(name.to_owned(), ErrorKind::uri)
}

impl Interference {
    fn input(&self) -> (i64, InputKind) {
        let kind = match &self.cancel {
            Some(reason) => InputKind::Cancel { reason: Some(reason.clone()) },
            None if self.suspend => InputKind::Suspend,
            None if self.resume => InputKind::Resume,
            None => panic!("an interference is one of `cancel`, `suspend`, `resume`"),
        };
        (self.after, kind)
    }
}

impl Expectation {
    fn check(&self, ran: &Ran) -> Result<(), String> {
        self.check_outcome(ran)?;
        if let Some(expected) = self.milliseconds
            && expected != ran.milliseconds
        {
            return Err(format!("takes {} ms, not {expected}", ran.milliseconds));
        }
        if let Some(expected) = &self.calls {
            let actual: Vec<String> =
                ran.calls.iter().map(|(_, call)| format!("{} {}", call.callee, call.input.value())).collect();
            if *expected != actual {
                return Err(format!("calls {actual:?}, not {expected:?}"));
            }
        }
        if let Some(expected) = &self.interrupted
            && *expected != ran.interrupted
        {
            return Err(format!("interrupts {:?}, not {expected:?}", ran.interrupted));
        }
        if let Some(expected) = &self.emitted {
            let fits = |(expected, event): (&Map<String, Value>, &CloudEvent)| {
                expected.iter().all(|(name, value)| event.envelope().value().get(name) == Some(value))
            };
            if expected.len() != ran.published.len() || !expected.iter().zip(&ran.published).all(fits) {
                return Err(format!("emits {}, not {}", json!(ran.published), json!(expected)));
            }
        }
        self.check_events(&ran.events)
    }

    fn check_outcome(&self, ran: &Ran) -> Result<(), String> {
        let told = json!(ran.outcome);
        match &ran.outcome {
            None if self.waits => Ok(()),
            Some(Outcome::Cancelled) if self.cancelled => Ok(()),
            Some(Outcome::Completed(output)) => match &self.output {
                Some(expected) if expected == output.value() => Ok(()),
                Some(expected) => Err(format!("outputs {}, not {expected}", output.value())),
                None => Err(format!("ends otherwise: {told}")),
            },
            Some(Outcome::Faulted(problem)) => match &self.problem {
                Some(expected) => check_problem(expected, problem),
                None => Err(format!("ends otherwise: {told}")),
            },
            _ => Err(format!("ends otherwise: {told}")),
        }
    }

    fn check_events(&self, events: &[Event]) -> Result<(), String> {
        let lines: Vec<String> = events.iter().map(line).collect();
        let mut rest = lines.iter();
        for expected in &self.events {
            if !rest.any(|line| line == expected) {
                return Err(format!("has no {expected:?} in its place among\n      {}", lines.join("\n      ")));
            }
        }
        match self.never.iter().find(|never| lines.contains(never)) {
            Some(never) => Err(format!("has {never:?} among\n      {}", lines.join("\n      "))),
            None => Ok(()),
        }
    }
}

/// An event as a line: its name, the reference of its task, and what is special: the attempt if it is not the first,
/// the iteration, the delay of a retry, the text of a log line, the fraction of a report.
fn line(event: &Event) -> String {
    let mut line = event.kind.name().to_owned();
    if let Some(task) = &event.task {
        line += &format!(" {}", task.reference);
        if task.attempt > 1 {
            line += &format!(" attempt {}", task.attempt);
        }
        if let Some(iteration) = task.iteration {
            line += &format!(" iteration {iteration}");
        }
    }
    match &event.kind {
        EventKind::TaskRetried { delay, .. } => line += &format!(" in {delay}"),
        EventKind::TaskLog { message, .. } => line += &format!(" {message}"),
        EventKind::TaskProgress { fraction, message, .. } => {
            line.extend(fraction.map(|fraction| format!(" {fraction}")));
            line.extend(message.as_ref().map(|message| format!(" {message}")));
        }
        _ => {}
    }
    line
}

fn check_problem(expected: &Map<String, Value>, problem: &Problem) -> Result<(), String> {
    let actual = problem.to_value();
    for (name, value) in expected {
        let fits = match (name.as_str(), value, &actual[name]) {
            ("type", Value::String(kind), actual) => *actual == standard_type(kind),
            ("detail", Value::String(part), Value::String(whole)) => whole.contains(part),
            (_, value, actual) => value == actual,
        };
        if !fits {
            return Err(format!("has a problem whose {name} is not {value}: {actual}"));
        }
    }
    Ok(())
}

/// Makes a workflow ready. The document of the workflow may be left out.
///
/// # Errors
/// Everything for which it is refused, as text.
pub(crate) fn program(name: &str, workflow: &Value) -> Result<Arc<Program>, String> {
    let mut whole = json!({"document": {"dsl": "1.0.3", "namespace": "test", "name": name, "version": "0.1.0"}});
    let members = whole.as_object_mut().expect("it is an object");
    members.extend(workflow.as_object().expect("a workflow is an object").clone());
    let parsed = Definition::parse(whole.to_string().as_bytes())
        .map_err(|refused| refused.diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    Program::new(Arc::new(parsed.definition)).map(Arc::new).map_err(|unsupported| {
        unsupported.iter().map(|item| format!("{}: {}", item.pointer, item.message)).collect::<Vec<_>>().join("; ")
    })
}

#[track_caller]
pub(crate) fn program_or_panic(name: &str, workflow: &Value) -> Arc<Program> {
    program(name, workflow).unwrap_or_else(|reasons| panic!("{workflow} is refused: {reasons}"))
}
