//! Numbers the tasks, and resolves the names by which they refer to each other.

use std::collections::HashMap;
use std::sync::Arc;

use hotcell_definition as dsl;
use hotcell_definition::TaskReference;
use hotcell_expression::{Mode, Template};
use serde_json::Value;

use super::data::{duration, expression};
use super::extension::Extensions;
use super::function::{Functions, Site};
use super::{Block, Case, Flow, HostShell, Kind, Links, Loop, Missing, Node, NodeId, Unsupported};
use crate::emit::EmitPlan;
use crate::event_strategy::MAX_PATTERNS;

/// The places of the tasks of a list, by name.
pub(super) type Siblings<'d> = HashMap<&'d str, u32>;

/// How long the references of all tasks may be together: 64 MiB. Each repeats the names of the tasks around it, so that
/// many tasks deep within tasks with long names would take gigabytes.
const MAX_REFERENCE_BYTES: usize = 64 << 20;

/// Walks a definition once. Its recursion is as deep as the document, whose depth the parser bounds.
pub(crate) struct Compiler<'d> {
    pub(super) components: &'d dsl::Components,
    pub(super) mode: Mode,
    pub(super) shell: HostShell,
    pub(super) nodes: Vec<Node>,
    reference_bytes: usize,
    /// How many regular expressions event filters may still have.
    pub(crate) patterns: usize,
    pub(super) links: &'d Links,
    pub(super) functions: Functions<'d>,
    pub(super) extensions: Extensions,
    pub(super) site: Site,
    pub(super) missing: Vec<Missing>,
    /// Each with where it is referred to.
    pub(super) loaded_schemas: Vec<(String, Arc<str>)>,
    pub(super) unsupported: Vec<Unsupported>,
}

impl<'d> Compiler<'d> {
    pub(super) fn new(components: &'d dsl::Components, mode: Mode, links: &'d Links, shell: HostShell) -> Self {
        Compiler {
            components,
            mode,
            shell,
            nodes: Vec::new(),
            reference_bytes: 0,
            patterns: MAX_PATTERNS,
            links,
            functions: Functions::default(),
            extensions: Extensions::default(),
            site: Site::default(),
            missing: Vec::new(),
            loaded_schemas: Vec::new(),
            unsupported: Vec::new(),
        }
    }

    pub(crate) fn block(&mut self, tasks: &'d dsl::TaskList, reference: &TaskReference) -> Block {
        let names: Siblings<'_> = tasks.0.iter().zip(0..).map(|(item, index)| (item.name.as_str(), index)).collect();
        let mut block = Vec::with_capacity(tasks.0.len());
        for (index, item) in tasks.0.iter().enumerate() {
            let task = reference.index(index).join(&item.name);
            let length = self.reference_bytes + task.as_str().len();
            if length > MAX_REFERENCE_BYTES {
                if self.reference_bytes <= MAX_REFERENCE_BYTES {
                    self.refuse(&task, "the names of the tasks are too long for so many tasks; shorten the outer ones");
                }
                self.reference_bytes = length;
                break;
            }
            self.reference_bytes = length;
            block.push(self.task(&item.name, &item.task, &task, &names));
        }
        block.into()
    }

    pub(super) fn task(
        &mut self,
        name: &str,
        task: &'d dsl::Task,
        reference: &TaskReference,
        siblings: &Siblings<'_>,
    ) -> NodeId {
        let kind = self.kind(&task.kind, &task.source, reference, siblings);
        let node = Node {
            name: name.into(),
            reference: Arc::new(reference.clone()),
            source: Arc::clone(&task.source),
            condition: task.condition.as_ref().map(expression),
            input: self.input(task.input.as_ref(), reference),
            output: self.output(task.output.as_ref(), reference),
            export: self.export(task.export.as_ref(), reference),
            timeout: self.timeout(task.timeout.as_ref()),
            then: task.then.as_ref().map_or(Flow::Continue, |then| flow(then, siblings)),
            extensions: self.extensions.of(&task.kind),
            kind,
        };
        self.nodes.push(node);
        NodeId::try_from(self.nodes.len() - 1).expect("the parser bounds the number of tasks")
    }

    fn kind(
        &mut self,
        kind: &'d dsl::TaskKind,
        source: &Value,
        reference: &TaskReference,
        siblings: &Siblings<'_>,
    ) -> Kind {
        match kind {
            dsl::TaskKind::Do(tasks) => Kind::Do(self.block(tasks, &reference.join("do"))),
            dsl::TaskKind::Set(template) => Kind::Set(self.template(template, reference)),
            dsl::TaskKind::Switch(cases) => Kind::Switch(
                cases
                    .iter()
                    .map(|case| Case { when: case.when.as_ref().map(expression), then: flow(&case.then, siblings) })
                    .collect(),
            ),
            dsl::TaskKind::For(repeat) => Kind::For(Box::new(Loop {
                each: repeat.each.as_str().into(),
                at: repeat.at.as_str().into(),
                collection: match &repeat.collection {
                    dsl::Collection::Expression(source) => Template::Expression(expression(source)),
                    dsl::Collection::Inline(template) => self.template(template, reference),
                },
                condition: repeat.condition.as_ref().map(expression),
                body: self.block(&repeat.tasks, &reference.join("do")),
            })),
            dsl::TaskKind::Fork(fork) => Kind::Fork {
                branches: self.block(&fork.branches, &reference.join("fork").join("branches")),
                compete: fork.compete,
            },
            dsl::TaskKind::Try(attempt) => Kind::Try(Box::new(self.attempt(attempt, reference, siblings))),
            dsl::TaskKind::Raise(raise) => Kind::Raise(Box::new(self.error(&raise.error, reference))),
            dsl::TaskKind::Wait(wait) => Kind::Wait(duration(wait)),
            dsl::TaskKind::Call(call) => self.call(call, source, reference),
            dsl::TaskKind::Run(run) => self.run(run, reference),
            dsl::TaskKind::Emit(emit) => {
                let mut template = |value: Value| self.template(&dsl::Template(Arc::new(value)), reference);
                Kind::Emit(Box::new(EmitPlan::new(&emit.event, &mut template)))
            }
            dsl::TaskKind::Listen(listen) => self.listen(listen, self.mode, reference),
        }
    }

    pub(crate) fn not_yet(&mut self, reference: &TaskReference, field: &str, message: &str) -> Kind {
        self.refuse(&reference.join(field), message);
        Kind::Do(Arc::new([]))
    }

    pub(crate) fn refuse(&mut self, pointer: &TaskReference, message: &str) {
        let (pointer, place) = self.site.locate(pointer);
        self.unsupported.push(Unsupported { pointer, message: format!("{place}{message}") });
    }
}

pub(super) fn flow(directive: &dsl::FlowDirective, siblings: &Siblings<'_>) -> Flow {
    match directive {
        dsl::FlowDirective::Continue => Flow::Continue,
        dsl::FlowDirective::Exit => Flow::Exit,
        dsl::FlowDirective::End => Flow::End,
        dsl::FlowDirective::To(name) => {
            Flow::To(*siblings.get(name.as_str()).expect("validation refuses targets that are not in the same list"))
        }
    }
}
