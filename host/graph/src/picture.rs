//! What is drawn: a tree of tasks, and where the flow goes among them.

use std::collections::{HashMap, HashSet};

use hotcell_definition::{Components, Definition, FlowDirective, SwitchCase, Task, TaskKind, TaskList, Try};

use crate::reused::Extended;
use crate::text::short;
use crate::words;

/// How many tasks are drawn: 1,000. A picture of more helps nobody, and a document can have a hundred thousand.
pub const MAX_DRAWN: usize = 1_000;
/// How many cases of one `switch` are drawn.
const MAX_CASES: usize = 50;

/// A whole definition.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) title: String,
    /// What starts the workflow.
    pub(crate) start: Vec<String>,
    pub(crate) tasks: List,
    pub(crate) drawn: usize,
    pub(crate) omitted: usize,
}

/// Tasks that are performed one after the other, or side by side.
#[derive(Debug, Default)]
pub(crate) struct List {
    pub(crate) items: Vec<Item>,
}

/// A task.
#[derive(Debug)]
pub(crate) struct Item {
    /// Unique in the picture.
    pub(crate) id: usize,
    pub(crate) shape: Shape,
    /// What it does, `call http` for example.
    pub(crate) kind: String,
    pub(crate) name: String,
    /// Details, each a line.
    pub(crate) notes: Vec<String>,
    pub(crate) sections: Vec<Section>,
    /// The cases of a `switch`.
    pub(crate) cases: Vec<String>,
    /// Whether the flow goes on to the next task of the list, and what is said of that.
    pub(crate) next: Option<String>,
    pub(crate) jumps: Vec<Jump>,
}

/// Each kind of task has a shape of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Call,
    Do,
    Emit,
    For,
    Fork,
    Listen,
    Process,
    Raise,
    Set,
    Switch,
    Try,
    Wait,
    Workflow,
    /// What is not drawn.
    More,
}

/// A list inside a task.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) role: Role,
    pub(crate) notes: Vec<String>,
    /// What a retry does, if there is one.
    pub(crate) retry: Option<String>,
    pub(crate) list: List,
}

/// What a list is for its task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Performed once.
    Once,
    /// Performed again and again.
    Repeated,
    /// Performed side by side.
    Branches,
    /// Attempted.
    Attempt,
    /// Performed when the attempt has failed.
    Handler,
    /// What an extension performs before the task.
    Before,
    /// What an extension performs after it.
    After,
}

/// Somewhere else than to the next task.
#[derive(Debug)]
pub(crate) struct Jump {
    pub(crate) from: From,
    pub(crate) to: To,
    pub(crate) label: String,
}

/// What a jump starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    Task,
    Case(usize),
    Handler,
}

/// Where a jump leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    /// The task of this index in the same list.
    Item(usize),
    /// Behind the list.
    Exit,
    /// The end of the workflow.
    End,
}

/// The picture of a definition.
pub(crate) fn of(definition: &Definition) -> Picture {
    let mut builder = Builder::new(&definition.components);
    let tasks = builder.list(&definition.tasks);
    let document = &definition.document;
    Picture {
        title: short(document.title.as_deref().unwrap_or(&document.name)),
        start: definition.schedule.as_ref().map(words::schedule).unwrap_or_default(),
        tasks,
        drawn: builder.drawn,
        omitted: builder.omitted,
    }
}

pub(crate) struct Builder<'d> {
    pub(crate) components: &'d Components,
    pub(crate) drawn: usize,
    omitted: usize,
    /// How many lists were cut.
    cuts: usize,
    /// The functions and the extensions that were drawn: each is, once.
    pub(crate) functions: HashSet<&'d str>,
    pub(crate) extensions: HashSet<&'d str>,
    /// Whether what is drawn belongs to an extension, to whose tasks none applies.
    pub(crate) in_extension: bool,
    /// How many tasks stand within a box of their own, with what extends them.
    pub(crate) boxed: usize,
}

impl<'d> Builder<'d> {
    fn new(components: &'d Components) -> Self {
        Builder {
            components,
            drawn: 0,
            omitted: 0,
            cuts: 0,
            functions: HashSet::new(),
            extensions: HashSet::new(),
            in_extension: false,
            boxed: 0,
        }
    }

    /// Recursive, as deep as the document, whose depth the parser bounds.
    pub(crate) fn list(&mut self, tasks: &'d TaskList) -> List {
        let room = MAX_DRAWN.saturating_sub(self.drawn);
        let shown = &tasks.0[..tasks.0.len().min(room)];
        let mut names = HashMap::new();
        for (index, task) in tasks.0.iter().enumerate() {
            // What is not drawn is behind what says so.
            names.entry(task.name.as_str()).or_insert(index.min(shown.len()));
        }
        // Before those that are inside them, so that a list is drawn as far as possible.
        self.drawn += shown.len();
        let first = self.drawn - shown.len();
        let mut items = Vec::with_capacity(shown.len());
        for (index, task) in shown.iter().enumerate() {
            items.push(self.item((&task.name, &task.task), index, first + index, &names));
        }
        let omitted = tasks.0.len() - shown.len();
        if omitted > 0 {
            let within = tasks.0[shown.len()..].iter().map(|task| inside(&task.task.kind)).sum::<usize>();
            items.push(more(omitted + within, MAX_DRAWN + self.cuts));
            self.cuts += 1;
            self.omitted += omitted + within;
        }
        List { items }
    }

    pub(crate) fn item(
        &mut self,
        (name, task): (&str, &'d Task),
        index: usize,
        id: usize,
        names: &HashMap<&str, usize>,
    ) -> Item {
        let mut item = Item {
            id,
            shape: words::shape(&task.kind),
            kind: words::kind(&task.kind),
            name: short(name),
            notes: words::notes(task),
            sections: Vec::new(),
            cases: Vec::new(),
            next: None,
            jumps: Vec::new(),
        };
        let target = |directive: &FlowDirective| match directive {
            FlowDirective::Continue => None,
            FlowDirective::Exit => Some(To::Exit),
            FlowDirective::End => Some(To::End),
            FlowDirective::To(name) => names.get(name.as_str()).map(|index| To::Item(*index)),
        };
        // Where the flow goes after the task itself.
        let after = |item: &mut Item, label: &str| match task.then.as_ref().and_then(target) {
            Some(To::Item(next)) if next == index + 1 => item.next = Some(label.into()),
            Some(to) => item.jumps.push(Jump { from: From::Task, to, label: label.into() }),
            None => say(&mut item.next, label),
        };
        match &task.kind {
            TaskKind::Switch(cases) => {
                self.switch(&mut item, cases, target);
                if cases.iter().all(|case| case.when.is_some()) {
                    after(&mut item, "otherwise");
                }
            }
            TaskKind::Raise(_) => {}
            _ => after(&mut item, ""),
        }
        // A skipped task does not follow its `then`.
        if task.condition.is_some() && item.next.is_none() {
            item.next = Some("if not".into());
        }
        // What extends a task before what is in it, so that it is drawn further out.
        let Extended { before, after } = self.extended(&mut item, task);
        self.sections(&mut item, &task.kind);
        if let TaskKind::Try(attempt) = &task.kind
            && let Some(to) = attempt.catch.then.as_ref().and_then(target)
        {
            item.jumps.push(Jump { from: From::Handler, to, label: String::new() });
        }
        if before.is_empty() && after.is_empty() {
            return item;
        }
        if item.sections.is_empty() {
            item = self.boxed(item);
        }
        item.sections.splice(0..0, before);
        item.sections.extend(after);
        item
    }

    fn switch(&mut self, item: &mut Item, cases: &[SwitchCase], target: impl Fn(&FlowDirective) -> Option<To>) {
        for (row, case) in cases.iter().take(MAX_CASES).enumerate() {
            item.cases.push(words::case(case));
            match target(&case.then) {
                Some(to) => item.jumps.push(Jump { from: From::Case(row), to, label: short(&case.name) }),
                None => say(&mut item.next, &case.name),
            }
        }
        if cases.len() > MAX_CASES {
            item.cases.push(format!("… {} more cases", cases.len() - MAX_CASES));
        }
    }

    fn sections(&mut self, item: &mut Item, kind: &'d TaskKind) {
        let plain = |role, list| Section { role, notes: Vec::new(), retry: None, list };
        match kind {
            TaskKind::Do(tasks) => item.sections.push(plain(Role::Once, self.list(tasks))),
            TaskKind::For(repeat) => item.sections.push(plain(Role::Repeated, self.list(&repeat.tasks))),
            TaskKind::Fork(fork) => item.sections.push(plain(Role::Branches, self.list(&fork.branches))),
            TaskKind::Listen(listen) => {
                if let Some(tasks) = listen.foreach.as_ref().and_then(|foreach| foreach.tasks.as_ref()) {
                    item.sections.push(plain(Role::Repeated, self.list(tasks)));
                }
            }
            TaskKind::Try(attempt) => self.attempt(item, attempt),
            TaskKind::Call(call) => self.called(item, call),
            _ => {}
        }
    }

    fn attempt(&mut self, item: &mut Item, attempt: &'d Try) {
        let list = self.list(&attempt.tasks);
        item.sections.push(Section { role: Role::Attempt, notes: Vec::new(), retry: None, list });
        let list = attempt.catch.tasks.as_ref().map(|tasks| self.list(tasks)).unwrap_or_default();
        item.sections.push(Section {
            role: Role::Handler,
            notes: words::catch(&attempt.catch),
            retry: attempt.catch.retry.as_ref().map(words::retry),
            list,
        });
    }
}

/// Adds to what is said of the way to the next task.
fn say(next: &mut Option<String>, what: &str) {
    let said = next.get_or_insert_default();
    let separator = if said.is_empty() || what.is_empty() { "" } else { ", " };
    *said = short(&format!("{said}{separator}{what}"));
}

/// What stands for tasks that are not drawn.
fn more(omitted: usize, id: usize) -> Item {
    let name = if omitted == 1 { "1 more task".into() } else { format!("{omitted} more tasks") };
    Item {
        id,
        shape: Shape::More,
        kind: "not drawn".into(),
        name,
        notes: Vec::new(),
        sections: Vec::new(),
        cases: Vec::new(),
        next: None,
        jumps: Vec::new(),
    }
}

/// How many tasks there are in a list, with those inside them.
fn count(tasks: &TaskList) -> usize {
    tasks.0.iter().map(|task| 1 + inside(&task.task.kind)).sum()
}

fn inside(kind: &TaskKind) -> usize {
    match kind {
        TaskKind::Do(tasks) => count(tasks),
        TaskKind::For(repeat) => count(&repeat.tasks),
        TaskKind::Fork(fork) => count(&fork.branches),
        TaskKind::Listen(listen) => listen.foreach.as_ref().and_then(|foreach| foreach.tasks.as_ref()).map_or(0, count),
        TaskKind::Try(attempt) => count(&attempt.tasks) + attempt.catch.tasks.as_ref().map_or(0, count),
        _ => 0,
    }
}
