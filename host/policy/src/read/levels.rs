//! What a level says, and whether it is no more than what stands above it.

use super::fields::{describe, listed};
use super::{Code, MAX_LIST, Pattern, Reader, Value, quote, similar};
use crate::host::{HostRule, METHODS};
use crate::level::{Level, Said};
use crate::limit::{Limit, Scope};

/// The most ports of one host.
pub(crate) const MAX_PORTS: usize = 20;

pub(crate) const HOST_FIELDS: [&str; 3] = ["host", "ports", "methods"];

/// A level above the one that is read, and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Above<'a> {
    pub(super) level: &'a Level,
    pub(super) pointer: &'a str,
}

impl Reader<'_> {
    pub(super) fn limits(
        &mut self,
        pointer: &str,
        value: Option<&Value>,
        above: &[Above<'_>],
        of_task: bool,
        level: &mut Level,
    ) {
        let Some(value) = value else { return };
        let pointer = format!("{pointer}/limits");
        let names: Vec<_> = Limit::ALL.iter().map(|limit| limit.name()).collect();
        let Some(members) = self.object(&pointer, value, &names) else { return };
        for (name, value) in members {
            let Some(limit) = Limit::by_name(name) else { continue };
            let at = format!("{pointer}/{name}");
            if of_task && limit.scope() == Scope::Workflow {
                self.error(Code::InvalidValue, &at, &format!("`{name}` cannot be set for a single task."), {
                    "The tasks of a workflow share it; move it to a rule with `workflow` and without `task`."
                });
                continue;
            }
            let Some(value) = self.amount(&at, limit, value) else { continue };
            if self.is_no_more(&at, limit, value, above) {
                level.limits[limit.index()] = Some(Said { value, line: self.place(&at).line });
            }
        }
    }

    fn amount(&mut self, pointer: &str, limit: Limit, value: &Value) -> Option<u64> {
        let (facts, name) = (limit.facts(), limit.name());
        let amount = match facts.unit.read(value) {
            Ok(amount) => amount,
            Err(help) => {
                let message = format!("{} is not an amount of `{name}`.", sentence(&describe(value)));
                self.error(Code::InvalidValue, pointer, &message, help);
                return None;
            }
        };
        let (least, most) = facts.range;
        if !(least..=most).contains(&amount) {
            let message = format!("`{name}: {}` is out of range.", limit.show(amount));
            let help = format!("It may be from {} to {}.", limit.show(least), limit.show(most));
            self.error(Code::OutOfRange, pointer, &message, &help);
            return None;
        }
        Some(amount)
    }

    /// Refuses an amount that is more than one of the levels above has. The first of them may raise the default.
    fn is_no_more(&mut self, pointer: &str, limit: Limit, amount: u64, above: &[Above<'_>]) -> bool {
        let Some(first) = above.first() else { return true };
        let said = above.iter().filter_map(|above| Some((above, above.level.limits[limit.index()]?.value)));
        let lowest = said.min_by_key(|(_, amount)| *amount);
        let name = limit.name();
        let shown = limit.show(amount);
        match lowest {
            Some((above, most)) if amount > most => {
                let source = &above.level.source;
                let message = format!("`{name}: {shown}` is more than {source} allows: {}.", limit.show(most));
                let help = format!("Write at most {}, or raise it above.", limit.show(most));
                let (allowed, at) = ("this is what is allowed", format!("{}/limits/{name}", above.pointer));
                self.related(Code::WiderThanAbove, pointer, &message, &help, Some((allowed, &at)));
                false
            }
            None if amount > limit.default_amount() => {
                debug_assert!(first.pointer.is_empty(), "the operator is the first");
                let most = limit.show(limit.default_amount());
                let message = format!("`{name}: {shown}` is more than the default: {most}.");
                let help = format!("Write at most {most}, or raise `limits.{name}` at the top of the policy.");
                self.error(Code::WiderThanAbove, pointer, &message, &help);
                false
            }
            _ => true,
        }
    }

    pub(super) fn hosts(&mut self, pointer: &str, value: &Value, above: &[Above<'_>]) -> Said<Vec<HostRule>> {
        let pointer = format!("{pointer}/hosts");
        let items = self.list(&pointer, Some(value), MAX_LIST);
        let allowing = above.iter().rev().find_map(|above| Some((above, &above.level.hosts.as_ref()?.value)));
        let mut rules = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let at = format!("{pointer}/{index}");
            let Some(rule) = self.host(&at, item) else { continue };
            match allowing {
                Some((above, allowed)) if !is_allowed(&rule, allowed) => {
                    let message = format!("`{rule}` is more than {} allows.", above.level.source);
                    let there = format!("{}/hosts", above.pointer);
                    self.related(Code::WiderThanAbove, &at, &message, {
                        "Allow it there, too, with the same ports and methods. A pattern does not allow hosts at addresses \
                         that are not public: a rule that names a host has to be allowed by one that names it."
                    }, Some(("these hosts are allowed", &there)));
                }
                _ => rules.push(rule),
            }
        }
        Said { value: rules, line: self.place(&pointer).line }
    }

    fn host(&mut self, pointer: &str, value: &Value) -> Option<HostRule> {
        match value {
            Value::String(text) => self.host_name(pointer, text),
            _ => {
                let members = self.object(pointer, value, &HOST_FIELDS)?;
                let Some(host) = members.get("host") else {
                    self.error(Code::MissingField, pointer, "The host is missing.", "Add `host: api.example.com`.");
                    return None;
                };
                let at = format!("{pointer}/host");
                let text = self.text(&at, host)?;
                let mut rule = self.host_name(&at, text)?;
                if let Some(ports) = members.get("ports") {
                    let at = format!("{pointer}/ports");
                    if rule.ports.is_some() {
                        self.error(
                            Code::ConflictingFields,
                            &at,
                            "The port stands behind the host already.",
                            "Keep one of both.",
                        );
                    }
                    rule.ports = Some(self.ports(&at, ports)?);
                }
                if let Some(methods) = members.get("methods") {
                    let at = format!("{pointer}/methods");
                    if rule.methods.is_some() {
                        self.error(
                            Code::ConflictingFields,
                            &at,
                            "The methods stand behind the host already.",
                            "Keep one of both.",
                        );
                    }
                    rule.methods = Some(self.methods(&at, methods)?);
                }
                Some(rule)
            }
        }
    }

    fn host_name(&mut self, pointer: &str, text: &str) -> Option<HostRule> {
        let rule = HostRule::new(text);
        if rule.is_none() {
            self.error(Code::InvalidValue, pointer, &format!("`{}` is not a host.", quote(text)), {
                "Write `api.example.com`, `api.example.com:8443`, `*.example.com` or `*`, without a scheme or path; behind it, `=GET,HEAD` allows only these methods."
            });
        }
        rule
    }

    fn ports(&mut self, pointer: &str, value: &Value) -> Option<Vec<u16>> {
        let items = self.list(pointer, Some(value), MAX_PORTS);
        let read =
            items.iter().map(|port| port.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0));
        let ports = read.collect::<Option<Vec<_>>>().filter(|ports| !ports.is_empty());
        if ports.is_none() {
            let message = "This is not a list of ports.";
            self.error(Code::InvalidValue, pointer, message, "Write numbers from 1 to 65535: `[443, 8443]`.");
        }
        ports
    }

    fn methods(&mut self, pointer: &str, value: &Value) -> Option<Vec<String>> {
        let items = self.list(pointer, Some(value), METHODS.len());
        let mut methods = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let at = format!("{pointer}/{index}");
            let text = self.text(&at, item)?;
            if !METHODS.contains(&text) {
                let help = match similar(text, METHODS) {
                    Some(similar) => format!("Did you mean `{similar}`?"),
                    None => format!("It may be one of {}.", listed(&METHODS)),
                };
                self.error(Code::InvalidValue, &at, &format!("`{}` is not a method.", quote(text)), &help);
                return None;
            }
            methods.push(text.to_owned());
        }
        if methods.is_empty() {
            self.error(Code::InvalidValue, pointer, "No method is allowed.", "Name one, or remove the host.");
            return None;
        }
        Some(methods)
    }

    pub(super) fn secrets(&mut self, pointer: &str, value: &Value, above: &[Above<'_>]) -> Said<Vec<Pattern>> {
        let pointer = format!("{pointer}/secrets");
        let items = self.list(&pointer, Some(value), MAX_LIST);
        let granting = above.iter().rev().find_map(|above| Some((above, &above.level.secrets.as_ref()?.value)));
        let mut patterns = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let at = format!("{pointer}/{index}");
            let Some(text) = self.text(&at, item) else { continue };
            let Some(pattern) = Pattern::new(text) else {
                let message = format!("`{}` is not the name of a secret.", quote(text));
                self.error(Code::InvalidValue, &at, &message, "Write a name; `*` stands for any characters.");
                continue;
            };
            match granting {
                Some((above, granted)) if !granted.iter().any(|granted| pattern.is_within(granted)) => {
                    let message = format!("`{}` is more than {} grants.", quote(text), above.level.source);
                    let there = format!("{}/secrets", above.pointer);
                    let related = Some(("these secrets are granted", there.as_str()));
                    self.related(Code::WiderThanAbove, &at, &message, "Grant it there, too.", related);
                }
                _ => patterns.push(pattern),
            }
        }
        Said { value: patterns, line: self.place(&pointer).line }
    }
}

/// Whether each port with each method of a rule is allowed by some rule above.
fn is_allowed(rule: &HostRule, above: &[HostRule]) -> bool {
    let ports: Vec<Option<u16>> =
        rule.ports.as_ref().map_or(vec![None], |ports| ports.iter().copied().map(Some).collect());
    let methods: Vec<Option<&String>> =
        rule.methods.as_ref().map_or(vec![None], |methods| methods.iter().map(Some).collect());
    ports.iter().all(|port| {
        methods.iter().all(|method| {
            let part = HostRule {
                host: rule.host.clone(),
                ports: port.map(|port| vec![port]),
                methods: method.map(|method| vec![method.clone()]),
            };
            above.iter().any(|above| part.is_within(above))
        })
    })
}

/// The same words at the beginning of a sentence.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
