//! Adding a level never widens anything, whatever the level says.

use hotcell_policy::{Asked, Effective, Limit, Policy, Workflow};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

const WORKFLOW: Workflow<'static> = Workflow { namespace: "shop", name: "orders", version: "1.0.0" };
const HOSTS: [&str; 7] = ["*", "*.org", "*.a.org", "a.org", "x.a.org", "127.0.0.1", "*:443"];
const ASKED: [&str; 5] = ["a.org", "x.a.org", "b.org", "127.0.0.1", "example.com"];
const METHODS: [&str; 3] = ["GET", "PUT", "POST"];
const SECRETS: [&str; 5] = ["*", "db-*", "db-1", "key", "*-1"];
const NAMES: [&str; 4] = ["db-1", "db-2", "key", "x-1"];

fn host() -> impl Strategy<Value = Value> {
    let ports = subsequence(vec![80, 443], 1..=2);
    let methods = subsequence(METHODS.to_vec(), 1..=3);
    (select(HOSTS.to_vec()), proptest::option::of(ports), proptest::option::of(methods)).prop_map(
        |(host, ports, methods)| {
            let mut rule = json!({ "host": host });
            if let Some(ports) = ports.filter(|_| !host.contains(':')) {
                rule["ports"] = json!(ports);
            }
            if let Some(methods) = methods {
                rule["methods"] = json!(methods);
            }
            rule
        },
    )
}

fn limits() -> impl Strategy<Value = Value> {
    let amount = (select(Limit::ALL.to_vec()), 0..20_u64);
    proptest::collection::vec(amount, 0..4).prop_map(|amounts| {
        let named = amounts.into_iter().map(|(limit, twentieths)| {
            let amount = (limit.default_amount() / 20 * (twentieths + 1)).max(1);
            let shown = limit.show(amount);
            (limit.name().to_owned(), shown.parse::<u64>().map_or(json!(shown), Value::from))
        });
        Value::Object(Map::from_iter(named))
    })
}

fn level() -> impl Strategy<Value = Value> {
    let hosts = proptest::option::of(proptest::collection::vec(host(), 0..4));
    let secrets = proptest::option::of(proptest::collection::vec(select(SECRETS.to_vec()), 0..3));
    (limits(), hosts, secrets).prop_map(|(limits, hosts, secrets)| {
        let mut level = json!({ "limits": limits });
        if let Some(hosts) = hosts {
            level["hosts"] = json!(hosts);
        }
        if let Some(secrets) = secrets {
            level["secrets"] = json!(secrets);
        }
        level
    })
}

/// What is allowed more than before, if anything is.
fn widened(before: &Effective, after: &Effective) -> Option<String> {
    for limit in Limit::ALL {
        if after.amount(*limit) > before.amount(*limit) {
            return Some(format!("{limit:?}"));
        }
    }
    for name in NAMES {
        if after.grants_secret(name) && !before.grants_secret(name) {
            return Some(name.into());
        }
    }
    for host in ASKED {
        for (method, port) in METHODS.iter().flat_map(|method| [(*method, 80), (*method, 443)]) {
            let asked = Asked { method, host, port };
            if after.allows(asked).ok() > before.allows(asked).ok() {
                return Some(format!("{asked:?}"));
            }
        }
    }
    None
}

fn with(policy: &Value, pointer: &str, field: &str, value: &Value) -> Value {
    let mut policy = policy.clone();
    policy.pointer_mut(pointer).expect("it is there")[field] = value.clone();
    policy
}

fn effective(policy: &Value, tenant: Option<&str>) -> Option<Effective> {
    let policy = Policy::read(policy.to_string().as_bytes()).ok()?;
    Some(policy.tenant(tenant).expect("it has one").workflow(&WORKFLOW).task("/do/0/charge"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_tenant_and_a_task_are_never_allowed_more_than_stands_above_them(
        operator in level(), tenant in level(), rule in level(),
    ) {
        let Some(before) = effective(&operator, None) else { return Ok(()) };
        let policy = with(&operator, "", "tenants", &json!({ "acme": tenant }));
        let Some(between) = effective(&policy, Some("acme")) else { return Ok(()) };
        prop_assert_eq!(widened(&before, &between), None);

        let rule = with(&rule, "", "task", &json!("charge"));
        let policy = with(&policy, "/tenants/acme", "tasks", &json!([rule]));
        let Some(after) = effective(&policy, Some("acme")) else { return Ok(()) };
        prop_assert_eq!(widened(&between, &after), None);
    }

    /// Even if reading did not refuse what would widen: a rule beside a rule is not compared with it.
    #[test]
    fn one_more_rule_never_widens(operator in level(), first in level(), second in level()) {
        let [first, second] = [first, second].map(|rule| with(&rule, "", "task", &json!("charge")));
        let one = with(&operator, "", "tasks", &json!([first]));
        let both = with(&operator, "", "tasks", &json!([first, second]));
        let (Some(before), Some(after)) = (effective(&one, None), effective(&both, None)) else { return Ok(()) };
        prop_assert_eq!(widened(&before, &after), None);
    }

    #[test]
    fn whatever_the_file_holds_reading_it_ends(text in ".{0,200}") {
        let _ = Policy::read(text.as_bytes());
    }
}
