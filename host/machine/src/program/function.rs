//! Functions: tasks that are called by name. Each is compiled once, however many calls there are.

use std::collections::HashMap;
use std::sync::Arc;

use hotcell_definition as dsl;
use hotcell_definition::TaskReference;
use hotcell_expression::Mode;

use super::compiler::{Compiler, Siblings};
use super::{Function, FunctionId, FunctionPlan, Kind, Loaded, Missing, Origin, Wanted};

/// Those that are called, numbered in the order in which a call of them was met.
#[derive(Debug, Default)]
pub(super) struct Functions<'d> {
    ids: HashMap<&'d str, FunctionId>,
    called: Vec<Called<'d>>,
    pub(super) compiled: Vec<Function>,
}

#[derive(Debug, Clone)]
struct Called<'d> {
    name: &'d str,
    /// Where it is called first.
    pointer: String,
    task: &'d dsl::Task,
    origin: Option<&'d Origin>,
}

/// Where the tasks stand that are being compiled.
#[derive(Debug, Default)]
pub(super) struct Site {
    /// What comes before their references in the document of the definition; if they stand in another one, where the
    /// definition refers to it.
    prefix: String,
    /// The document that they stand in, if it is another one.
    pub(super) origin: Option<Origin>,
}

impl Site {
    /// Whether the tasks stand in a document of somebody else.
    pub(super) fn is_foreign(&self) -> bool {
        self.origin.is_some()
    }

    /// Where something stands in the document of the definition, and what else there is to say about where it stands.
    pub(super) fn locate(&self, pointer: &TaskReference) -> (String, String) {
        match &self.origin {
            Some(origin) => (self.prefix.clone(), format!("in {origin} at {pointer:?}: ", pointer = pointer.as_str())),
            None => (format!("{}{pointer}", self.prefix), String::new()),
        }
    }
}

impl<'d> Compiler<'d> {
    /// A call of a function of `use.functions`, of a catalog, or at a URL.
    pub(super) fn function_call(&mut self, call: &'d dsl::FunctionCall, reference: &TaskReference) -> Kind {
        let input = call.with.as_ref().map(|with| self.template(with, reference));
        match self.function(&call.name, reference) {
            Some(function) => Kind::Function(Box::new(FunctionPlan { function, input })),
            None => Kind::Do(Arc::new([])),
        }
    }

    fn function(&mut self, name: &'d str, reference: &TaskReference) -> Option<FunctionId> {
        if self.is_out_of_place(name) {
            self.refuse(
                &reference.join("call"),
                "a function that came over the network cannot call files of this machine",
            );
            return None;
        }
        if let Some(known) = self.functions.ids.get(name) {
            return Some(*known);
        }
        // A document from elsewhere has no `use.functions`, so that no name of it can be meant.
        let (task, origin) = match self.components.functions.get(name) {
            Some(task) => (task, None),
            None => match self.links.get(&Wanted::Function(name.into())) {
                Some(Loaded::Function { task, origin }) => (&**task, Some(origin)),
                _ => {
                    self.miss_function(name, reference);
                    return None;
                }
            },
        };
        let id = FunctionId::try_from(self.functions.called.len()).expect("the parser bounds the number of names");
        self.functions.ids.insert(name, id);
        let (pointer, _) = self.site.locate(&reference.join("call"));
        self.functions.called.push(Called { name, pointer, task, origin });
        Some(id)
    }

    /// Whether a document that came over the network names a file of this machine.
    fn is_out_of_place(&self, name: &str) -> bool {
        self.site.origin.as_ref().is_some_and(|origin| origin.contains("://"))
            && name.to_ascii_lowercase().starts_with("file:")
    }

    fn miss_function(&mut self, name: &str, reference: &TaskReference) {
        let catalog = name.rsplit_once('@').filter(|_| !name.contains("://")).map(|(_, catalog)| catalog);
        let endpoint = catalog.and_then(|catalog| self.components.catalogs.get(catalog));
        let (pointer, _) = self.site.locate(&reference.join("call"));
        self.missing.push(Missing {
            wanted: Wanted::Function(name.into()),
            endpoint: endpoint.map(|catalog| catalog.endpoint.clone()),
            pointer,
        });
    }

    /// Compiles every function that is called, and those that they call.
    pub(super) fn called_functions(&mut self) {
        while let Some(called) = self.functions.called.get(self.functions.compiled.len()).cloned() {
            let root = TaskReference::root();
            let prefix = match called.origin {
                Some(_) => called.pointer,
                None => root.join("use").join("functions").join(called.name).to_string(),
            };
            self.site = Site { prefix, origin: called.origin.cloned() };
            // `evaluate` is the caller's; the author of a function that is elsewhere does not know it.
            let mode = if called.origin.is_some() { Mode::Strict } else { self.mode };
            let callers = std::mem::replace(&mut self.mode, mode);
            let body = self.task(called.name, called.task, &root, &Siblings::new());
            self.mode = callers;
            self.functions.compiled.push(Function { body: Arc::new([body]), foreign: called.origin.is_some() });
        }
        self.site = Site::default();
    }
}
