//! Which workflows `run: workflow` would find, told before anything runs.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use hotcell_definition::{Code, Definition, Diagnostic, Locations, Severity, VersionRange};
use hotcell_machine::{NamedWorkflow, Program};
use semver::Version;

use crate::catalog::{MAX_NEIGHBOURS, documents};
use crate::document;

/// The versions that there are of each workflow, by namespace and name.
#[derive(Default)]
pub(crate) struct KnownWorkflows {
    versions: BTreeMap<(String, String), Vec<Version>>,
    /// Whether the folder of the catalog was looked at: then there are no others where the workflow is run.
    complete: bool,
}

impl KnownWorkflows {
    /// Those that stand in the folder of a definition, and those of a catalog. What is no definition is passed over.
    pub(crate) fn read(file: &Path, catalog: Option<&Path>) -> anyhow::Result<Self> {
        let mut known = KnownWorkflows { complete: catalog.is_some(), ..KnownWorkflows::default() };
        if file != Path::new("-") {
            let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            known.add(documents(folder).unwrap_or_default().into_iter().take(MAX_NEIGHBOURS));
        }
        if let Some(folder) = catalog {
            let paths = documents(folder).with_context(|| format!("--catalog: could not read {}", folder.display()))?;
            known.add(paths.into_iter());
        }
        Ok(known)
    }

    fn add(&mut self, paths: impl Iterator<Item = std::path::PathBuf>) {
        for path in paths.filter(|path| path.is_file()) {
            let Ok(bytes) = document::read(&path) else { continue };
            let Ok(parsed) = Definition::parse(&bytes) else { continue };
            let document = parsed.definition.document;
            self.versions.entry((document.namespace, document.name)).or_default().push(document.version);
        }
    }

    /// Every workflow that the definition names and that is not known: errors if a catalog was given, otherwise warnings, as
    /// whoever runs the definition may give one.
    pub(crate) fn check(&self, program: &Program, locations: &Locations) -> Vec<Diagnostic> {
        let severity = if self.complete { Severity::Error } else { Severity::Warning };
        let unknown = program.named_workflows().filter_map(|named| Some((named, self.missing(&named)?)));
        unknown.map(|(named, reason)| diagnostic(&named, &reason, severity, locations)).collect()
    }

    fn missing(&self, named: &NamedWorkflow<'_>) -> Option<String> {
        let name = (named.namespace.to_owned(), named.name.to_owned());
        let versions = self.versions.get(&name).map_or(&[][..], Vec::as_slice);
        let found = VersionRange::parse(named.version).is_ok_and(|range| range.highest(versions.iter()).is_some());
        (!found).then(|| match versions {
            [] => "no workflow of that name is known".to_owned(),
            known => {
                let known: Vec<String> = known.iter().map(Version::to_string).collect();
                format!("the versions that are known are {}", known.join(", "))
            }
        })
    }
}

/// What is said of a workflow that is not known.
pub(crate) fn diagnostic(
    named: &NamedWorkflow<'_>,
    reason: &str,
    severity: Severity,
    locations: &Locations,
) -> Diagnostic {
    let NamedWorkflow { namespace, name, version, reference } = named;
    let pointer = reference.join("run").join("workflow").join("name").as_str().to_owned();
    Diagnostic {
        severity,
        code: Code::UnknownWorkflow,
        place: locations.pointer(&pointer),
        pointer,
        message: format!("There is no workflow {namespace}/{name} {version}: {reason}."),
        help: "Put its definition beside this one, or into the folder that `--catalog` gives.".into(),
        related: None,
    }
}
