//! Drives machines on a simulated clock: calls are answered from a table, timers fire, children run as machines of
//! their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use hotcell_definition::Problem;
use hotcell_expression::{Data, Evaluation, Evaluator};
use hotcell_machine::{
    ChildId, CloudEvent, Command, Environment, Event, ExecutionId, Input, InputKind, ListeningId, Machine, Outcome,
    Position, Program, Start, StartCall, StartChild, State, Subscribe, TimerId, Turn,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::evaluator::NativeEvaluator;
use crate::ledger::Ledger;

/// When every simulation starts: 2026-01-01T00:00:00Z.
pub(crate) const START: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// What there is around an execution.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    /// The answers of each component: the first to its first call, the last to all that follow.
    pub(crate) components: BTreeMap<String, Vec<Answer>>,
    /// The workflows that tasks can run, by name.
    pub(crate) workflows: BTreeMap<String, Arc<Program>>,
    pub(crate) secrets: Map<String, Value>,
    /// What happens to the first execution from outside, and how many milliseconds after its start.
    pub(crate) interferences: Vec<(i64, InputKind)>,
    /// The events that are published from outside, and how many milliseconds after the start; those of 0 before it.
    pub(crate) events: Vec<(i64, CloudEvent)>,
}

/// What a component answers, and how long it takes.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) reply: Reply,
    pub(crate) milliseconds: i64,
    /// What it tells before it answers.
    pub(crate) tells: Vec<Telling>,
}

#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Output(Value),
    /// What it was given.
    Echo,
    /// What a jq program makes of what it was given.
    Jq(String),
    Problem(Problem),
    /// It hangs.
    Never,
}

#[derive(Debug, Clone)]
pub(crate) enum Telling {
    Log(String),
    Report(f64),
}

/// How much is left to chance.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    /// Things happen when their time has come, and first come, first served.
    Calm,
    /// Delays and the order of simultaneous things are drawn; what was cancelled may still end, and things may end
    /// twice.
    Wild { seed: u64 },
}

/// Whether every turn is checked against a machine that was just restored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Lockstep {
    On,
    /// For executions so long that it would take minutes.
    Off,
}

/// What came of an execution.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) outcome: Option<Outcome>,
    pub(crate) events: Vec<Event>,
    /// Every call that was started, with the milliseconds since the start.
    pub(crate) calls: Vec<(i64, StartCall)>,
    /// The components whose calls were interrupted.
    pub(crate) interrupted: Vec<String>,
    /// Every child that was started.
    pub(crate) children: Vec<StartChild>,
    /// Every event that the execution published.
    pub(crate) published: Vec<CloudEvent>,
    /// How long it took, in milliseconds.
    pub(crate) milliseconds: i64,
    /// How often the driver was asked to proceed.
    pub(crate) proceeded: usize,
}

pub(crate) struct Simulation<'w> {
    world: &'w World,
    order: Order,
    lockstep: Lockstep,
    /// After so many inputs the execution is cancelled.
    patience: usize,
    executions: BTreeMap<ExecutionId, Execution>,
    queue: BTreeMap<(Timestamp, u64, u64), Happening>,
    queued: u64,
    now: Timestamp,
    draws: u64,
    answered: BTreeMap<String, usize>,
    /// All that was published, in order.
    published: Vec<CloudEvent>,
    /// Who waits for an event.
    listening: BTreeMap<(ExecutionId, ListeningId), Subscribe>,
}

enum Happening {
    Input(ExecutionId, InputKind),
    Publication(CloudEvent),
}

struct Execution {
    machine: Machine,
    ledger: Ledger,
    ran: Ran,
    timers: BTreeMap<TimerId, (Timestamp, u64, u64)>,
    /// Who waits for it.
    parent: Option<ExecutionId>,
}

impl<'w> Simulation<'w> {
    pub(crate) fn new(world: &'w World, order: Order) -> Self {
        Simulation {
            world,
            order,
            lockstep: Lockstep::On,
            patience: 20_000,
            executions: BTreeMap::new(),
            queue: BTreeMap::new(),
            queued: 0,
            now: START,
            draws: 0,
            answered: BTreeMap::new(),
            published: Vec::new(),
            listening: BTreeMap::new(),
        }
    }

    pub(crate) fn with_lockstep(mut self, lockstep: Lockstep) -> Self {
        self.lockstep = lockstep;
        self
    }

    pub(crate) fn with_patience(mut self, patience: usize) -> Self {
        self.patience = patience;
        self
    }

    /// Runs an execution to its end, or until nothing more happens.
    pub(crate) fn run(mut self, program: &Arc<Program>, input: Value) -> Ran {
        let root = ExecutionId::new("run-1");
        let input = Data::new(input).expect("the input is small");
        for (milliseconds, event) in &self.world.events {
            match milliseconds {
                0 => self.publish(event.clone()),
                _ => {
                    let at = START + SignedDuration::from_millis(*milliseconds);
                    self.schedule(at, Happening::Publication(event.clone()));
                }
            }
        }
        self.begin(root.clone(), program, input, 1, None);
        for (milliseconds, kind) in &self.world.interferences {
            self.enqueue(START + SignedDuration::from_millis(*milliseconds), &root, kind.clone());
        }
        let mut inputs = 0;
        while let Some(((time, ..), happening)) = self.queue.pop_first() {
            let over = self.executions[&root].machine.outcome().is_some();
            if over && matches!(self.order, Order::Calm) {
                break;
            }
            inputs += 1;
            if inputs == self.patience {
                self.feed(&root, InputKind::Cancel { reason: Some("the simulation has lost its patience".into()) });
            }
            if inputs > self.patience + 100 {
                break;
            }
            self.now = self.now.max(time);
            match happening {
                Happening::Input(execution, kind) => self.feed(&execution, kind),
                Happening::Publication(event) => self.publish(event),
            }
        }
        self.executions.remove(&root).expect("it was begun").ran
    }

    fn begin(
        &mut self,
        id: ExecutionId,
        program: &Arc<Program>,
        input: Data,
        first_sequence: u64,
        parent: Option<ExecutionId>,
    ) {
        let start = Start { execution: id.clone(), input, time: self.now, first_sequence };
        let world = self.world;
        let (machine, turn) =
            Machine::start(Arc::clone(program), start.clone(), environment(world, &mut NativeEvaluator));
        if self.lockstep == Lockstep::On {
            let (again, same) = Machine::start(Arc::clone(program), start, environment(world, &mut NativeEvaluator));
            assert_eq!((again.state(), &same), (machine.state(), &turn), "the same start gives the same turn");
        }
        let ran = Ran {
            outcome: None,
            events: Vec::new(),
            calls: Vec::new(),
            interrupted: Vec::new(),
            children: Vec::new(),
            published: Vec::new(),
            milliseconds: 0,
            proceeded: 0,
        };
        let execution =
            Execution { machine, ledger: Ledger::new(first_sequence), ran, timers: BTreeMap::new(), parent };
        self.executions.insert(id.clone(), execution);
        self.carry_out(&id, turn);
    }

    fn feed(&mut self, id: &ExecutionId, kind: InputKind) {
        let world = self.world;
        let Some(execution) = self.executions.get_mut(id) else { return };
        let input = Input { time: self.now, kind };
        execution.ledger.input(&input);
        let restored = (self.lockstep == Lockstep::On).then(|| restored(&execution.machine));
        let turn = execution.machine.apply(input.clone(), environment(world, &mut NativeEvaluator));
        if let Some(mut restored) = restored {
            let same = restored.apply(through_json(&input), environment(world, &mut NativeEvaluator));
            assert_eq!(same, turn, "a machine that was restored goes on as if nothing had happened");
            assert_eq!(restored.state(), execution.machine.state());
            assert_eq!(through_json(&turn.events), turn.events);
            assert_eq!(through_json(&turn.commands), turn.commands);
        }
        self.carry_out(id, turn);
    }

    fn carry_out(&mut self, id: &ExecutionId, turn: Turn) {
        let execution = self.executions.get_mut(id).expect("only known executions take turns");
        let over = turn.commands.iter().any(|command| matches!(command, Command::Finish { .. }));
        let state = match over || self.lockstep == Lockstep::On {
            true => serde_json::to_value(execution.machine.state()).expect("a state is JSON"),
            false => Value::Null,
        };
        execution.ledger.turn(&turn, &state);
        execution.ran.events.extend(turn.events);
        for command in turn.commands {
            self.command(id, command);
        }
    }

    fn command(&mut self, id: &ExecutionId, command: Command) {
        match command {
            Command::StartCall(call) => self.call(id, *call),
            // Nobody waits for it.
            Command::StartDetached(_) => {}
            Command::CancelCall { call } => {
                let ran = &mut self.executions.get_mut(id).expect("it takes its turn").ran;
                let (_, started) = ran.calls.iter().find(|(_, started)| started.id == call).expect("it was started");
                ran.interrupted.push(started.callee.to_string());
            }
            Command::SetTimer { timer, at } => {
                let place = self.enqueue(at, id, InputKind::TimerFired { timer });
                self.executions.get_mut(id).expect("it takes its turn").timers.insert(timer, place);
            }
            Command::ClearTimer { timer } => {
                let place = self.executions.get_mut(id).expect("it takes its turn").timers.remove(&timer);
                // What is cleared may have fired already.
                if !self.chance(3) {
                    self.queue.remove(&place.expect("it was set"));
                }
            }
            Command::StartChild(child) => self.child(id, *child),
            Command::CancelChild { child } => {
                self.enqueue(self.now, &child, InputKind::Cancel { reason: None });
            }
            Command::Publish { event } => {
                let ran = &mut self.executions.get_mut(id).expect("it takes its turn").ran;
                ran.published.push(event.clone());
                self.publish(event);
            }
            Command::Subscribe(subscribe) => self.subscribe(id, *subscribe),
            Command::Unsubscribe { listening } => {
                // What is not wanted any more may come all the same.
                if !self.chance(3) {
                    self.listening.remove(&(id.clone(), listening));
                }
            }
            Command::Proceed => {
                self.executions.get_mut(id).expect("it takes its turn").ran.proceeded += 1;
                // A busy driver takes its time, in which other things happen.
                let delay = if self.chance(3) { self.draw(300) as i64 } else { 0 };
                self.enqueue(self.now + SignedDuration::from_millis(delay), id, InputKind::Proceed);
            }
            Command::Finish { outcome } => self.finish(id, outcome),
        }
    }

    fn call(&mut self, id: &ExecutionId, call: StartCall) {
        let callee = call.callee.to_string();
        let answers = self.world.components.get(&callee);
        let answers = answers.unwrap_or_else(|| panic!("there is no component {callee:?}"));
        let nth = self.answered.entry(callee).or_default();
        let answer = answers[(*nth).min(answers.len() - 1)].clone();
        *nth += 1;
        let result = match answer.reply {
            Reply::Output(output) => Some(Ok(Data::new(output).expect("answers are small"))),
            Reply::Echo => Some(Ok(call.input.clone())),
            Reply::Jq(program) => {
                let evaluation =
                    Evaluation { program: &program, input: call.input.value(), variables: &[], now: self.now };
                let output = NativeEvaluator.evaluate(evaluation).expect("components do not fail by accident");
                Some(Ok(Data::new(output).expect("answers are small")))
            }
            Reply::Problem(problem) => Some(Err(problem)),
            Reply::Never => None,
        };
        let elapsed = self.elapsed();
        let delay = answer.milliseconds + if self.chance(2) { self.draw(2_000) as i64 } else { 0 };
        let at = self.now + SignedDuration::from_millis(delay);
        for telling in answer.tells {
            let call = call.id.clone();
            let kind = match telling {
                Telling::Log(message) => {
                    let (level, stream) = (hotcell_machine::LogLevel::Info, hotcell_machine::LogStream::Log);
                    InputKind::CallLogged { call, level, stream, message }
                }
                Telling::Report(fraction) => {
                    InputKind::CallReported { call, fraction: Some(fraction), message: None, data: Some(Value::Null) }
                }
            };
            self.enqueue(at, id, kind);
        }
        if let Some(result) = result {
            if self.chance(8) {
                let again = InputKind::CallEnded { call: call.id.clone(), result: result.clone() };
                self.enqueue(at, id, again);
            }
            self.enqueue(at, id, InputKind::CallEnded { call: call.id.clone(), result });
        }
        let execution = self.executions.get_mut(id).expect("it takes its turn");
        execution.ran.calls.push((elapsed, call));
    }

    fn child(&mut self, parent: &ExecutionId, child: StartChild) {
        let program = self.world.workflows.get(&child.name).cloned();
        let program = program.unwrap_or_else(|| panic!("there is no workflow {:?}", child.name));
        let waiting = child.awaited.then(|| parent.clone());
        self.executions.get_mut(parent).expect("it takes its turn").ran.children.push(child.clone());
        self.begin(child.id, &program, child.input, 5, waiting);
    }

    fn finish(&mut self, id: &ChildId, outcome: Outcome) {
        let elapsed = self.elapsed();
        let execution = self.executions.get_mut(id).expect("it takes its turn");
        execution.ran.outcome = Some(outcome.clone());
        execution.ran.milliseconds = elapsed;
        if let Some(parent) = execution.parent.clone() {
            self.enqueue(self.now, &parent, InputKind::ChildEnded { child: id.clone(), outcome });
        }
    }

    /// Whoever waits for the event gets it.
    fn publish(&mut self, event: CloudEvent) {
        self.published.push(event.clone());
        let wanting = self.listening.iter().filter(|(_, subscribe)| subscribe.interest.includes(event.kind()));
        let wanting: Vec<_> = wanting.map(|(who, _)| who.clone()).collect();
        for who in wanting {
            self.listening.remove(&who);
            self.deliver(&who.0, who.1, self.published.len());
        }
    }

    fn subscribe(&mut self, id: &ExecutionId, subscribe: Subscribe) {
        if subscribe.after > Position(0) && self.chance(60) {
            self.enqueue(self.now, id, InputKind::EventsLost { listening: subscribe.listening });
            return;
        }
        let held = (1..).zip(&self.published).find(|(position, event)| {
            let position = Position(*position);
            position > subscribe.after
                && subscribe.interest.includes(event.kind())
                && !subscribe.except.contains(position)
        });
        match held {
            Some((position, _)) => self.deliver(id, subscribe.listening, position as usize),
            None => drop(self.listening.insert((id.clone(), subscribe.listening), subscribe)),
        }
    }

    fn deliver(&mut self, id: &ExecutionId, listening: ListeningId, position: usize) {
        let event = self.published[position - 1].clone();
        let kind =
            InputKind::EventArrived { listening, position: Position(position as u64), oldest: Position(1), event };
        let delay = if self.chance(2) { self.draw(500) as i64 } else { 0 };
        let at = self.now + SignedDuration::from_millis(delay);
        if self.chance(8) {
            self.enqueue(at, id, kind.clone());
        }
        self.enqueue(at, id, kind);
    }

    fn enqueue(&mut self, at: Timestamp, id: &ExecutionId, kind: InputKind) -> (Timestamp, u64, u64) {
        self.schedule(at, Happening::Input(id.clone(), kind))
    }

    fn schedule(&mut self, at: Timestamp, happening: Happening) -> (Timestamp, u64, u64) {
        let order = match self.order {
            Order::Calm => 0,
            Order::Wild { .. } => self.draw(1 << 20),
        };
        self.queued += 1;
        let place = (at, order, self.queued);
        self.queue.insert(place, happening);
        place
    }

    fn elapsed(&self) -> i64 {
        i64::try_from(self.now.duration_since(START).as_millis()).expect("simulations are short")
    }

    /// Once in so many times; never in calm order.
    fn chance(&mut self, once_in: u64) -> bool {
        matches!(self.order, Order::Wild { .. }) && self.draw(once_in) == 0
    }

    /// A number below the limit (splitmix64).
    fn draw(&mut self, limit: u64) -> u64 {
        let Order::Wild { seed } = self.order else { return 0 };
        self.draws += 1;
        let mut mixed = seed.wrapping_add(self.draws.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

pub(crate) fn environment<'a>(world: &'a World, evaluator: &'a mut NativeEvaluator) -> Environment<'a> {
    Environment { evaluator, secrets: &world.secrets, grants: None }
}

/// The same machine, as if the host had died and come back.
pub(crate) fn restored(machine: &Machine) -> Machine {
    let state: State = through_json(machine.state());
    assert_eq!(&state, machine.state(), "a state is the same after it has been stored");
    Machine::restore(Arc::clone(machine.program()), state)
}

pub(crate) fn through_json<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    let text = serde_json::to_string(value).expect("what a machine deals with is JSON");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

impl Answer {
    pub(crate) fn at_once(reply: Reply) -> Self {
        Answer { reply, milliseconds: 0, tells: Vec::new() }
    }
}

impl Ran {
    /// The output of an execution that completed.
    #[track_caller]
    pub(crate) fn output(&self) -> &Value {
        match &self.outcome {
            Some(Outcome::Completed(output)) => output.value(),
            other => panic!("the execution has no output: {other:?}"),
        }
    }

    /// The problem of an execution that faulted.
    #[track_caller]
    pub(crate) fn problem(&self) -> &Problem {
        match &self.outcome {
            Some(Outcome::Faulted(problem)) => problem,
            other => panic!("the execution has not faulted: {other:?}"),
        }
    }
}
