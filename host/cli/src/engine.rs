//! The runtime as `hotcell run` uses it: cells in this process.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use hotcell_progress::EventLog;
use hotcell_runtime::{EvaluatorPool, Runtime, RuntimeOptions};
use hotcell_sandbox::{EvaluatorLimits, Evaluators, InProcess, InProcessOptions};

/// A runtime, and what makes evaluators for definitions.
pub(crate) struct Engine {
    pub(crate) runtime: Runtime,
    evaluators: Arc<Evaluators>,
}

impl Engine {
    /// Starts the threads. Compiled components are kept in `cache`, if there is one.
    pub(crate) fn new(events: EventLog, cache: Option<PathBuf>) -> anyhow::Result<Self> {
        let cells = InProcess::new(InProcessOptions { cache_dir: cache.clone(), ..InProcessOptions::default() })
            .context("could not start the sandbox")?;
        let evaluators = Arc::new(Evaluators::with_cache(cache).context("could not start the jq evaluator")?);
        let runtime = Runtime::new(RuntimeOptions::new(Arc::new(cells), events))?;
        Ok(Engine { runtime, evaluators })
    }

    /// Evaluators for one definition.
    pub(crate) fn evaluators(&self) -> EvaluatorPool {
        let evaluators = Arc::clone(&self.evaluators);
        EvaluatorPool::new(move || Box::new(evaluators.evaluator(EvaluatorLimits::default())))
    }
}

/// Where compiled components are kept: as the user says, or in the user's cache folder.
pub(crate) fn cache_folder(given: Option<&Path>) -> Option<PathBuf> {
    match given {
        Some(folder) if folder.as_os_str().is_empty() => None,
        Some(folder) => Some(folder.to_owned()),
        None => {
            let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
            let base = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
            Some(base.join("hotcell"))
        }
    }
}
