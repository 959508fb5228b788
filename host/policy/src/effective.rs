//! What holds for a call, once all levels have had their say.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::host::{Asked, HostRule, Reach};
use crate::level::{Level, Policy, Rule, Said, Source, Workflow};
use crate::limit::{Limit, duration};
use crate::pattern::Pattern;

/// A policy for one tenant, or for nobody in particular.
#[derive(Debug, Clone, Default)]
pub struct TenantPolicy {
    levels: Vec<Arc<Level>>,
    rules: Vec<Arc<Rule>>,
}

/// A tenant that a policy does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policy has no tenant {name:?}; {}", known(.tenants))]
pub struct UnknownTenant {
    /// The name.
    pub name: String,
    /// Those that it has.
    pub tenants: Vec<String>,
}

fn known(tenants: &[String]) -> String {
    const SHOWN: usize = 10;
    match tenants.len() {
        0 => "it has none".into(),
        1..=SHOWN => format!("it has {}", tenants.join(", ")),
        more => format!("it has {} and {} more", tenants[..SHOWN].join(", "), more - SHOWN),
    }
}

impl Policy {
    /// The policy for a tenant; without one, what the operator allows everybody.
    ///
    /// # Errors
    /// There is no such tenant: its limits are not known, and the operator's would be more than it may have.
    pub fn tenant(&self, name: Option<&str>) -> Result<TenantPolicy, UnknownTenant> {
        let (mut levels, mut rules) = (vec![Arc::clone(&self.operator)], self.rules.clone());
        if let Some(name) = name {
            let tenant = self.tenants.get(name).ok_or_else(|| UnknownTenant {
                name: name.to_owned(),
                tenants: self.tenants.keys().cloned().collect(),
            })?;
            levels.push(Arc::clone(&tenant.level));
            rules.extend(tenant.rules.iter().cloned());
        }
        Ok(TenantPolicy { levels, rules })
    }
}

impl TenantPolicy {
    /// What is said of a workflow and its tasks.
    pub fn workflow(&self, workflow: &Workflow<'_>) -> WorkflowPolicy {
        let rules = self.rules.iter().filter(|rule| rule.is_about(workflow)).cloned();
        WorkflowPolicy { levels: self.levels.clone(), rules: rules.collect() }
    }

    /// What holds for all workflows.
    pub fn everywhere(&self) -> Effective {
        Effective::of(self.levels.iter())
    }
}

/// A policy for one workflow.
#[derive(Debug, Clone, Default)]
pub struct WorkflowPolicy {
    levels: Vec<Arc<Level>>,
    rules: Vec<Arc<Rule>>,
}

impl WorkflowPolicy {
    /// What holds for the workflow as a whole, whatever its tasks are told besides.
    pub fn whole(&self) -> Effective {
        let rules = self.rules.iter().filter(|rule| rule.task.is_none()).map(|rule| &rule.level);
        Effective::of(self.levels.iter().chain(rules))
    }

    /// What holds for the task at this reference, `/do/0/charge`.
    pub fn task(&self, reference: &str) -> Effective {
        let meant = |rule: &&Arc<Rule>| rule.task.as_ref().is_none_or(|task| task.matches(reference));
        let rules = self.rules.iter().filter(meant).map(|rule| &rule.level);
        Effective::of(self.levels.iter().chain(rules))
    }

    /// Whether nothing is said of single tasks, so that [`whole`](Self::whole) holds for all of them.
    pub fn is_same_for_all_tasks(&self) -> bool {
        self.rules.iter().all(|rule| rule.task.is_none())
    }
}

/// What holds for a call.
#[derive(Debug, Clone)]
pub struct Effective {
    limits: [Decided; Limit::ALL.len()],
    levels: Vec<Arc<Level>>,
}

/// An amount, and who decided it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Bytes, milliseconds, or a number.
    pub amount: u64,
    /// The first level that allows no more.
    pub source: Source,
}

impl Effective {
    /// The first level is the operator's, which may raise a default; those behind it cannot.
    fn of<'l>(levels: impl Iterator<Item = &'l Arc<Level>>) -> Self {
        let levels: Vec<_> = levels.cloned().collect();
        let limits = std::array::from_fn(|index| {
            let said = |level: &Level| {
                let Said { value, line } = level.limits[index]?;
                Some(Decided { amount: value, source: level.source_at(line) })
            };
            let default = || Decided { amount: Limit::ALL[index].default_amount(), source: Source::Default };
            let mut decided = levels.first().and_then(|operator| said(operator)).unwrap_or_else(default);
            for lower in levels.iter().skip(1).filter_map(|level| said(level)) {
                if lower.amount < decided.amount {
                    decided = lower;
                }
            }
            decided
        });
        Effective { limits, levels }
    }

    /// A limit, and who decided it.
    pub fn limit(&self, limit: Limit) -> &Decided {
        &self.limits[limit.index()]
    }

    /// A limit that counts bytes or things.
    pub fn amount(&self, limit: Limit) -> usize {
        self.limit(limit).amount.try_into().unwrap_or(usize::MAX)
    }

    /// A limit of time.
    pub fn time(&self, limit: Limit) -> Duration {
        duration(self.limit(limit).amount)
    }

    /// Lowers a limit to what the definition asks for.
    #[must_use]
    pub fn asking_for(mut self, limit: Limit, amount: u64) -> Self {
        let decided = &mut self.limits[limit.index()];
        if amount < decided.amount {
            *decided = Decided { amount, source: Source::Definition };
        }
        self
    }

    /// How far a request is allowed.
    ///
    /// # Errors
    /// The level that does not allow it.
    pub fn allows(&self, asked: Asked<'_>) -> Result<Reach, HostDenied> {
        let mut reach = Reach::Named;
        for (source, hosts) in self.hosts() {
            let allowed = hosts.iter().filter_map(|rule| rule.allows(asked)).max();
            let Some(allowed) = allowed else {
                let with_another_method = hosts.iter().any(|rule| {
                    rule.ports.as_ref().is_none_or(|ports| ports.contains(&asked.port))
                        && rule.reach(asked.host).is_some()
                });
                return Err(HostDenied { source, method: with_another_method.then(|| asked.method.into()) });
            };
            reach = reach.min(allowed);
        }
        Ok(reach)
    }

    /// Whether a secret may be used.
    pub fn grants_secret(&self, name: &str) -> bool {
        self.withholds_secret(name).is_none()
    }

    /// The level that does not grant a secret, if there is one.
    pub fn withholds_secret(&self, name: &str) -> Option<Source> {
        let mut secrets = self.secrets();
        secrets.find_map(|(source, granted)| (!granted.iter().any(|pattern| pattern.matches(name))).then_some(source))
    }

    /// What each level that says anything of hosts allows. A request has to be allowed by all of them.
    pub fn hosts(&self) -> impl Iterator<Item = (Source, &[HostRule])> {
        self.levels.iter().filter_map(|level| {
            let Said { value, line } = level.hosts.as_ref()?;
            Some((level.source_at(*line), value.as_slice()))
        })
    }

    /// The secrets that each level that says anything of secrets grants. Only those are granted that all of them grant.
    pub fn secrets(&self) -> impl Iterator<Item = (Source, &[Pattern])> {
        self.levels.iter().filter_map(|level| {
            let Said { value, line } = level.secrets.as_ref()?;
            Some((level.source_at(*line), value.as_slice()))
        })
    }
}

/// A request that a level does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostDenied {
    /// Which level.
    pub source: Source,
    /// The method, if the host and port would be allowed with another one.
    pub method: Option<String>,
}

impl fmt::Display for HostDenied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.method {
            Some(method) => write!(f, "the policy does not allow {method} there: {}", self.source),
            None => write!(f, "the policy does not allow that host and port: {}", self.source),
        }
    }
}

impl std::error::Error for HostDenied {}
