//! Keeps the books of an execution, and panics where they do not balance.

use std::collections::BTreeMap;

use hotcell_machine::{
    CallId, ChildId, Command, Event, EventKind, Input, InputKind, ListeningId, Position, TimerId, Turn,
};
use serde_json::{Value, json};

/// What must hold for every execution, whatever its definition is and in whatever order things happen.
#[derive(Debug)]
pub(crate) struct Ledger {
    next_sequence: u64,
    tasks: BTreeMap<u64, Task>,
    calls: BTreeMap<CallId, Life>,
    timers: BTreeMap<TimerId, Life>,
    children: BTreeMap<ChildId, Life>,
    /// Whether an event is asked for, and the place of the last one.
    listenings: BTreeMap<ListeningId, (Life, Position)>,
    proceeding: bool,
    suspended: bool,
    told_end: bool,
    finished: bool,
}

#[derive(Debug, PartialEq, Clone, Copy)]
enum Life {
    Open,
    Over,
}

#[derive(Debug)]
struct Task {
    parent: Option<u64>,
    stage: Stage,
    /// How many tasks within it have not ended.
    open: usize,
}

#[derive(Debug, PartialEq, Clone, Copy)]
enum Stage {
    Created,
    Started,
    Completed,
    Over,
}

impl Ledger {
    pub(crate) fn new(first_sequence: u64) -> Self {
        Ledger {
            next_sequence: first_sequence,
            tasks: BTreeMap::new(),
            calls: BTreeMap::new(),
            timers: BTreeMap::new(),
            children: BTreeMap::new(),
            listenings: BTreeMap::new(),
            proceeding: false,
            suspended: false,
            told_end: false,
            finished: false,
        }
    }

    /// What is about to be fed.
    pub(crate) fn input(&mut self, input: &Input) {
        match &input.kind {
            InputKind::Proceed => self.proceeding = false,
            InputKind::CallEnded { call, .. } => end(&mut self.calls, call),
            InputKind::TimerFired { timer } => end(&mut self.timers, timer),
            InputKind::ChildEnded { child, .. } => end(&mut self.children, child),
            InputKind::EventArrived { listening, position, .. } => {
                if let Some((life @ Life::Open, after)) = self.listenings.get_mut(listening)
                    && *after < *position
                {
                    (*life, *after) = (Life::Over, *position);
                }
            }
            InputKind::EventsLost { listening } => {
                if let Some((life, _)) = self.listenings.get_mut(listening) {
                    *life = Life::Over;
                }
            }
            InputKind::Suspend => self.suspended = true,
            InputKind::Resume => self.suspended = false,
            InputKind::Cancel { .. } | InputKind::CallReported { .. } | InputKind::CallLogged { .. } => {}
        }
    }

    /// What came of it.
    pub(crate) fn turn(&mut self, turn: &Turn, state: &Value) {
        if self.finished {
            assert_eq!(turn, &Turn::default(), "nothing follows the end");
            return;
        }
        for event in &turn.events {
            self.event(event);
        }
        for command in &turn.commands {
            self.command(command);
        }
        assert_eq!(self.told_end, self.finished, "the last event and the last command come in one turn");
        if self.finished {
            for part in ["frames", "timers"] {
                assert_eq!(state[part], json!({}), "{part} are left");
            }
            assert_eq!(state["agenda"], json!([]), "there is something left to do");
            let remembered = ["consumed", "consumed_by_branches"].map(|part| state.get(part));
            assert_eq!(remembered, [None, None], "what was consumed is remembered");
            let open = |life: &Life| *life == Life::Open;
            assert!(!self.calls.values().any(open), "a call is still open: {:?}", self.calls);
            assert!(!self.timers.values().any(open), "a timer is still set: {:?}", self.timers);
            assert!(!self.children.values().any(open), "a child is still open: {:?}", self.children);
            let waiting = self.listenings.values().any(|(life, _)| open(life));
            assert!(!waiting, "an event is still asked for: {:?}", self.listenings);
            let left: Vec<_> = self.tasks.iter().filter(|(_, task)| !task.stage.ended()).collect();
            assert!(left.is_empty(), "tasks without an end: {left:?}");
        }
    }

    fn event(&mut self, event: &Event) {
        assert!(!self.told_end, "{} follows the last event", event.kind.name());
        assert_eq!(event.sequence, self.next_sequence, "the numbers have no gaps");
        self.next_sequence += 1;
        self.told_end = event.kind.is_last();
        let Some(task) = &event.task else {
            assert!(event.kind.name().starts_with("workflow_"), "{} names its task", event.kind.name());
            return;
        };
        assert_ne!(Some(task.id), task.parent, "no task is within itself");
        if let EventKind::TaskCreated = event.kind {
            assert!(!self.suspended, "nothing new starts while the execution is suspended");
            if let Some(parent) =
                task.parent.map(|parent| self.tasks.get_mut(&parent).expect("a parent is created first"))
            {
                assert_eq!(parent.stage, Stage::Started, "a task is performed within one that runs");
                parent.open += 1;
            }
            let created = Task { parent: task.parent, stage: Stage::Created, open: 0 };
            assert!(self.tasks.insert(task.id, created).is_none(), "each performance has a number of its own");
            return;
        }
        let known = self.tasks.get_mut(&task.id).expect("a task is created first");
        assert_eq!(known.parent, task.parent, "a task stays where it is");
        let (name, before) = (event.kind.name(), known.stage);
        known.stage = match (&event.kind, known.stage) {
            (EventKind::TaskStarted, Stage::Created) => Stage::Started,
            (EventKind::TaskSkipped, Stage::Created) => Stage::Over,
            (EventKind::TaskCompleted, Stage::Started) => Stage::Completed,
            (EventKind::StateUpdated { .. }, Stage::Completed) => Stage::Over,
            // A condition that fails does so before the task starts.
            (EventKind::TaskFailed { .. } | EventKind::TaskCancelled, Stage::Created | Stage::Started) => Stage::Over,
            (
                EventKind::TaskProgress { .. } | EventKind::TaskLog { .. } | EventKind::TaskRetried { .. },
                Stage::Started,
            ) => Stage::Started,
            (_, stage) => panic!("{name} of task {} comes when it is {stage:?}", task.id),
        };
        let ends = !before.ended() && known.stage.ended();
        assert!(!ends || known.open == 0, "{name} of task {} comes before the end of what is within", task.id);
        if let (true, Some(parent)) = (ends, known.parent) {
            self.tasks.get_mut(&parent).expect("a parent is created first").open -= 1;
        }
    }

    fn command(&mut self, command: &Command) {
        assert!(!self.finished, "{command:?} follows the end");
        match command {
            Command::StartCall(call) => {
                assert!(!self.suspended, "no call starts while the execution is suspended");
                assert!(self.calls.insert(call.id.clone(), Life::Open).is_none(), "call ids are unique");
            }
            Command::StartDetached(call) => {
                assert!(!self.suspended, "no call starts while the execution is suspended");
                assert!(self.calls.insert(call.id.clone(), Life::Over).is_none(), "call ids are unique");
            }
            Command::CancelCall { call } => {
                assert_eq!(self.calls.insert(call.clone(), Life::Over), Some(Life::Open), "only what runs is cancelled")
            }
            Command::SetTimer { timer, .. } => {
                assert!(self.timers.insert(*timer, Life::Open).is_none(), "timer ids are unique")
            }
            Command::ClearTimer { timer } => {
                assert_eq!(self.timers.insert(*timer, Life::Over), Some(Life::Open), "only what is set is cleared")
            }
            Command::StartChild(child) => {
                assert!(!self.suspended, "no child starts while the execution is suspended");
                let life = if child.awaited { Life::Open } else { Life::Over };
                assert!(self.children.insert(child.id.clone(), life).is_none(), "child ids are unique");
            }
            Command::CancelChild { child } => {
                let before = self.children.insert(child.clone(), Life::Over);
                assert_eq!(before, Some(Life::Open), "only a child that runs and is waited for is cancelled");
            }
            Command::Publish { .. } => {
                assert!(!self.suspended, "nothing is published while the execution is suspended");
            }
            Command::Subscribe(subscribe) => {
                assert!(!self.suspended, "nothing new is asked for while the execution is suspended");
                let (life, after) =
                    self.listenings.entry(subscribe.listening).or_insert((Life::Over, Position::default()));
                assert_eq!(*life, Life::Over, "one event is asked for at a time");
                assert_eq!(*after, subscribe.after, "each event is heard once");
                *life = Life::Open;
            }
            Command::Unsubscribe { listening } => {
                let before = self.listenings.get_mut(listening).map(|(life, _)| std::mem::replace(life, Life::Over));
                assert_eq!(before, Some(Life::Open), "only what is asked for is cancelled");
            }
            Command::Proceed => {
                assert!(!self.proceeding, "the driver is asked once");
                self.proceeding = true;
            }
            Command::Finish { .. } => self.finished = true,
        }
    }
}

impl Stage {
    fn ended(self) -> bool {
        matches!(self, Stage::Completed | Stage::Over)
    }
}

fn end<K: Ord>(lives: &mut BTreeMap<K, Life>, key: &K) {
    if let Some(life) = lives.get_mut(key) {
        *life = Life::Over;
    }
}
