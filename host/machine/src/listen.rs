//! `listen`: events are asked for one at a time, tested, and processed.
//!
//! A machine gets events only while it listens. It asks for the next one beyond those that it has heard
//! ([`Command::Subscribe`]), and again when it has done with it; in between whatever brings events holds them. So the
//! machine needs no queue, and each event is processed before the next is looked at, as the specification wants it.
//!
//! An event that was published before the listening began is heard, if it is still held and no `listen` before this one
//! has consumed it. "Before" means in its own flow: what a concurrent branch consumes is not taken from the others.

use std::sync::Arc;

use hotcell_definition::{self as dsl, ErrorKind, Problem, TaskReference};
use hotcell_expression::{Data, ExpressionError, Mode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::bindings::{Arguments, Place};
use crate::cloud_event::brief_text;
use crate::event_filter::Surroundings;
use crate::event_strategy::{Consumption, StrategyPlan, Verdict};
use crate::machine::Run;
use crate::problem::expression_problem;
use crate::program::{Block, Compiler, Kind, OutputPlan};
use crate::state::{Doing, Frame, State, Step};
use crate::{CloudEvent, Command, EventKind, Interest, ListeningId, Position, Positions, Subscribe};

/// A `listen`, made ready.
#[derive(Debug)]
pub(crate) struct ListenPlan {
    pub(crate) strategy: StrategyPlan,
    pub(crate) interest: Interest,
    pub(crate) read: dsl::ReadAs,
    pub(crate) foreach: Option<ForeachPlan>,
}

/// What is done with each event.
#[derive(Debug)]
pub(crate) struct ForeachPlan {
    pub(crate) item: Arc<str>,
    pub(crate) at: Arc<str>,
    pub(crate) tasks: Option<Block>,
    pub(crate) output: Option<OutputPlan>,
    pub(crate) export: Option<OutputPlan>,
}

/// How far a `listen` is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Listening {
    /// The place of the last event that was heard.
    after: Position,
    /// Whether an event has been asked for and has not come yet.
    waiting: bool,
    consumption: Consumption,
    /// Whether the event that is being processed is the last one.
    last: bool,
    /// What becomes the output.
    consumed: Vec<Data>,
    /// How large that is, in bytes as JSON.
    bytes: u64,
    /// How many events have been processed.
    pub(crate) index: u64,
}

impl<'d> Compiler<'d> {
    pub(crate) fn listen(&mut self, listen: &'d dsl::Listen, mode: Mode, reference: &TaskReference) -> Kind {
        let strategy = match StrategyPlan::new(&listen.to, mode, &mut self.patterns) {
            Ok(strategy) => strategy,
            Err(message) => return self.not_yet(reference, "listen", &message),
        };
        let foreach = listen.foreach.as_ref().map(|iterator| {
            let reference = reference.join("foreach");
            ForeachPlan {
                item: iterator.item.as_str().into(),
                at: iterator.at.as_str().into(),
                tasks: iterator.tasks.as_ref().map(|tasks| self.block(tasks, &reference.join("do"))),
                output: self.output(iterator.output.as_ref(), &reference),
                export: self.export(iterator.export.as_ref(), &reference),
            }
        });
        Kind::Listen(Box::new(ListenPlan { interest: strategy.interest(), strategy, read: listen.read, foreach }))
    }
}

impl<'a> Run<'a> {
    pub(crate) fn begin_listen(&mut self, id: u64, plan: &ListenPlan) {
        let message = match &plan.interest {
            Interest::Everything => "listens for events".to_owned(),
            Interest::Types(types) => {
                let shown: Vec<String> = types.iter().take(3).map(|kind| brief_text(kind)).collect();
                let more = if types.len() > shown.len() { ", …" } else { "" };
                format!("listens for {}{more}", shown.join(", "))
            }
        };
        self.task_event(id, EventKind::TaskProgress { fraction: None, message: Some(message), data: None });
        self.frame_mut(id).doing = Doing::Listen(Box::default());
        if plan.strategy.is_empty() { self.end_listen(id) } else { self.ask(id, plan) }
    }

    /// Asks for the next event.
    fn ask(&mut self, id: u64, plan: &ListenPlan) {
        let except = self.state.consumed_before(id);
        let Some(listening) = self.listening(id) else { return };
        listening.waiting = true;
        let (listening, after) = (ListeningId(id), listening.after);
        let subscribe = Subscribe { listening, after, interest: plan.interest.clone(), except };
        self.turn.commands.push(Command::Subscribe(Box::new(subscribe)));
    }

    /// An event has come. It is looked at when its turn has come.
    pub(crate) fn event_arrived(&mut self, listening: ListeningId, at: Position, oldest: Position, event: CloudEvent) {
        let Some(known) = self.listening(listening.0).filter(|known| known.waiting && known.after < at) else { return };
        known.waiting = false;
        known.after = at;
        self.state.forget_consumed_before(oldest);
        self.state.agenda.push_back(Step::Hear { frame: listening.0, event });
    }

    /// Events that should have been heard are gone.
    pub(crate) fn events_lost(&mut self, listening: ListeningId) {
        let Some(known) = self.listening(listening.0).filter(|known| known.waiting) else { return };
        known.waiting = false;
        let problem = Problem::new(
            ErrorKind::Runtime,
            "Events lost",
            "more events were published than are held for a `listen` that is busy with an earlier one; do less in its \
             `foreach`, or run it in a workflow of its own with `await: false`",
        );
        self.fail(listening.0, problem);
    }

    /// Tests an event.
    pub(crate) fn hear(&mut self, id: u64, event: &CloudEvent) {
        let Some(plan) = self.listen_plan(id) else { return };
        let input = self.frame(id).input.clone();
        let Some(listening) = self.listening(id) else { return };
        let mut consumption = std::mem::take(&mut listening.consumption);
        let bindings = Arguments {
            program: self.program,
            state: self.state,
            frame: id,
            place: Place::TaskDefinition,
            secrets: self.secrets,
            grants: self.grants,
            workflow: self.workflow,
        };
        let mut with =
            Surroundings { input: &input, bindings: &bindings, now: self.now, evaluator: &mut self.evaluator };
        let verdict = plan.strategy.offer(event, &mut consumption, &mut with);
        let fraction = plan.strategy.fraction(&consumption);
        let Some(listening) = self.listening(id) else { return };
        listening.consumption = consumption;
        let at = listening.after;
        match verdict {
            Ok(Verdict::Ignored) => self.ask(id, plan),
            Ok(Verdict::ConsumedByUntil { last }) => {
                self.consumes(id, at, fraction, event);
                if last { self.end_listen(id) } else { self.ask(id, plan) }
            }
            Ok(Verdict::Consumed { last }) => {
                listening.last = last;
                self.consumes(id, at, fraction, event);
                match event.read(plan.read) {
                    Ok(item) => self.process(id, plan, item),
                    Err(error) => self.fail(id, expression_problem("listen.read", None, error)),
                }
            }
            Err(problem) => self.fail(id, problem),
        }
    }

    fn consumes(&mut self, id: u64, at: Position, fraction: Option<f64>, event: &CloudEvent) {
        let holder = self.state.context_holder(id);
        self.state.consumed.entry(holder).or_default().insert(at);
        let [kind, source, name] = [event.kind(), event.source(), event.id()].map(brief_text);
        let message = Some(format!("consumed {kind} from {source}"));
        let mut data = json!({"type": kind, "source": source, "id": name});
        if let Some(keys) = self.listening(id).and_then(|listening| listening.consumption.correlation_keys()) {
            data["correlationKeys"] = keys;
        }
        self.task_event(id, EventKind::TaskProgress { fraction, message, data: Some(data) });
    }

    /// Begins what `foreach` does with an event.
    fn process(&mut self, id: u64, plan: &ListenPlan, item: Data) {
        let Some(foreach) = &plan.foreach else { return self.keep(id, plan, item) };
        let Some(index) = self.listening(id).map(|listening| listening.index) else { return };
        match Data::new(json!(index)) {
            Ok(index) => {
                let variables = vec![(Arc::clone(&foreach.item), item.clone()), (Arc::clone(&foreach.at), index)];
                self.frame_mut(id).variables = variables;
            }
            Err(error) => return self.fail(id, expression_problem("foreach.at", None, error)),
        }
        match &foreach.tasks {
            Some(_) => self.next(id, None, item),
            None => self.processed(id, item),
        }
    }

    /// What `foreach` does with an event is over.
    pub(crate) fn processed(&mut self, id: u64, raw_output: Data) {
        let Some(plan) = self.listen_plan(id) else { return };
        let Some(foreach) = &plan.foreach else { return };
        let names = ["foreach.output", "foreach.export"];
        match self.shape_output(id, names, foreach.output.as_ref(), foreach.export.as_ref(), raw_output) {
            Ok(output) => {
                self.frame_mut(id).variables.clear();
                self.keep(id, plan, output);
            }
            Err(problem) => self.fail(id, problem),
        }
    }

    /// An event is part of the output; goes on, or ends.
    fn keep(&mut self, id: u64, plan: &ListenPlan, item: Data) {
        let Some(listening) = self.listening(id) else { return };
        listening.index += 1;
        if !plan.strategy.is_endless() {
            listening.bytes += item.bytes();
            listening.consumed.push(item);
            // What does not fit together in the end need not be kept until then.
            if listening.bytes > Data::MAX_BYTES {
                let limit = Data::MAX_BYTES >> 20;
                let message =
                    format!("the events are larger than {limit} MiB together; keep less of each with `foreach.output`");
                return self.fail(id, expression_problem("listen", None, ExpressionError::DataLimit(message)));
            }
        }
        match self.is_enough(id, plan) {
            Ok(true) => self.end_listen(id),
            Ok(false) => self.ask(id, plan),
            Err(problem) => self.fail(id, problem),
        }
    }

    fn is_enough(&mut self, id: u64, plan: &ListenPlan) -> Result<bool, Problem> {
        let Some(condition) = plan.strategy.until() else {
            return Ok(self.listening(id).is_none_or(|listening| listening.last));
        };
        let consumed = self.consumed(id)?;
        self.holds(id, Place::TaskDefinition, "until", condition, &consumed)
    }

    fn end_listen(&mut self, id: u64) {
        match self.consumed(id) {
            Ok(output) => {
                self.frame_mut(id).doing = Doing::Nothing;
                self.state.agenda.push_back(Step::Complete { frame: id, output, flow: None });
            }
            Err(problem) => self.fail(id, problem),
        }
    }

    /// What has been consumed so far, in order.
    fn consumed(&mut self, id: u64) -> Result<Data, Problem> {
        let items = self.listening(id).map_or(&[][..], |listening| &listening.consumed);
        let array = Data::array(items).map_err(|error| expression_problem("listen", None, error))?;
        self.bytes += array.bytes();
        Ok(array)
    }

    fn listening(&mut self, id: u64) -> Option<&mut Listening> {
        match &mut self.state.frames.get_mut(&id)?.doing {
            Doing::Listen(listening) => Some(listening),
            _ => None,
        }
    }

    fn listen_plan(&self, id: u64) -> Option<&'a ListenPlan> {
        match &self.program.node(self.state.frames.get(&id)?.node?).kind {
            Kind::Listen(plan) => Some(plan),
            _ => None,
        }
    }
}

impl Listening {
    /// What stops the event that has been asked for from coming.
    pub(crate) fn unsubscribe(&self, frame: u64) -> Option<Command> {
        self.waiting.then_some(Command::Unsubscribe { listening: ListeningId(frame) })
    }
}

impl State {
    /// What the flow that leads to a frame has consumed.
    fn consumed_before(&self, frame: u64) -> Positions {
        let mut before = Positions::default();
        for (id, _) in self.ancestry(frame) {
            if let Some(consumed) = self.consumed.get(&id) {
                before.extend(consumed);
            }
        }
        before
    }

    /// A frame is about to go. What a branch has consumed waits for the join, so that it is not taken from the branches
    /// beside it; what all branches of a fork have consumed is gone for what follows it.
    pub(crate) fn hand_over_consumed(&mut self, id: u64) {
        let Some(parent) = self.frames.get(&id).and_then(|frame: &Frame| frame.parent) else { return };
        if let Some(joined) = self.consumed_by_branches.remove(&id) {
            let holder = self.context_holder(id);
            self.consumed.entry(holder).or_default().extend(&joined);
        }
        if let Some(consumed) = self.consumed.remove(&id) {
            self.consumed_by_branches.entry(parent).or_default().extend(&consumed);
        }
    }

    /// Forgets what is not held any more.
    fn forget_consumed_before(&mut self, oldest: Position) {
        for consumed in self.consumed.values_mut().chain(self.consumed_by_branches.values_mut()) {
            consumed.forget_before(oldest);
        }
    }
}
