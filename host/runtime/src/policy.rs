//! Sees to it that each call has what the policy allows it, and no more.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use hotcell_definition::TaskReference;
use hotcell_egress::{Asked, Egress, Narrow, Reach};
use hotcell_machine::{SecretGrants, WorkflowIdentity};
use hotcell_policy::{Effective, Limit, TenantPolicy, WorkflowPolicy};
use hotcell_sandbox::{Call, CallEnd, CallLimits, Cells, ComponentError, Digest, Host};
use serde_json::{Map, Value};

/// What the policy says of one workflow, if there is one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    /// For calls of which nothing else is said.
    defaults: CallLimits,
    policy: Option<Arc<WorkflowPolicy>>,
}

impl Rules {
    pub(crate) fn of(policy: Option<&TenantPolicy>, workflow: &WorkflowIdentity, defaults: CallLimits) -> Self {
        let WorkflowIdentity { namespace, name, version } = workflow;
        let policy = policy.map(|policy| policy.workflow(&hotcell_policy::Workflow { namespace, name, version }));
        Rules { defaults, policy: policy.map(Arc::new) }
    }

    /// What holds for the task at this reference.
    pub(crate) fn task(&self, reference: &TaskReference) -> TaskRules {
        let effective = self.policy.as_ref().map(|policy| policy.task(reference.as_str()));
        TaskRules::new(effective, self.defaults)
    }

    /// The secrets that the workflow may use, whatever its tasks are told besides.
    pub(crate) fn secrets_of_workflow(&self, secrets: Map<String, Value>) -> Map<String, Value> {
        match &self.policy {
            Some(policy) => granted(&policy.whole(), secrets),
            None => secrets,
        }
    }

    /// What decides about secrets while a turn is taken; nothing, if all tasks may use the same.
    pub(crate) fn grants(&self) -> Option<&dyn SecretGrants> {
        match &self.policy {
            Some(policy) if !policy.is_same_for_all_tasks() => Some(self),
            _ => None,
        }
    }

    /// The cells, as the components of the workflow may use them.
    pub(crate) fn cells(&self, cells: &Arc<dyn Cells>) -> Arc<dyn Cells> {
        match &self.policy {
            Some(policy) => {
                let whole = policy.whole();
                let (size, time) = (whole.amount(Limit::ComponentSize), whole.time(Limit::CompileTime));
                Arc::new(BoundedCells { cells: Arc::clone(cells), size, time })
            }
            None => Arc::clone(cells),
        }
    }
}

impl SecretGrants for Rules {
    fn grants(&self, secret: &str, task: Option<&TaskReference>) -> bool {
        self.policy.as_ref().is_none_or(|policy| match task {
            Some(task) => policy.task(task.as_str()).grants_secret(secret),
            None => policy.whole().grants_secret(secret),
        })
    }
}

fn granted(effective: &Effective, mut secrets: Map<String, Value>) -> Map<String, Value> {
    secrets.retain(|name, _| effective.grants_secret(name));
    secrets
}

/// What holds for one task.
pub(crate) struct TaskRules {
    defaults: CallLimits,
    effective: Option<Arc<Effective>>,
}

impl TaskRules {
    /// With these limits, where no policy says any.
    pub(crate) fn new(effective: Option<Effective>, defaults: CallLimits) -> Self {
        TaskRules { defaults, effective: effective.map(Arc::new) }
    }

    pub(crate) fn limits(&self) -> CallLimits {
        self.effective.as_ref().map_or(self.defaults, |effective| limits(effective))
    }

    pub(crate) fn secrets(&self, secrets: &Arc<Map<String, Value>>) -> Arc<Map<String, Value>> {
        match &self.effective {
            Some(effective) if secrets.keys().any(|name| !effective.grants_secret(name)) => {
                Arc::new(granted(effective, Map::clone(secrets)))
            }
            _ => Arc::clone(secrets),
        }
    }

    pub(crate) fn egress(&self, egress: &Arc<Egress>) -> Arc<Egress> {
        match &self.effective {
            Some(effective) => Arc::new(egress.narrowed(Arc::new(AllowedHosts(Arc::clone(effective))))),
            None => Arc::clone(egress),
        }
    }
}

fn limits(effective: &Effective) -> CallLimits {
    CallLimits {
        memory: effective.amount(Limit::Memory),
        wall_time: effective.time(Limit::WallTime),
        cpu_time: effective.time(Limit::CpuTime),
        payload: effective.amount(Limit::Payload),
        payload_values: effective.amount(Limit::PayloadValues),
        log_bytes: effective.amount(Limit::LogBytes),
        handles: effective.amount(Limit::Handles),
        reports: effective.amount(Limit::Reports).try_into().unwrap_or(u32::MAX),
        // Coarse for everybody: no policy makes clocks finer.
        ..CallLimits::default()
    }
}

/// The hosts of a policy, as the way out asks for them.
#[derive(Debug)]
pub struct AllowedHosts(Arc<Effective>);

impl AllowedHosts {
    /// Those that this allows.
    pub fn of(effective: Effective) -> Self {
        AllowedHosts(Arc::new(effective))
    }
}

impl Narrow for AllowedHosts {
    fn reach(&self, asked: Asked<'_>) -> Result<Reach, String> {
        let Asked { method, host, port } = asked;
        match self.0.allows(hotcell_policy::Asked { method, host, port }) {
            Ok(hotcell_policy::Reach::Public) => Ok(Reach::Public),
            Ok(hotcell_policy::Reach::Named) => Ok(Reach::Named),
            Err(denied) => Err(denied.to_string()),
        }
    }
}

/// Cells that take components of a certain size, and wait so long until they are compiled.
struct BoundedCells {
    cells: Arc<dyn Cells>,
    size: usize,
    time: Duration,
}

impl Cells for BoundedCells {
    fn prepare(&self, component: Arc<[u8]>) -> BoxFuture<'_, Result<Digest, ComponentError>> {
        async move {
            let (size, limit) = (component.len(), self.size);
            if size > limit {
                return Err(ComponentError::TooLarge { size, limit });
            }
            let prepared = tokio::time::timeout(self.time, self.cells.prepare(component)).await;
            prepared.unwrap_or_else(|_| {
                Err(ComponentError::CompileLimit { what: format!("more than {} s", self.time.as_secs_f64()) })
            })
        }
        .boxed()
    }

    fn call(&self, call: Call, host: Arc<dyn Host>) -> BoxFuture<'_, CallEnd> {
        self.cells.call(call, host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_policy_calls_have_the_limits_of_the_sandbox() {
        assert_eq!(limits(&TenantPolicy::default().everywhere()), CallLimits::default());
    }
}
