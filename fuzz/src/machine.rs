//! Machines: any valid document, and anything that may happen to it, in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use hotcell_definition::{Definition, ErrorKind, Problem};
use hotcell_expression::{Data, Evaluation, Evaluator, ExpressionError, Violation};
use hotcell_machine::{
    CallId, ChildId, Command, Environment, ExecutionId, Input, InputKind, LogLevel, LogStream, Machine, Outcome,
    Program, Start, State, TimerId, Turn,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::choices::Choices;
use crate::workflow::workflow;

/// After so many inputs the execution is cancelled.
const PATIENCE: usize = 120;
/// A state that takes more bytes than this is not written out: it only makes the rest slow. The execution is cancelled.
const LARGE: usize = 1 << 20;
/// Beyond that, a turn was not bounded: its budget is 256, and what is cancelled is told of besides.
const MAX_EVENTS: usize = 8_000;

/// Performs a random workflow. With every input, a machine that was just restored does the same.
pub fn machine(data: &[u8]) {
    let mut choices = Choices::new(data);
    let document = workflow(&mut choices).to_string();
    let parsed = match Definition::parse(document.as_bytes()) {
        Ok(parsed) => parsed,
        Err(refused) => panic!("{refused}: {document}"),
    };
    let Ok(program) = Program::new(Arc::new(parsed.definition)) else { return };
    let mut run = Run {
        program: Arc::new(program),
        secrets: json!({ "granted": "secret" }).as_object().expect("it is one").clone(),
        calls: BTreeSet::new(),
        timers: BTreeMap::new(),
        children: BTreeSet::new(),
        proceed: false,
        is_large: false,
        now: Timestamp::from_second(1_767_225_600).expect("it is a time"),
        sequence: 0,
    };
    run.perform(&mut choices);
}

/// A text of at most [`LARGE`] bytes.
struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > LARGE {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Run {
    program: Arc<Program>,
    secrets: Map<String, Value>,
    calls: BTreeSet<CallId>,
    timers: BTreeMap<TimerId, Timestamp>,
    children: BTreeSet<ChildId>,
    proceed: bool,
    is_large: bool,
    now: Timestamp,
    sequence: u64,
}

impl Run {
    fn perform(&mut self, choices: &mut Choices<'_>) {
        let input = choices.one(&["null", r#"{"n": 1}"#, r#"{"n": [1, 2], "list": [{"a": 1}, 2]}"#, "\"text\""]);
        let start = Start {
            execution: ExecutionId::new("e"),
            input: Data::from_json(input).expect("it is JSON"),
            time: self.now,
            first_sequence: 1,
        };
        let (mut machine, turn) =
            Machine::start(Arc::clone(&self.program), start, environment(&mut Chance, &self.secrets));
        self.take(turn, &machine);
        for inputs in 0.. {
            if machine.outcome().is_some() {
                break;
            }
            let kind = match inputs {
                _ if self.is_large => InputKind::Cancel { reason: Some("it is large".into()) },
                PATIENCE => InputKind::Resume,
                _ if inputs > PATIENCE => InputKind::Cancel { reason: None },
                _ => match self.next(choices) {
                    Some(kind) => kind,
                    // It waits for nothing: it was suspended, or something hangs.
                    None if choices.is_over() => InputKind::Cancel { reason: Some("it hangs".into()) },
                    None => InputKind::Resume,
                },
            };
            assert!(inputs < PATIENCE + 60, "it cannot be cancelled");
            self.feed(&mut machine, kind);
        }
        assert!(machine.outcome().is_some());
        // Nothing happens afterwards.
        let late = Input { time: self.now, kind: InputKind::Cancel { reason: None } };
        assert_eq!(machine.apply(late, environment(&mut Chance, &self.secrets)), Turn::default());
    }

    fn feed(&mut self, machine: &mut Machine, kind: InputKind) {
        let mut text = Bounded(Vec::new());
        if serde_json::to_writer(&mut text, machine.state()).is_err() {
            self.is_large = true;
            let input = Input { time: self.now, kind };
            let turn = machine.apply(input, environment(&mut Chance, &self.secrets));
            return self.take(turn, machine);
        }
        let state: State = serde_json::from_slice(&text.0).expect("what was written can be read");
        assert_eq!(&state, machine.state());
        let mut restored = Machine::restore(Arc::clone(&self.program), state);
        let input = Input { time: self.now, kind };
        let turn = machine.apply(input.clone(), environment(&mut Chance, &self.secrets));
        let again = restored.apply(input, environment(&mut Chance, &self.secrets));
        assert_eq!(turn, again, "a machine that was restored does the same");
        assert_eq!(machine.state(), restored.state());
        self.take(turn, machine);
    }

    /// Keeps the books of a driver.
    fn take(&mut self, turn: Turn, machine: &Machine) {
        assert!(turn.events.len() <= MAX_EVENTS, "a turn is bounded: {}", turn.events.len());
        for event in &turn.events {
            self.sequence += 1;
            assert_eq!(event.sequence, self.sequence, "events are numbered without gaps");
        }
        for command in turn.commands {
            match command {
                Command::StartCall(call) => assert!(self.calls.insert(call.id), "a call is started once"),
                Command::CancelCall { call } => assert!(self.calls.remove(&call), "what is cancelled was started"),
                Command::SetTimer { timer, at } => drop(self.timers.insert(timer, at)),
                Command::ClearTimer { timer } => drop(self.timers.remove(&timer)),
                Command::StartChild(child) => {
                    if child.awaited {
                        self.children.insert(child.id);
                    }
                }
                Command::CancelChild { child } => drop(self.children.remove(&child)),
                Command::Proceed => self.proceed = true,
                Command::Finish { outcome } => assert_eq!(Some(&outcome), machine.outcome()),
                // What other kinds of tasks ask for never comes: they wait until they are cancelled.
                #[allow(unreachable_patterns, reason = "there may be more commands")]
                _ => {}
            }
        }
    }

    /// What happens next.
    fn next(&mut self, choices: &mut Choices<'_>) -> Option<InputKind> {
        if choices.once_in(3) {
            self.now += SignedDuration::from_millis(i64::from(choices.byte()) * 40);
        }
        match choices.below(24) {
            0 => return Some(InputKind::Suspend),
            1 => return Some(InputKind::Resume),
            2 => return Some(InputKind::Proceed),
            3 => return Some(InputKind::TimerFired { timer: TimerId(u64::from(choices.byte())) }),
            4 if choices.once_in(4) => return Some(InputKind::Cancel { reason: Some("chance".into()) }),
            5 => {
                let call = serde_json::from_value(json!(format!("e/{}", choices.byte()))).expect("any text is an id");
                return Some(InputKind::CallEnded { call, result: Ok(Data::null()) });
            }
            _ => {}
        }
        if self.proceed {
            self.proceed = false;
            return Some(InputKind::Proceed);
        }
        let at = choices.below(self.calls.len());
        if let (Some(call), false) = (self.calls.iter().nth(at).cloned(), choices.once_in(4)) {
            return Some(self.of_call(call, choices));
        }
        let at = choices.below(self.children.len());
        if let Some(child) = self.children.iter().nth(at).cloned() {
            self.children.remove(&child);
            let outcome = match choices.below(3) {
                0 => Outcome::Completed(Data::null()),
                1 => Outcome::Faulted(problem(choices)),
                _ => Outcome::Cancelled,
            };
            return Some(InputKind::ChildEnded { child, outcome });
        }
        let at = choices.below(self.timers.len());
        let timer = self.timers.keys().nth(at).copied()?;
        self.now = self.now.max(self.timers.remove(&timer)?);
        Some(InputKind::TimerFired { timer })
    }

    fn of_call(&mut self, call: CallId, choices: &mut Choices<'_>) -> InputKind {
        match choices.below(8) {
            0 => {
                let fraction = Some(choices.one(&[0.5, -1.0, f64::NAN, f64::INFINITY, 2.0]));
                InputKind::CallReported { call, fraction, message: Some("here".into()), data: None }
            }
            1 => InputKind::CallLogged {
                call,
                level: LogLevel::Info,
                stream: LogStream::Stdout,
                message: "x".repeat(usize::from(choices.byte())),
            },
            2 | 3 => {
                self.calls.remove(&call);
                InputKind::CallEnded { call, result: Err(problem(choices)) }
            }
            _ => {
                self.calls.remove(&call);
                let output = json!({ "n": choices.byte(), "list": [choices.byte()] });
                InputKind::CallEnded { call, result: Ok(Data::new(output).expect("it is small")) }
            }
        }
    }
}

fn problem(choices: &mut Choices<'_>) -> Problem {
    let kind = choices.one(&[ErrorKind::Communication, ErrorKind::Runtime, ErrorKind::Timeout]);
    Problem::new(kind, "No", "chance").with_status(choices.one(&[400, 408, 409, 500]))
}

fn environment<'e>(evaluator: &'e mut Chance, secrets: &'e Map<String, Value>) -> Environment<'e> {
    Environment { evaluator, secrets, grants: None }
}

/// Evaluates programs to anything, but the same to the same.
struct Chance;

impl Evaluator for Chance {
    fn evaluate(&mut self, evaluation: Evaluation<'_>) -> Result<Value, ExpressionError> {
        let mut hasher = DefaultHasher::new();
        evaluation.program.hash(&mut hasher);
        if let Value::Object(members) = evaluation.input {
            members.len().hash(&mut hasher);
            members.keys().for_each(|name| name.hash(&mut hasher));
        }
        evaluation.variables.len().hash(&mut hasher);
        Ok(match hasher.finish() % 9 {
            0 => json!(null),
            1 => json!(true),
            2 => json!(false),
            3 => json!([1, { "a": 2 }, null]),
            4 => json!({ "n": 1, "list": [1] }),
            5 => json!("PT1S"),
            6 => evaluation.input.clone(),
            7 => json!(3),
            _ => return Err(ExpressionError::Failed("chance".into())),
        })
    }

    fn check(&mut self, _: &str, _: &[&str]) -> Result<(), ExpressionError> {
        Ok(())
    }

    fn validate(&mut self, _: &str, data: &Value) -> Result<Vec<Violation>, ExpressionError> {
        let violation = || Violation { pointer: String::new(), message: "is no object".into() };
        Ok(if data.is_object() { Vec::new() } else { vec![violation()] })
    }
}
