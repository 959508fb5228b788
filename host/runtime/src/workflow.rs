//! A definition that is ready to be executed.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use hotcell_definition::Definition;
use hotcell_machine::{HostShell, NamedWorkflow, Program, Unsupported, WorkflowIdentity};
use hotcell_sandbox::WorkflowName;
use jiff::Timestamp;

use crate::check::check_loaded_schemas;
use crate::components::ComponentFolder;
use crate::evaluators::EvaluatorPool;
use crate::resources::Loader;
use crate::tokens::Tokens;

/// A definition that is ready to be executed any number of times: its program, where its components are, and
/// the evaluators that serve it and no other definition.
#[derive(Debug)]
pub struct Workflow {
    pub(crate) program: Arc<Program>,
    pub(crate) components: ComponentFolder,
    pub(crate) evaluators: EvaluatorPool,
    /// What its calls over HTTP keep for each other.
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) name: Arc<WorkflowName>,
    /// When it was read, until an execution has told it.
    times: Mutex<Option<WorkflowTimes>>,
}

/// When a definition was read, for the events that tell of it.
#[derive(Debug, Clone, Copy)]
pub struct WorkflowTimes {
    /// When reading began.
    pub parsing: Timestamp,
    /// When the document had been found to be valid.
    pub parsed: Timestamp,
}

impl Workflow {
    /// Makes a definition ready. Its components are found relative to `folder`.
    ///
    /// # Errors
    /// Everything in the definition that this version does not run.
    pub fn new(
        definition: Arc<Definition>,
        folder: &Path,
        evaluators: EvaluatorPool,
        times: WorkflowTimes,
    ) -> Result<Self, Vec<Unsupported>> {
        Ok(Workflow::of(Program::new(definition)?, folder, evaluators, times))
    }

    /// Makes a definition ready that may refer to functions and schemas elsewhere, and whose shell commands may run outside
    /// of cells, if the operator allows it.
    ///
    /// # Errors
    /// Everything that cannot be loaded; if that is nothing, everything that this version does not run.
    pub async fn load(
        definition: Arc<Definition>,
        loader: &Loader,
        evaluators: EvaluatorPool,
        times: WorkflowTimes,
        shell: HostShell,
    ) -> Result<Self, Vec<Unsupported>> {
        let mut program = loader.link(definition, shell).await?;
        if program.loaded_schemas().next().is_some() {
            let pool = evaluators.clone();
            let checking = tokio::task::spawn_blocking(move || {
                let refused = pool.with(|evaluator| check_loaded_schemas(&program, evaluator));
                (program, refused)
            });
            let (checked, refused) = checking.await.expect("checking schemas does not panic");
            if !refused.is_empty() {
                return Err(refused);
            }
            program = checked;
        }
        Ok(Workflow::of(program, loader.folder(), evaluators, times))
    }

    fn of(program: Program, folder: &Path, evaluators: EvaluatorPool, times: WorkflowTimes) -> Self {
        let WorkflowIdentity { namespace, name, version } = program.identity().clone();
        Workflow {
            components: ComponentFolder::new(folder),
            evaluators,
            tokens: Arc::default(),
            name: Arc::new(WorkflowName { namespace, name, version }),
            times: Mutex::new(Some(times)),
            program: Arc::new(program),
        }
    }

    /// When it was read, for the first that asks: the execution for which it was read. For any other, which may start days
    /// later, that is long past, and no part of how long it takes.
    pub(crate) fn take_times(&self) -> Option<WorkflowTimes> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Which definition it is.
    pub fn identity(&self) -> &WorkflowIdentity {
        self.program.identity()
    }

    /// The workflows that its tasks run.
    pub fn named_workflows(&self) -> impl Iterator<Item = NamedWorkflow<'_>> {
        self.program.named_workflows()
    }

    /// Whether a task of it runs another workflow.
    pub fn runs_workflows(&self) -> bool {
        self.program.runs_workflows()
    }

    /// The definition.
    pub fn definition(&self) -> &Arc<Definition> {
        self.program.definition()
    }
}
