//! Extensions: what is performed before and after other tasks.

use std::collections::HashMap;
use std::sync::Arc;

use hotcell_definition as dsl;
use hotcell_definition::TaskReference;

use super::compiler::Compiler;
use super::data::expression;
use super::{Extension, ExtensionId};

/// How many extensions a definition may have. Each of them may apply to each task.
const MAX_EXTENSIONS: usize = 100;

/// Extensions, and to which kinds of task they apply.
#[derive(Debug, Default)]
pub(super) struct Extensions {
    /// By the keyword of the kind; none while the tasks of extensions themselves are compiled.
    by_kind: HashMap<&'static str, Arc<[ExtensionId]>>,
    none: Arc<[ExtensionId]>,
    pub(super) compiled: Vec<Extension>,
}

impl Extensions {
    pub(super) fn of(&self, kind: &dsl::TaskKind) -> Arc<[ExtensionId]> {
        Arc::clone(self.by_kind.get(target(kind)).unwrap_or(&self.none))
    }
}

impl<'d> Compiler<'d> {
    /// Compiles the extensions. To their own tasks none applies.
    pub(super) fn extensions(&mut self) {
        let declared = &self.components.extensions;
        let list = TaskReference::root().join("use").join("extensions");
        if declared.len() > MAX_EXTENSIONS {
            self.refuse(&list, &format!("there are more than {MAX_EXTENSIONS} extensions; make one of several"));
            return;
        }
        for (index, (name, extension)) in declared.iter().enumerate() {
            let reference = list.index(index).join(name);
            let before = extension.before.as_ref().map(|tasks| self.block(tasks, &reference.join("before")));
            let after = extension.after.as_ref().map(|tasks| self.block(tasks, &reference.join("after")));
            let when = extension.when.as_ref().map(expression);
            self.extensions.compiled.push(Extension { when, before, after });
        }
        for kind in TARGETS {
            let applies = |extension: &dsl::Extension| [kind, "all"].contains(&extension.extend.as_str());
            let ids = (0..).zip(declared).filter(|(_, (_, extension))| applies(extension)).map(|(id, _)| id);
            let ids: Arc<[ExtensionId]> = ids.collect();
            if !ids.is_empty() {
                self.extensions.by_kind.insert(kind, ids);
            }
        }
    }
}

const TARGETS: [&str; 11] =
    ["call", "composite", "emit", "for", "listen", "raise", "run", "set", "switch", "try", "wait"];

/// The kind of task as `extend` names it. Chosen: both kinds of task that do nothing but perform others are `composite`.
fn target(kind: &dsl::TaskKind) -> &'static str {
    match kind {
        dsl::TaskKind::Do(_) | dsl::TaskKind::Fork(_) => "composite",
        dsl::TaskKind::Call(_) => "call",
        dsl::TaskKind::Emit(_) => "emit",
        dsl::TaskKind::For(_) => "for",
        dsl::TaskKind::Listen(_) => "listen",
        dsl::TaskKind::Raise(_) => "raise",
        dsl::TaskKind::Run(_) => "run",
        dsl::TaskKind::Set(_) => "set",
        dsl::TaskKind::Switch(_) => "switch",
        dsl::TaskKind::Try(_) => "try",
        dsl::TaskKind::Wait(_) => "wait",
    }
}
