//! Which variables an expression has where it stands.

use super::Node;

/// Which of the specification's arguments an expression has: the rows of the table at the end of "Runtime expression
/// arguments".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum Row {
    /// The workflow's `input.from`, and whatever is evaluated before anything runs.
    WorkflowInput,
    /// A task's `if` and `input`.
    TaskInput,
    /// A task's definition, and its `output`.
    #[default]
    Task,
    /// A task's `export`.
    TaskExport,
    /// The workflow's `output`.
    WorkflowOutput,
}

impl Row {
    pub(crate) fn arguments(self) -> &'static [&'static str] {
        match self {
            Row::WorkflowInput => &["secrets", "workflow", "runtime"],
            Row::TaskInput => &["context", "secrets", "task", "workflow", "runtime"],
            Row::Task => &["context", "input", "secrets", "task", "workflow", "runtime", "authorization"],
            Row::TaskExport => {
                &["context", "input", "output", "secrets", "task", "workflow", "runtime", "authorization"]
            }
            Row::WorkflowOutput => &["context", "secrets", "workflow", "runtime"],
        }
    }
}

/// A variable that a loop, a handler or an iterator binds.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) name: Box<str>,
    /// What was bound around it.
    pub(crate) outer: Option<u32>,
}

/// Where an expression stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Scope {
    pub(crate) row: Row,
    /// The innermost variable.
    pub(crate) innermost: Option<u32>,
    /// Whether it stands under `use`, and is evaluated where a task refers to it: with the variables of that task.
    pub(crate) shared: bool,
}

impl<'r> Node<'r> {
    /// Reads something in whose expressions there are the arguments of a row.
    pub(crate) fn in_row<T>(self, row: Row, read: impl FnOnce() -> T) -> T {
        self.in_scope(Scope { row, ..self.reader.scope.get() }, read)
    }

    /// Reads something that is evaluated where a task refers to it.
    pub(crate) fn shared<T>(self, read: impl FnOnce() -> T) -> T {
        self.in_scope(Scope { shared: true, ..self.reader.scope.get() }, read)
    }

    /// Reads something in which these variables are bound.
    pub(crate) fn binding<T>(self, names: &[&str], read: impl FnOnce() -> T) -> T {
        let mut scope = self.reader.scope.get();
        for name in names {
            let mut bound = self.reader.bound.borrow_mut();
            bound.push(Binding { name: (*name).into(), outer: scope.innermost });
            scope.innermost = Some(bound.len() as u32 - 1);
        }
        self.in_scope(scope, read)
    }

    fn in_scope<T>(self, scope: Scope, read: impl FnOnce() -> T) -> T {
        let outer = self.reader.scope.replace(scope);
        let read = read();
        self.reader.scope.set(outer);
        read
    }
}
