//! The workflows that others can run (`run: workflow`).

use std::collections::HashMap;
use std::sync::Arc;

use hotcell_definition::{ErrorKind, Problem, VersionRange};
use semver::Version;

use crate::workflow::Workflow;

/// Workflows by namespace, name and version.
#[derive(Debug, Default)]
pub struct Catalog {
    workflows: HashMap<(String, String), Vec<Arc<Workflow>>>,
}

impl Catalog {
    /// Adds a workflow. One of the same namespace, name and version is replaced.
    pub fn add(&mut self, workflow: Arc<Workflow>) {
        let identity = workflow.identity();
        let versions = self.workflows.entry((identity.namespace.clone(), identity.name.clone())).or_default();
        versions.retain(|known| known.identity() != workflow.identity());
        versions.push(workflow);
        versions.sort_by(|a, b| version(a).cmp(version(b)));
    }

    /// All of them.
    pub fn workflows(&self) -> impl Iterator<Item = &Arc<Workflow>> {
        self.workflows.values().flatten()
    }

    /// The workflow of that name and version: an exact one, `latest`, or the highest of a range like `^1.2`, `1.x` or
    /// `>=1 <2`. A version that is not released yet, `2.0.0-rc.1`, is the latest only if there is no other.
    ///
    /// # Errors
    /// A problem that says which workflow is missing, and which versions there are.
    pub fn find(&self, namespace: &str, name: &str, wanted: &str) -> Result<Arc<Workflow>, Problem> {
        let versions = self.workflows.get(&(namespace.to_owned(), name.to_owned())).map_or(&[][..], Vec::as_slice);
        let found = match VersionRange::parse(wanted) {
            Ok(range) => range.highest(versions.iter().map(|workflow| version(workflow))).map(|place| &versions[place]),
            Err(reason) => {
                let detail =
                    format!("{namespace}/{name}: {wanted:?} is neither a version nor a range of versions: {reason}");
                return Err(Problem::new(ErrorKind::Configuration, "Invalid version", detail));
            }
        };
        found.cloned().ok_or_else(|| {
            let known: Vec<String> = versions.iter().map(|workflow| version(workflow).to_string()).collect();
            let known = if known.is_empty() {
                "no workflow of that name is known; put its definition beside the one that runs it, or into the folder that \
                 `--catalog` gives"
                    .to_owned()
            } else {
                format!("the versions that are known are {}", known.join(", "))
            };
            Problem::new(
                ErrorKind::Configuration,
                "Workflow not found",
                format!("{namespace}/{name} {wanted}: {known}"),
            )
        })
    }
}

fn version(workflow: &Workflow) -> &Version {
    &workflow.definition().document.version
}
