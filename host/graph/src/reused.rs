//! What stands under `use` and is performed where a task says so: functions, and extensions. Each is drawn once, where it is
//! needed first; elsewhere its name is enough, and a picture stays as large as the document.

use std::collections::HashMap;

use hotcell_definition::{Call, Expression, Task, TaskKind, TaskList};

use crate::picture::{Builder, Item, List, MAX_DRAWN, Role, Section, Shape};
use crate::text::short;
use crate::words;

/// Beyond the numbers of tasks, and of what stands for those that are not drawn.
const BOXED: usize = 1_000_000;

/// What extensions perform around a task.
pub(crate) struct Extended {
    pub(crate) before: Vec<Section>,
    pub(crate) after: Vec<Section>,
}

impl<'d> Builder<'d> {
    /// The function of `use.functions` that is called.
    pub(crate) fn called(&mut self, item: &mut Item, call: &Call) {
        let Call::Function(function) = call else { return };
        let Some((name, task)) = self.components.functions.get_key_value(&function.name) else { return };
        if self.drawn >= MAX_DRAWN || !self.functions.insert(name) {
            item.notes.push("drawn where it is called first".into());
            return;
        }
        self.drawn += 1;
        let id = self.drawn - 1;
        // Its own `then` has no effect, and there is nothing beside it.
        let mut inner = self.item((name, task), 0, id, &HashMap::new());
        inner.kind = short(&format!("function: {}", inner.kind));
        (inner.next, inner.jumps) = (None, Vec::new());
        item.notes.retain(|note| *note != inner.name);
        item.sections.push(section(Role::Once, Vec::new(), List { items: vec![inner] }));
    }

    /// What extends a task, drawn if it is not yet, otherwise as a note.
    pub(crate) fn extended(&mut self, item: &mut Item, task: &Task) -> Extended {
        let mut extended = Extended { before: Vec::new(), after: Vec::new() };
        if self.in_extension {
            return extended;
        }
        let components = self.components;
        let kind = words::extends(&task.kind);
        let applied = components.extensions.iter().filter(|(_, extension)| ["all", kind].contains(&&*extension.extend));
        for (name, extension) in applied.take(MAX_DRAWN) {
            // The cases of a switch leave no room for lists.
            let room = self.drawn < MAX_DRAWN && !matches!(task.kind, TaskKind::Switch(_));
            if !room || !self.extensions.insert(name) {
                match item.notes.iter_mut().find(|note| note.starts_with("extended by ")) {
                    Some(note) => *note = short(&format!("{note}, {name}")),
                    None => item.notes.push(short(&format!("extended by {name}"))),
                }
                continue;
            }
            let when = extension.when.as_ref();
            extended.before.extend(self.extension("before", Role::Before, name, when, extension.before.as_ref()));
            // A task that fails has no `after`.
            if !matches!(task.kind, TaskKind::Raise(_)) {
                extended.after.extend(self.extension("after", Role::After, name, when, extension.after.as_ref()));
            }
        }
        extended
    }

    fn extension(
        &mut self,
        word: &str,
        role: Role,
        name: &str,
        when: Option<&Expression>,
        tasks: Option<&'d TaskList>,
    ) -> Option<Section> {
        let tasks = tasks?;
        let mut notes = vec![short(&format!("{word}: {name}"))];
        notes.extend(when.map(|when| short(&format!("when {}", when.0))));
        self.in_extension = true;
        let list = self.list(tasks);
        self.in_extension = false;
        Some(section(role, notes, list))
    }

    /// A task within a box, in which there is room for what extends it. The flow goes to the box and from it.
    pub(crate) fn boxed(&mut self, mut item: Item) -> Item {
        let id = BOXED + self.boxed;
        self.boxed += 1;
        let (next, jumps) = (item.next.take(), std::mem::take(&mut item.jumps));
        let inner = Item { id, ..item };
        Item {
            id: item.id,
            shape: Shape::Do,
            kind: "extended".into(),
            name: inner.name.clone(),
            notes: Vec::new(),
            sections: vec![section(Role::Once, Vec::new(), List { items: vec![inner] })],
            cases: Vec::new(),
            next,
            jumps,
        }
    }
}

fn section(role: Role, notes: Vec<String>, list: List) -> Section {
    Section { role, notes, retry: None, list }
}
