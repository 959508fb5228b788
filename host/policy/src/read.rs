//! From a file to a policy, or to everything that is wrong with it.

mod fields;
mod levels;

use std::collections::BTreeMap;
use std::sync::Arc;

use hotcell_definition::{
    Code, Diagnostic, Locations, MAX_LISTED, Place, Refused, Related, Severity, VersionRange, parse_located_data,
    quote, similar,
};
use serde_json::{Map, Value};

use self::levels::Above;
pub(crate) use self::levels::{HOST_FIELDS, MAX_PORTS};
use crate::level::{Level, Policy, Rule, Source, Tenant};
use crate::pattern::{Pattern, TaskPattern};

/// The most rules for tasks that one level has. Each call is compared with all of them.
pub(crate) const MAX_RULES: usize = 1_000;
/// The most hosts, and the most secrets, in one list.
pub(crate) const MAX_LIST: usize = 100;

pub(crate) const TOP_FIELDS: [&str; 5] = ["limits", "hosts", "secrets", "tasks", "tenants"];
pub(crate) const TENANT_FIELDS: [&str; 4] = ["limits", "hosts", "secrets", "tasks"];
pub(crate) const RULE_FIELDS: [&str; 6] = ["workflow", "version", "task", "limits", "hosts", "secrets"];

impl Policy {
    /// Reads a policy, in YAML 1.2 or JSON, within the bounds of a definition.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its line and column: fields that are not known, values that do not fit,
    /// and levels that allow more than those above them.
    ///
    /// # Example
    /// ```
    /// use hotcell_policy::{Limit, Policy, Workflow};
    ///
    /// let policy = Policy::read(b"
    /// limits: { memory: 256MiB }
    /// tenants:
    ///   acme:
    ///     limits: { memory: 64MiB }
    /// ").unwrap();
    /// let workflow = Workflow { namespace: "shop", name: "orders", version: "1.0.0" };
    /// let call = policy.tenant(Some("acme")).unwrap().workflow(&workflow).task("/do/0/charge");
    /// assert_eq!(call.amount(Limit::Memory), 64 << 20);
    /// assert_eq!(call.limit(Limit::Memory).source.to_string(), "tenant acme (line 5)");
    ///
    /// let refused = Policy::read(b"limits: { memroy: 64MiB }").unwrap_err();
    /// assert_eq!(refused.diagnostics[0].help, "Did you mean `memory`?");
    /// ```
    pub fn read(document: &[u8]) -> Result<Policy, Refused> {
        let (value, locations) = parse_located_data(document)?;
        let mut reader = Reader { locations: &locations, diagnostics: Vec::new(), found: 0 };
        let policy = reader.policy(&value);
        let Reader { mut diagnostics, found, .. } = reader;
        if found == 0 {
            return Ok(policy);
        }
        diagnostics.sort_by_key(|diagnostic| diagnostic.place.offset);
        if let (Some(last), 1..) = (diagnostics.last(), found - diagnostics.len()) {
            diagnostics.push(Diagnostic {
                code: Code::MoreProblems,
                message: format!("{} more problems are not listed.", found - diagnostics.len()),
                help: "Solve those above first; some of the others may go with them.".into(),
                ..last.clone()
            });
        }
        Err(Refused::new(diagnostics))
    }
}

/// Reads on behind whatever is wrong, so that all of it is told.
struct Reader<'l> {
    locations: &'l Locations,
    diagnostics: Vec<Diagnostic>,
    found: usize,
}

impl Reader<'_> {
    fn policy(&mut self, value: &Value) -> Policy {
        let Some(top) = self.object("", value, &TOP_FIELDS) else { return Policy::default() };
        let mut operator = self.level("", top, "the operator", &[], false);
        // Everything is denied until it is granted.
        operator.hosts.get_or_insert_with(|| self.silence());
        operator.secrets.get_or_insert_with(|| self.silence());
        let operator = Arc::new(operator);
        let above = [Above { level: &operator, pointer: "" }];
        let rules = self.rules("", top, None, &above);
        let mut tenants = BTreeMap::new();
        for (name, value) in self.entries("/tenants", top.get("tenants")) {
            let pointer = format!("/tenants/{}", escaped(name));
            let Some(tenant) = self.object(&pointer, value, &TENANT_FIELDS) else { continue };
            let level = Arc::new(self.level(&pointer, tenant, &format!("tenant {}", quote(name)), &above, false));
            let above = [above[0], Above { level: &level, pointer: &pointer }];
            let rules = self.rules(&pointer, tenant, Some(name), &above);
            tenants.insert(name.clone(), Tenant { level: Arc::clone(&level), rules });
        }
        Policy { operator, rules, tenants }
    }

    fn rules(
        &mut self,
        pointer: &str,
        level: &Map<String, Value>,
        tenant: Option<&str>,
        above: &[Above<'_>],
    ) -> Vec<Arc<Rule>> {
        let pointer = format!("{pointer}/tasks");
        let items = self.list(&pointer, level.get("tasks"), MAX_RULES);
        let rules = items.iter().enumerate();
        rules.filter_map(|(index, rule)| self.rule(&format!("{pointer}/{index}"), rule, tenant, above)).collect()
    }

    fn rule(&mut self, pointer: &str, value: &Value, tenant: Option<&str>, above: &[Above<'_>]) -> Option<Arc<Rule>> {
        let rule = self.object(pointer, value, &RULE_FIELDS)?;
        let mut words = Vec::from_iter(tenant.map(|tenant| format!("tenant {}", quote(tenant))));
        let mut text = |reader: &mut Self, field: &str| {
            let text = reader.text(&format!("{pointer}/{field}"), rule.get(field)?)?;
            words.push(format!("{field} {}", quote(text)));
            Some(text.to_owned())
        };
        let (workflow, version, task) = (text(self, "workflow"), text(self, "version"), text(self, "task"));
        if !rule.keys().any(|key| ["workflow", "version", "task"].contains(&key.as_str())) {
            self.error(Code::MissingField, pointer, "The rule does not say which tasks it is about.", {
                "Add `task`, by name or reference, or `workflow`; what holds for all tasks belongs one level up."
            });
        }
        let unreadable = |reader: &mut Self, field: &str, text: &str, help: &str| {
            let message = format!("`{}` is not a pattern of a {field}.", quote(text));
            reader.error(Code::InvalidValue, &format!("{pointer}/{field}"), &message, help);
        };
        let workflow = workflow.and_then(|text| {
            let pattern = Pattern::new(&text).filter(|_| text.matches('/').count() <= 1);
            if pattern.is_none() {
                unreadable(
                    self,
                    "workflow",
                    &text,
                    "Write `namespace/name`, or a name; `*` stands for any characters.",
                );
            }
            pattern
        });
        let task = task.and_then(|text| {
            let pattern = TaskPattern::new(&text);
            if pattern.is_none() {
                unreadable(
                    self,
                    "task",
                    &text,
                    "Write a name such as `charge`, or a reference such as `/do/0/charge` or `/**/charge`.",
                );
            }
            pattern
        });
        let version = version.and_then(|text| match VersionRange::parse(&text) {
            Ok(VersionRange::Latest) | Err(_) => {
                let message = format!("`{}` is not a range of versions.", quote(&text));
                self.error(
                    Code::InvalidVersion,
                    &format!("{pointer}/version"),
                    &message,
                    "Write `1.2.3`, `^1.2` or `>=1 <3`.",
                );
                None
            }
            Ok(range) => Some(range),
        });
        let name = if words.is_empty() { "a rule".into() } else { words.join(", ") };
        let level = self.level(pointer, rule, &name, above, rule.contains_key("task"));
        Some(Arc::new(Rule { workflow, version, task, level: Arc::new(level) }))
    }

    /// A level; `of_task` says that its limits can only be those of calls.
    fn level(
        &mut self,
        pointer: &str,
        value: &Map<String, Value>,
        name: &str,
        above: &[Above<'_>],
        of_task: bool,
    ) -> Level {
        let line = self.place(pointer).line;
        let mut level = Level { source: Source::Policy { name: name.into(), line }, ..Level::default() };
        self.limits(pointer, value.get("limits"), above, of_task, &mut level);
        level.hosts = value.get("hosts").map(|hosts| self.hosts(pointer, hosts, above));
        level.secrets = value.get("secrets").map(|secrets| self.secrets(pointer, secrets, above));
        level
    }
}

/// A name as a segment of a JSON Pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
