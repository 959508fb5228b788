//! Where definitions and functions come from that a definition refers to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use hotcell_definition::Definition;
use hotcell_machine::{HostShell, Unsupported};
use hotcell_runtime::{Catalog, Clock, Loader, SystemClock, Workflow, WorkflowTimes};
use serde_json::{Map, Value};

use crate::arguments::ProgressForm;
use crate::document;
use crate::engine::Engine;
use crate::run::load;

/// How many documents beside a definition are looked at.
pub(crate) const MAX_NEIGHBOURS: usize = 1_000;

/// What definitions are made ready with.
pub(crate) struct Sources<'a> {
    pub(crate) engine: &'a Engine,
    /// The folder of the default catalog.
    pub(crate) catalog: Option<&'a Path>,
    pub(crate) secrets: Arc<Map<String, Value>>,
    pub(crate) shell: HostShell,
}

impl Sources<'_> {
    /// Makes a definition in this file ready, with everything to which it refers.
    pub(crate) async fn ready(
        &self,
        file: &Path,
        definition: Definition,
        times: WorkflowTimes,
    ) -> Result<Workflow, Vec<Unsupported>> {
        let folder = file.parent().unwrap_or(Path::new("."));
        let policy = self.engine.policy(&definition);
        let mut secrets = Arc::clone(&self.secrets);
        if let Some(policy) = &policy {
            Arc::make_mut(&mut secrets).retain(|name, _| policy.grants_secret(name));
        }
        let loader = Loader::new(folder)
            .with_catalog(self.catalog)
            .with_secrets(secrets)
            .with_fetch(self.engine.runtime.documents_within(policy.as_ref()));
        let evaluators = self.engine.evaluators(policy.as_ref());
        Workflow::load(Arc::new(definition), &loader, evaluators, times, self.shell).await
    }
}

/// The workflows that a workflow can run: those beside it and those of the catalog, which come first.
pub(crate) async fn read(file: &Path, workflow: &Workflow, sources: &Sources<'_>) -> anyhow::Result<Catalog> {
    let mut catalog = Catalog::default();
    if workflow.runs_workflows() && file != Path::new("-") {
        beside(file, sources, &mut catalog).await;
    }
    if let Some(folder) = sources.catalog {
        for path in documents(folder).with_context(|| format!("--catalog: could not read {}", folder.display()))? {
            match load(&path, sources, ProgressForm::None).await? {
                Some((workflow, _)) => catalog.add(Arc::new(workflow)),
                None => bail!(
                    "--catalog: {} is not a definition that can be run; correct it or move it elsewhere",
                    path.display()
                ),
            }
        }
    }
    Ok(catalog)
}

/// A folder may hold much that has nothing to do with workflows: what is no definition is passed over.
async fn beside(file: &Path, sources: &Sources<'_>, catalog: &mut Catalog) {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for path in documents(folder).unwrap_or_default().into_iter().take(MAX_NEIGHBOURS) {
        if !path.is_file() {
            continue;
        }
        let parsing = SystemClock.now();
        let Ok(bytes) = document::read(&path) else { continue };
        let Ok(parsed) = Definition::parse(&bytes) else { continue };
        let times = WorkflowTimes { parsing, parsed: SystemClock.now() };
        if let Ok(workflow) = sources.ready(&path, parsed.definition, times).await {
            catalog.add(Arc::new(workflow));
        }
    }
}

/// The documents of a folder, by their extension, in the order of their names.
pub(crate) fn documents(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut documents = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known)) {
            documents.push(path);
        }
    }
    documents.sort();
    Ok(documents)
}
