//! Drives one execution: inputs to its machine, commands to cells, timers and children, events to the log.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};
use hotcell_definition::{ErrorKind, Problem};
use hotcell_expression::{Data, ExpressionError};
use hotcell_machine::{
    Builtin, CallId, Callee, ChildId, Command, Environment, Event, EventKind, Input, InputKind, ListeningId, Machine,
    NamedComponent, Outcome, Position, Start, StartCall, StartChild, Subscribe, TimerId, Turn, mask_problem,
};
use hotcell_sandbox as sandbox;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use crate::broker::{EventsLost, Next, Published, Ticket};
use crate::documents::Documents;
use crate::execution::{End, StartExecution};
use crate::family::Family;
use crate::host::CallHost;
use crate::outside::{self, Outside};
use crate::placeholders::Placeholders;
use crate::policy::Rules;
use crate::runtime::Shared;
use crate::tokens::Turns;
use crate::workflow::{Workflow, WorkflowTimes};
use crate::{scripts, shell};

/// How deep workflows may run workflows. Answers definitions that run themselves.
const MAX_NESTED_WORKFLOWS: usize = 16;

/// How many components of a definition are prepared at the same time. Each may take the memory of a compiler.
const PREPARED_AT_ONCE: usize = 4;

/// One execution being driven.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    start: StartExecution,
    /// It hears events that were published after this.
    hears_after: Position,
    /// The secrets that were granted and that the definition declares.
    secrets: Arc<Map<String, Value>>,
    /// What the policy says of the workflow.
    rules: Rules,
    inputs: mpsc::UnboundedSender<Input>,
    /// The timers that are set, in the order in which they fire.
    timers: BTreeSet<(Timestamp, TimerId)>,
    timer_times: HashMap<TimerId, Timestamp>,
    /// The call that runs in place, on the thread that drives the execution.
    in_place: Option<(CallId, BoxFuture<'static, Result<Data, Problem>>)>,
    /// Calls that run beside it.
    beside: HashMap<CallId, AbortHandle>,
    calls: JoinSet<()>,
    children: HashMap<ChildId, mpsc::UnboundedSender<Input>>,
    /// Children that nobody waits for.
    unawaited: Vec<mpsc::UnboundedSender<Input>>,
    /// What counts them, theirs, and those of whoever runs this one.
    family: Family,
    /// What watches the children.
    detached: JoinSet<()>,
    /// The events that have been asked for.
    listenings: HashMap<ListeningId, Ticket>,
    proceed: bool,
}

impl Driver {
    pub(crate) fn new(
        shared: Arc<Shared>,
        start: StartExecution,
        hears_after: Position,
        family: Family,
        inputs: mpsc::UnboundedSender<Input>,
    ) -> Self {
        let declared = &start.workflow.definition().components.secrets;
        let secrets = start.secrets.iter().filter(|(name, _)| declared.contains(name));
        let secrets = secrets.map(|(name, value)| (name.clone(), value.clone())).collect();
        let rules = Rules::of(shared.policy.as_ref(), start.workflow.identity(), shared.limits);
        let secrets = Arc::new(rules.secrets_of_workflow(secrets));
        Driver {
            shared,
            start,
            hears_after,
            secrets,
            rules,
            inputs,
            timers: BTreeSet::new(),
            timer_times: HashMap::new(),
            in_place: None,
            beside: HashMap::new(),
            calls: JoinSet::new(),
            children: HashMap::new(),
            unawaited: Vec::new(),
            family,
            detached: JoinSet::new(),
            listenings: HashMap::new(),
            proceed: false,
        }
    }

    /// From the first event to the last.
    pub(crate) async fn drive(mut self, mut incoming: mpsc::UnboundedReceiver<Input>) -> End {
        let next_sequence = self.announce();
        match self.build(&mut incoming).await {
            Built::Ready => {}
            Built::Refused(problem) => {
                self.tell(next_sequence, self.now(), EventKind::WorkflowFailed { error: problem.clone() });
                return End::Refused(problem);
            }
            Built::Cancelled { reason } => {
                self.tell(next_sequence, self.now(), EventKind::WorkflowCancelled { reason });
                return End::Ran(Outcome::Cancelled);
            }
        }
        let mut machine = self.begin(next_sequence);
        loop {
            if let Some(outcome) = machine.outcome() {
                let outcome = outcome.clone();
                // Workflows that were started with `await: false` outlive the one that started them.
                self.await_detached(incoming).await;
                return End::Ran(outcome);
            }
            // What a call told before it ended is heard before its end.
            let input = match incoming.try_recv() {
                Ok(input) => {
                    // A flood of events must not keep timers from firing that were due before them.
                    while let Some(timer) = self.due_timer(input.time) {
                        self.apply(&mut machine, timer);
                    }
                    input
                }
                Err(_) => {
                    if self.proceed {
                        // An execution that never waits must not keep its thread to itself.
                        tokio::task::yield_now().await;
                    }
                    self.next_input(&mut incoming).await
                }
            };
            self.apply(&mut machine, input);
        }
    }

    /// Waits for the workflows that nobody waits for. They may listen for ever; who cancels the execution now means them.
    async fn await_detached(&mut self, mut incoming: mpsc::UnboundedReceiver<Input>) {
        while !self.detached.is_empty() {
            tokio::select! {
                _ = self.detached.join_next() => {}
                input = incoming.recv() => {
                    if let Some(cancel @ Input { kind: InputKind::Cancel { .. }, .. }) = input {
                        self.unawaited.iter().for_each(|child| drop(child.send(cancel.clone())));
                    }
                }
            }
        }
    }

    /// Tells that the execution exists and that its definition has been read. Returns the next number.
    fn announce(&self) -> u64 {
        let now = self.now();
        let times = self.start.workflow.take_times().unwrap_or(WorkflowTimes { parsing: now, parsed: now });
        let workflow = self.start.workflow.identity().clone();
        self.tell(1, times.parsing, EventKind::WorkflowStarted { workflow });
        self.tell(2, times.parsing, EventKind::WorkflowParsing);
        self.tell(3, times.parsed, EventKind::WorkflowParsed);
        self.tell(4, now, EventKind::WorkflowBuilding);
        5
    }

    /// Makes everything ready, unless someone cancels the execution before that: compiling may take long.
    async fn build(&mut self, incoming: &mut mpsc::UnboundedReceiver<Input>) -> Built {
        let mut building = pin!(build(Arc::clone(&self.start.workflow), Arc::clone(&self.shared), self.rules.clone()));
        let mut early = Vec::new();
        let built = loop {
            tokio::select! {
                biased;
                input = incoming.recv() => match input.expect("the driver itself holds a sender") {
                    Input { kind: InputKind::Cancel { reason }, .. } => break Built::Cancelled { reason },
                    other => early.push(other),
                },
                built = &mut building => break built.map_or_else(Built::Refused, |()| Built::Ready),
            }
        };
        // The machine, which is not there yet, gets what else came.
        for input in early {
            let _ = self.inputs.send(input);
        }
        built
    }

    fn tell(&self, sequence: u64, time: Timestamp, kind: EventKind) {
        let execution = self.start.id.clone();
        self.shared.events.append([Event { sequence, kind, time, execution, task: None }]);
    }

    fn begin(&mut self, first_sequence: u64) -> Machine {
        let workflow = Arc::clone(&self.start.workflow);
        let start = Start {
            execution: self.start.id.clone(),
            input: self.start.input.clone(),
            time: self.now(),
            first_sequence,
        };
        let secrets = Arc::clone(&self.secrets);
        let mut evaluator = workflow.evaluators.for_turn();
        let grants = self.rules.grants();
        let environment = Environment { evaluator: &mut evaluator, secrets: &secrets, grants };
        let (machine, turn) = Machine::start(Arc::clone(&workflow.program), start, environment);
        self.carry_out(turn);
        machine
    }

    fn apply(&mut self, machine: &mut Machine, input: Input) {
        match &input.kind {
            InputKind::CallEnded { call, .. } => drop(self.beside.remove(call)),
            InputKind::ChildEnded { child, .. } => drop(self.children.remove(child)),
            InputKind::EventArrived { listening, .. } | InputKind::EventsLost { listening } => {
                drop(self.listenings.remove(listening));
            }
            _ => {}
        }
        let workflow = Arc::clone(&self.start.workflow);
        let secrets = Arc::clone(&self.secrets);
        let mut evaluator = workflow.evaluators.for_turn();
        let grants = self.rules.grants();
        let turn = machine.apply(input, Environment { evaluator: &mut evaluator, secrets: &secrets, grants });
        drop(evaluator);
        self.carry_out(turn);
    }

    /// Waits for whatever happens first. What has happened already comes before an execution goes on by itself, so that
    /// one that never waits meets its timeout, and calls beside it end.
    async fn next_input(&mut self, incoming: &mut mpsc::UnboundedReceiver<Input>) -> Input {
        loop {
            let timer = self.timers.first().copied();
            let due = timer.map(|(at, _)| self.shared.clock.sleep_until(at));
            let due = async {
                match due {
                    Some(due) => due.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                input = incoming.recv() => return input.expect("the driver itself holds a sender"),
                result = run_in_place(&mut self.in_place) => {
                    let (call, _) = self.in_place.take().expect("it has just ended");
                    // Log lines that the call wrote at its very end come first.
                    return self.defer(InputKind::CallEnded { call, result }, incoming);
                }
                () = due => {
                    let (at, timer) = timer.expect("only a timer is slept for");
                    if at <= self.now() {
                        self.forget_timer(timer);
                        return self.at_once(InputKind::TimerFired { timer });
                    }
                }
                () = std::future::ready(()), if self.proceed => {
                    self.proceed = false;
                    return self.at_once(InputKind::Proceed);
                }
            }
        }
    }

    /// The first of the timers that are due at this time.
    fn due_timer(&mut self, time: Timestamp) -> Option<Input> {
        let (_, timer) = self.timers.first().copied().filter(|(at, _)| *at <= time)?;
        self.forget_timer(timer);
        Some(Input { time, kind: InputKind::TimerFired { timer } })
    }

    /// The input that is next when this one has come: itself, unless others have come before it.
    fn defer(&self, kind: InputKind, incoming: &mut mpsc::UnboundedReceiver<Input>) -> Input {
        let input = self.at_once(kind);
        match incoming.try_recv() {
            Ok(earlier) => {
                let _ = self.inputs.send(input);
                earlier
            }
            Err(_) => input,
        }
    }

    fn at_once(&self, kind: InputKind) -> Input {
        Input { time: self.now(), kind }
    }

    fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    fn carry_out(&mut self, turn: Turn) {
        self.shared.events.append(turn.events);
        for command in turn.commands {
            match command {
                Command::StartCall(call) => self.start_call(*call),
                Command::StartDetached(call) => self.start_detached(*call),
                Command::CancelCall { call } => self.cancel_call(&call),
                Command::SetTimer { timer, at } => {
                    self.timers.insert((at, timer));
                    self.timer_times.insert(timer, at);
                }
                Command::ClearTimer { timer } => self.forget_timer(timer),
                Command::StartChild(child) => self.start_child(*child),
                Command::CancelChild { child } => self.cancel_child(&child),
                Command::Publish { event } => {
                    self.shared.broker.publish(event);
                }
                Command::Subscribe(subscribe) => self.subscribe(*subscribe),
                Command::Unsubscribe { listening } => drop(self.listenings.remove(&listening)),
                Command::Proceed => self.proceed = true,
                Command::Finish { .. } => self.stop_everything(),
            }
        }
    }

    fn forget_timer(&mut self, timer: TimerId) {
        if let Some(at) = self.timer_times.remove(&timer) {
            self.timers.remove(&(at, timer));
        }
    }

    /// A call that is alone runs in place; others get a task of their own, on whichever thread is free.
    fn start_call(&mut self, call: StartCall) {
        let id = call.id.clone();
        let running = self.run_call(call);
        if self.in_place.is_none() && self.beside.is_empty() {
            self.in_place = Some((id, running));
            return;
        }
        let (inputs, clock, call) = (self.inputs.clone(), Arc::clone(&self.shared.clock), id.clone());
        let handle = self.calls.spawn_on(
            async move {
                let result = running.await;
                let _ = inputs.send(Input { time: clock.now(), kind: InputKind::CallEnded { call, result } });
            },
            &self.shared.threads,
        );
        while self.calls.try_join_next().is_some() {}
        self.beside.insert(id, handle);
    }

    /// A call that nobody waits for outlives the execution; [`Driver::drive`] ends when it does.
    fn start_detached(&mut self, call: StartCall) {
        let id = call.id.clone();
        let running = self.run_call(call);
        let secrets = Arc::clone(&self.secrets);
        while self.detached.try_join_next().is_some() {}
        self.detached.spawn_on(
            async move {
                if let Err(mut problem) = running.await {
                    mask_problem(&mut problem, &secrets);
                    tracing::warn!(call = %id, %problem, "a process that nobody waits for failed");
                }
            },
            &self.shared.threads,
        );
    }

    /// One call, from its component to its output or problem.
    fn run_call(&self, call: StartCall) -> BoxFuture<'static, Result<Data, Problem>> {
        let shared = Arc::clone(&self.shared);
        let workflow = Arc::clone(&self.start.workflow);
        let execution = Arc::clone(&self.start.id.0);
        let (rules, of_workflow) = (self.rules.task(&call.task.reference), self.rules.clone());
        let limits = rules.limits();
        let egress = match call.callee {
            Callee::Builtin(_) | Callee::Script { .. } => rules.egress(&shared.egress),
            Callee::Component { .. } | Callee::Shell => Arc::clone(&shared.egress),
        };
        let secrets = self.secrets_of(&call);
        // All that are secret to the workflow, whichever of them the task was granted.
        let (text, placeholders) = match call.callee {
            Callee::Builtin(Builtin::Http) => Placeholders::prepare(&call.input, &secrets),
            _ => (call.input.value().to_string(), Placeholders::default()),
        };
        let placeholders = Arc::new(placeholders);
        let host = CallHost {
            call: call.id.clone(),
            inputs: self.inputs.clone(),
            secrets: rules.secrets(&secrets),
            clock: Arc::clone(&self.shared.clock),
            outside: match call.callee {
                Callee::Component { .. } | Callee::Script { .. } | Callee::Shell => None,
                Callee::Builtin(Builtin::Http) => Some(Outside {
                    egress: Arc::clone(&egress),
                    grant: outside::asked_for(&call.input),
                    placeholders: Arc::clone(&placeholders),
                    sent: AtomicU32::new(0),
                    turns: Turns::new(Arc::clone(&workflow.tokens)),
                    folder: Some(workflow.components.folder().to_owned()),
                }),
            },
        };
        Box::pin(async move {
            let mut limits = limits;
            if let Some(deadline) = call.deadline {
                let left = Duration::try_from(deadline.duration_since(shared.clock.now())).unwrap_or(Duration::ZERO);
                limits.wall_time = limits.wall_time.min(left);
            }
            let (component, input) = match &call.callee {
                Callee::Component { component, origin, .. } => {
                    let component = match workflow.components.known(component, origin.as_ref()) {
                        Some(digest) => digest,
                        None => {
                            let cells = of_workflow.cells(&shared.cells);
                            let prepared = workflow
                                .components
                                .prepare(component, origin.as_ref(), &*cells, shared.registry.as_deref())
                                .await;
                            prepared.map_err(|error| error.to_problem())?
                        }
                    };
                    (component, text.into())
                }
                Callee::Builtin(builtin) => {
                    let component = shared.builtins.prepare(*builtin, &*shared.cells).await?;
                    (component, text.into())
                }
                Callee::Script { language } => {
                    let interpreter = shared.interpreters.prepare(*language, &*shared.cells).await?;
                    let folder = workflow.components.folder();
                    let (shared, tokens) = (Arc::clone(&shared), Arc::clone(&workflow.tokens));
                    let documents = Documents { shared, tokens, egress, limits };
                    let given = scripts::given(*language, &call.input, folder, &documents, limits.payload);
                    // As in a cell, all that is done for the task is within its time.
                    let given = tokio::time::timeout(limits.wall_time, given).await;
                    let late = |_| sandbox::CallError::TimeLimit { limit: limits.wall_time }.to_problem();
                    (interpreter, given.map_err(late)??)
                }
                Callee::Shell => {
                    return shell::run(&call.input, workflow.components.folder(), limits, Arc::new(host)).await;
                }
            };
            let context = sandbox::CallContext {
                task: Arc::clone(&call.task.name),
                reference: call.task.reference.as_str().into(),
                workflow: Arc::clone(&workflow.name),
                execution,
                attempt: call.task.attempt,
            };
            let export = match &call.callee {
                Callee::Component { export, .. } => export.as_deref().map(Into::into),
                _ => None,
            };
            let id = sandbox::CallId::new(call.id.as_str());
            let request = sandbox::Call { id, component, export, input, context, limits };
            let end = shared.cells.call(request, Arc::new(host)).await;
            let mut output = end.result.map_err(|error| placeholders.clean(error.to_problem()))?;
            placeholders.settle(&mut output);
            Data::new(output).map_err(|error| match error {
                ExpressionError::DataLimit(detail) => Problem::new(ErrorKind::Runtime, "Payload limit", detail),
                other => Problem::new(ErrorKind::Runtime, "Invalid output", other.to_string()),
            })
        })
    }

    /// What a call may know. A function that is elsewhere is somebody else's: it gets what it is given.
    fn secrets_of(&self, call: &StartCall) -> Arc<Map<String, Value>> {
        match &call.callee {
            Callee::Component { origin: Some(_), .. } => Arc::default(),
            _ => Arc::clone(&self.secrets),
        }
    }

    fn cancel_call(&mut self, call: &CallId) {
        if self.in_place.as_ref().is_some_and(|(running, _)| running == call) {
            self.in_place = None;
        } else if let Some(handle) = self.beside.remove(call) {
            handle.abort();
        }
    }

    fn start_child(&mut self, child: StartChild) {
        let StartChild { id, task: _, namespace, name, version, input, awaited } = child;
        let depth = id.as_str().matches('.').count();
        let found = if depth > MAX_NESTED_WORKFLOWS {
            Err(Problem::new(
                ErrorKind::Runtime,
                "Nesting limit",
                format!("workflows run each other more than {MAX_NESTED_WORKFLOWS} levels deep"),
            ))
        } else {
            let catalog = self.shared.catalog.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            catalog.find(&namespace, &name, &version).and_then(|workflow| Ok((workflow, self.family.admit()?)))
        };
        let (inputs, clock) = (self.inputs.clone(), Arc::clone(&self.shared.clock));
        let report = move |child: ChildId, outcome: Outcome| {
            let _ = inputs.send(Input { time: clock.now(), kind: InputKind::ChildEnded { child, outcome } });
        };
        match found {
            Ok((workflow, member)) => {
                let secrets = Arc::clone(&self.start.secrets);
                let start = StartExecution { workflow, id: id.clone(), input, secrets };
                let mut execution = self.shared.start(start, self.hears_after, self.family.clone());
                if awaited {
                    self.children.insert(id.clone(), execution.inputs.clone());
                } else {
                    self.unawaited.retain(|child| !child.is_closed());
                    self.unawaited.push(execution.inputs.clone());
                }
                let watched = async move {
                    let outcome = match execution.end().await {
                        End::Ran(outcome) => outcome,
                        End::Refused(problem) => Outcome::Faulted(problem),
                    };
                    drop(member);
                    if awaited {
                        report(id, outcome);
                    }
                };
                while self.detached.try_join_next().is_some() {}
                self.detached.spawn_on(watched, &self.shared.threads);
            }
            Err(problem) if awaited => report(id, Outcome::Faulted(problem)),
            Err(problem) => {
                tracing::warn!(execution = %self.start.id, %problem, "a workflow that nobody waits for did not start")
            }
        }
    }

    fn cancel_child(&mut self, child: &ChildId) {
        if let Some(inputs) = self.children.remove(child) {
            let reason = Some(format!("{} does not need it any more", self.start.id));
            let _ = inputs.send(self.at_once(InputKind::Cancel { reason }));
        }
    }

    fn subscribe(&mut self, subscribe: Subscribe) {
        let Subscribe { listening, after, interest, except } = subscribe;
        let next = if after == Position(0) { Next::From(self.hears_after) } else { Next::After(after) };
        let (inputs, clock) = (self.inputs.clone(), Arc::clone(&self.shared.clock));
        let deliver = move |heard| {
            let kind = match heard {
                Ok(Published { position, oldest, event }) => {
                    InputKind::EventArrived { listening, position, oldest, event }
                }
                Err(EventsLost) => InputKind::EventsLost { listening },
            };
            let _ = inputs.send(Input { time: clock.now(), kind });
        };
        if let Some(ticket) = self.shared.broker.request(next, interest, &except, Box::new(deliver)) {
            self.listenings.insert(listening, ticket);
        }
    }

    fn stop_everything(&mut self) {
        self.in_place = None;
        self.listenings.clear();
        self.calls.abort_all();
        self.timers.clear();
    }
}

/// How making ready ended.
enum Built {
    Ready,
    Refused(Problem),
    Cancelled { reason: Option<String> },
}

/// Prepares the components that the definition names and the interpreters of its scripts, so that a missing one is found before
/// anything runs, and beside them what its expressions and schemas need, so that the first task that has one does not wait for it.
async fn build(workflow: Arc<Workflow>, shared: Arc<Shared>, rules: Rules) -> Result<(), Problem> {
    let cells = rules.cells(&shared.cells);
    let (evaluators, needs) = (workflow.evaluators.clone(), workflow.program.needs());
    let evaluators = tokio::task::spawn_blocking(move || evaluators.prepare(needs));
    let mut named = HashSet::new();
    let components = workflow.program.components().filter(|component| named.insert((component.name, component.origin)));
    let preparations = components.map(|NamedComponent { name, pointer, origin, .. }| {
        let (workflow, shared, cells) = (Arc::clone(&workflow), Arc::clone(&shared), Arc::clone(&cells));
        let (name, origin, instance) = (name.to_owned(), origin.cloned(), pointer.to_owned());
        async move {
            let registry = shared.registry.as_deref();
            let prepared = workflow.components.prepare(&name, origin.as_ref(), &*cells, registry).await;
            prepared.map_err(|error| Problem { instance: Some(instance), ..error.to_problem() })
        }
    });
    let preparations: Vec<_> = preparations.collect();
    // The first one in the document that fails is told, whichever failed first.
    let mut prepared = stream::iter(preparations).buffered(PREPARED_AT_ONCE);
    while let Some(prepared) = prepared.next().await {
        prepared?;
    }
    for builtin in workflow.program.builtins() {
        shared.builtins.prepare(builtin, &*shared.cells).await?;
    }
    for (pointer, language) in workflow.program.scripts() {
        let prepared = shared.interpreters.prepare(language, &*shared.cells).await;
        prepared.map_err(|problem| Problem { instance: Some(pointer.to_owned()), ..problem })?;
    }
    evaluators.await.expect("making evaluators ready does not panic");
    Ok(())
}

/// The end of the call that runs in place; never, if there is none.
async fn run_in_place(
    in_place: &mut Option<(CallId, BoxFuture<'static, Result<Data, Problem>>)>,
) -> Result<Data, Problem> {
    match in_place {
        Some((_, running)) => running.await,
        None => std::future::pending().await,
    }
}
