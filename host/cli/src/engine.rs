//! The runtime as `hotcell run` uses it: cells in this process.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use hotcell_definition::Definition;
use hotcell_egress::{AllowedHost, Egress, EgressOptions};
use hotcell_expression::Needs;
use hotcell_policy::{Effective, Limit, TenantPolicy};
use hotcell_progress::EventLog;
use hotcell_registry::{ContentStore, Credentials, Registry};
use hotcell_runtime::{AllowedHosts, EvaluatorPool, Runtime, RuntimeOptions};
use hotcell_sandbox::{CellEvaluator, Cells, EvaluatorLimits, Evaluators, InProcess, InProcessOptions};

use crate::arguments::RunCommand;
use crate::policy;

/// A runtime, and what makes evaluators for definitions.
pub(crate) struct Engine {
    pub(crate) runtime: Runtime,
    evaluators: Arc<Evaluators>,
    policy: Option<TenantPolicy>,
}

impl Engine {
    /// Starts the threads. Compiled components are kept in `cache`, if there is one.
    pub(crate) fn new(
        cells: Arc<dyn Cells>,
        events: EventLog,
        cache: Option<PathBuf>,
        egress: Egress,
        policy: Option<TenantPolicy>,
    ) -> anyhow::Result<Self> {
        let evaluators = Arc::new(Evaluators::with_cache(cache).context("could not start the jq evaluator")?);
        let mut options = RuntimeOptions::new(cells, events);
        options.runtimes = runtimes_folder();
        options.registry = Some(Arc::new(Registry::new(&egress, content_store(), Credentials::of_docker())));
        options.egress = Arc::new(egress);
        options.policy.clone_from(&policy);
        let runtime = Runtime::new(options)?;
        Ok(Engine { runtime, evaluators, policy })
    }

    /// An evaluator that checks the expressions of one definition.
    pub(crate) fn evaluator(&self) -> CellEvaluator {
        self.evaluators.evaluator(EvaluatorLimits::default())
    }

    /// What the policy says of a workflow, if there is one.
    pub(crate) fn policy(&self, definition: &Definition) -> Option<Effective> {
        Some(
            self.policy
                .as_ref()?
                .workflow(&policy::workflow(definition, &definition.document.version.to_string()))
                .whole(),
        )
    }

    /// Whether evaluators have to be compiled before they can do this.
    pub(crate) fn must_compile(&self, needs: Needs) -> bool {
        self.evaluators.must_compile(needs)
    }

    /// Evaluators for one definition.
    pub(crate) fn evaluators(&self, policy: Option<&Effective>) -> EvaluatorPool {
        let evaluators = Arc::clone(&self.evaluators);
        let limits = policy.map_or_else(EvaluatorLimits::default, |policy| EvaluatorLimits {
            memory: policy.amount(Limit::ExpressionMemory),
            time: policy.time(Limit::ExpressionTime),
        });
        EvaluatorPool::new(move || Box::new(evaluators.evaluator(limits)))
    }
}

/// Cells in this process.
pub(crate) fn in_process(cache: Option<PathBuf>) -> anyhow::Result<Arc<dyn Cells>> {
    let cells = InProcess::new(InProcessOptions { cache_dir: cache, ..InProcessOptions::default() })
        .context("could not start the sandbox")?;
    Ok(Arc::new(cells))
}

/// Cells in this process or, if so many are asked for, in workers.
pub(crate) async fn cells(command: &RunCommand, cache: Option<PathBuf>) -> anyhow::Result<Arc<dyn Cells>> {
    #[cfg(target_os = "linux")]
    if let Some(workers) = command.workers {
        use hotcell_sandbox::{Workers, WorkersOptions};
        let options = WorkersOptions { cache_dir: cache, ..WorkersOptions::new(workers.into()) };
        return Ok(Arc::new(Workers::start(options).await.context("could not start the sandbox")?));
    }
    let _ = command;
    in_process(cache)
}

/// Where the interpreters are that are not part of the binary: as HOTCELL_RUNTIMES says, or in the user's data folder.
fn runtimes_folder() -> Option<PathBuf> {
    match std::env::var_os("HOTCELL_RUNTIMES").filter(|folder| !folder.is_empty()) {
        Some(folder) => Some(folder.into()),
        None => Some(user_folder("XDG_DATA_HOME", ".local/share")?.join("hotcell/runtimes")),
    }
}

/// Where components are kept that were fetched.
pub(crate) fn content_store() -> Option<ContentStore> {
    let folder = user_folder("XDG_CACHE_HOME", ".cache")?.join("hotcell/content");
    Some(ContentStore::new(&folder))
}

/// One of the user's folders, by the variable that says where it is, or its usual place.
fn user_folder(variable: &str, usual: &str) -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(usual)))
}

/// What may leave: to the hosts that the user names, trusting one more issuer of certificates if there is a file of it. With a
/// policy, to those that it allows; of them only those that the user names, if any are named.
pub(crate) fn egress(
    allowed: &[AllowedHost],
    ca_file: Option<&Path>,
    policy: Option<&TenantPolicy>,
) -> anyhow::Result<Egress> {
    let everywhere = policy.map(TenantPolicy::everywhere);
    let mut allowed = allowed.to_vec();
    if let (Some(policy), true) = (&everywhere, allowed.is_empty()) {
        let rules = policy.hosts().next().into_iter().flat_map(|(_, rules)| rules);
        allowed = rules.flat_map(|rule| rule.authorities()).filter_map(|host| host.parse().ok()).collect();
    }
    let mut options = EgressOptions::allowing(allowed);
    if let Some(file) = ca_file {
        options.trust(file).context("--ca-file")?;
    }
    let egress = Egress::new(options);
    Ok(match everywhere {
        Some(policy) => egress.narrowed(Arc::new(AllowedHosts::of(policy))),
        None => egress,
    })
}

/// Where compiled components are kept: as the user says, or in the user's cache folder.
pub(crate) fn cache_folder(given: Option<&Path>) -> Option<PathBuf> {
    match given {
        Some(folder) if folder.as_os_str().is_empty() => None,
        Some(folder) => Some(folder.to_owned()),
        None => Some(user_folder("XDG_CACHE_HOME", ".cache")?.join("hotcell")),
    }
}
