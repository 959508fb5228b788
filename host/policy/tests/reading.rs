//! What a policy says, and what is refused with where it stands.

use hotcell_definition::{Code, Diagnostic};
use hotcell_policy::{Asked, Limit, Policy, Reach, Source, Workflow, schema};
use serde_json::{Value, json};

const ORDERS: Workflow<'static> = Workflow { namespace: "shop", name: "orders", version: "1.4.0" };

const FULL: &str = "
limits:
  memory: 256MiB
  wallTime: 2m
  expressionTime: 500ms
  componentSize: 16MiB
hosts:
  - api.example.com
  - host: '*.partner.org'
    ports: [443]
    methods: [GET, HEAD]
secrets: ['*']
tasks:
  - task: charge
    limits: { wallTime: PT5S }
    secrets: [stripe-key]
  - workflow: shop/orders
    version: ^1
    limits: { expressionMemory: 16MiB }
tenants:
  acme:
    limits: { memory: 64MiB }
    hosts:
      - { host: api.example.com, ports: [443], methods: [GET] }
    secrets: [stripe-*, db]
    tasks:
      - task: /do/*/report
        hosts: []
        limits: { logBytes: 1KiB, reports: 0 }
  umbrella: {}
";

fn read(text: &str) -> Policy {
    Policy::read(text.as_bytes()).unwrap_or_else(|refused| panic!("{refused}"))
}

fn refused(text: &str) -> Vec<Diagnostic> {
    Policy::read(text.as_bytes()).expect_err("it is wrong").diagnostics
}

fn only(text: &str) -> Diagnostic {
    let mut found = refused(text);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

fn get(host: &str) -> Asked<'_> {
    Asked { method: "GET", host, port: 443 }
}

#[test]
fn each_level_lowers_what_stands_above_it_and_is_named_as_the_one_that_decided() {
    let policy = read(FULL).tenant(Some("acme")).unwrap().workflow(&ORDERS);
    let charge = policy.task("/do/0/charge");
    let decided = |limit| charge.limit(limit).source.to_string();
    assert_eq!(charge.amount(Limit::Memory), 64 << 20);
    assert_eq!(decided(Limit::Memory), "tenant acme (line 22)");
    assert_eq!(charge.time(Limit::WallTime).as_secs(), 5);
    assert_eq!(decided(Limit::WallTime), "task charge (line 15)");
    assert_eq!(decided(Limit::CpuTime), "default");
    assert_eq!(policy.task("/do/1/other").time(Limit::WallTime).as_secs(), 120);
    assert_eq!(policy.whole().amount(Limit::ExpressionMemory), 16 << 20);
    let other = Workflow { version: "2.0.0", ..ORDERS };
    let elsewhere = read(FULL).tenant(Some("acme")).unwrap().workflow(&other).whole();
    assert_eq!(elsewhere.limit(Limit::ExpressionMemory).source, Source::Default);
}

#[test]
fn a_request_has_to_be_allowed_by_every_level() {
    let operator = read(FULL).tenant(None).unwrap().workflow(&ORDERS).whole();
    assert_eq!(operator.allows(get("api.example.com")), Ok(Reach::Named));
    assert_eq!(operator.allows(get("x.partner.org")), Ok(Reach::Public));
    assert!(operator.allows(get("example.com")).is_err());
    let denied = operator.allows(Asked { method: "POST", ..get("x.partner.org") }).unwrap_err();
    assert_eq!(denied.to_string(), "the policy does not allow POST there: the operator (line 7)");

    let acme = read(FULL).tenant(Some("acme")).unwrap().workflow(&ORDERS);
    assert!(acme.whole().allows(get("x.partner.org")).is_err());
    let port = Asked { port: 80, ..get("api.example.com") };
    assert!(operator.allows(port).is_ok() && acme.whole().allows(port).is_err());
    assert!(acme.task("/do/3/report").allows(get("api.example.com")).is_err());
}

#[test]
fn a_secret_has_to_be_granted_by_every_level() {
    let acme = read(FULL).tenant(Some("acme")).unwrap().workflow(&ORDERS);
    let granted = |reference: &str| {
        ["stripe-key", "stripe-test", "db", "root"].map(|name| acme.task(reference).grants_secret(name))
    };
    assert_eq!(granted("/do/1/other"), [true, true, true, false]);
    assert_eq!(granted("/do/0/charge"), [true, false, false, false]);
    let source = acme.task("/do/0/charge").withholds_secret("db").unwrap();
    assert_eq!(source.to_string(), "task charge (line 16)");
}

#[test]
fn what_an_operator_says_nothing_of_is_denied_and_without_a_policy_it_is_left_to_others() {
    let silent = read("limits: {}").tenant(None).unwrap().everywhere();
    assert!(silent.allows(get("example.com")).is_err() && !silent.grants_secret("key"));
    let none = Policy::default().tenant(None).unwrap().everywhere();
    assert!(none.allows(get("example.com")).is_ok() && none.grants_secret("key"));
}

#[test]
fn a_tenant_that_the_policy_does_not_have_gets_nothing() {
    let error = read(FULL).tenant(Some("acm")).unwrap_err();
    assert_eq!(error.to_string(), "the policy has no tenant \"acm\"; it has acme, umbrella");
}

#[test]
fn a_level_that_would_raise_something_is_refused_with_both_places() {
    let error = only("limits: { memory: 64MiB }\ntenants:\n  acme:\n    limits:\n      memory: 65MiB\n");
    assert_eq!((error.code, error.place.line, error.place.column), (Code::WiderThanAbove, 5, 7));
    assert_eq!(error.message, "`memory: 65MiB` is more than the operator (line 1) allows: 64MiB.");
    assert_eq!(error.related.unwrap().place.column, 11);

    let error = only("tasks: [{ task: x, limits: { memory: 129MiB } }]");
    assert_eq!(error.message, "`memory: 129MiB` is more than the default: 128MiB.");

    for (text, message) in [
        (
            "hosts: ['*']\ntenants: { a: { hosts: [localhost] } }",
            "`localhost` is more than the operator (line 1) allows.",
        ),
        ("hosts: [a.org]\ntenants: { a: { hosts: ['*'] } }", "`*` is more than the operator (line 1) allows."),
        (
            "hosts: ['a.org:80']\ntenants: { a: { hosts: [a.org] } }",
            "`a.org` is more than the operator (line 1) allows.",
        ),
        (
            "hosts: [{ host: a.org, methods: [GET] }]\ntasks: [{ task: x, hosts: [{ host: a.org, methods: [GET, PUT] }] }]",
            "`a.org=GET,PUT` is more than the operator (line 1) allows.",
        ),
        ("secrets: [db-*]\ntenants: { a: { secrets: [key] } }", "`key` is more than the operator (line 1) grants."),
        ("tenants: { a: { secrets: [key] } }", "`key` is more than the operator (line 1) grants."),
        (
            "secrets: ['*']\ntenants: { a: { secrets: [], tasks: [{ task: x, secrets: [key] }] } }",
            "`key` is more than tenant a (line 2) grants.",
        ),
    ] {
        let error = only(text);
        assert_eq!((error.code, error.message.as_str()), (Code::WiderThanAbove, message));
    }
}

#[test]
fn a_rule_that_spreads_over_several_rules_above_is_no_more_than_they_are() {
    read("hosts: ['a.org:80', 'a.org:443']\ntenants: { a: { hosts: [{ host: a.org, ports: [80, 443] }] } }");
}

#[test]
fn what_is_not_known_is_refused_with_what_was_probably_meant() {
    for (text, code, pointer, help) in [
        ("limit: {}", Code::UnknownField, "/limit", "Did you mean `limits`?"),
        ("limits: { memory_mb: 5 }", Code::UnknownField, "/limits/memory_mb", "Did you mean `memory`?"),
        ("limits: { cpu: 5s }", Code::UnknownField, "/limits/cpu", ""),
        ("limits: { memory: 64MB }", Code::InvalidValue, "/limits/memory", "Write a size such as"),
        ("limits: { wallTime: 5 }", Code::InvalidValue, "/limits/wallTime", "Write a duration such as"),
        ("limits: { handles: 1.5 }", Code::InvalidValue, "/limits/handles", "Write a whole number"),
        ("limits: { memory: 2GiB }", Code::OutOfRange, "/limits/memory", "It may be from 64KiB to 1GiB."),
        ("hosts: ['https://a.org/']", Code::InvalidValue, "/hosts/0", "Write `api.example.com`"),
        ("hosts: [{ host: a.org, methods: [get] }]", Code::InvalidValue, "/hosts/0/methods/0", "Did you mean `GET`?"),
        ("hosts: [{ host: a.org, ports: [0] }]", Code::InvalidValue, "/hosts/0/ports", "Write numbers from 1"),
        ("hosts: [{ host: 'a.org:1', ports: [2] }]", Code::ConflictingFields, "/hosts/0/ports", "Keep one of both."),
        ("hosts: [{ ports: [2] }]", Code::MissingField, "/hosts/0", "Add `host: api.example.com`."),
        ("hosts: a.org", Code::WrongType, "/hosts", "Write a list"),
        ("secrets: [5]", Code::WrongType, "/secrets/0", "Write it in quotes."),
        ("tasks: [{ limits: {} }]", Code::MissingField, "/tasks/0", "Add `task`, by name or reference"),
        (
            "tasks: [{ task: x, limits: { expressionTime: 5ms } }]",
            Code::InvalidValue,
            "/tasks/0/limits/expressionTime",
            "The tasks of",
        ),
        ("tasks: [{ workflow: a, version: latest }]", Code::InvalidVersion, "/tasks/0/version", "Write `1.2.3`"),
        ("tasks: [{ workflow: a/b/c }]", Code::InvalidValue, "/tasks/0/workflow", "Write `namespace/name`"),
        ("tasks: [{ task: '/do//x' }]", Code::InvalidValue, "/tasks/0/task", "Write a name such as"),
        ("tenants: [acme]", Code::WrongType, "/tenants", "Write an entry for each"),
        ("tenants: { a: { tenants: {} } }", Code::UnknownField, "/tenants/a/tenants", ""),
        ("[]", Code::WrongType, "", "It may have the fields"),
    ] {
        let error = only(text);
        assert_eq!((error.code, error.pointer.as_str()), (code, pointer), "{text}");
        assert!(error.help.starts_with(help), "{text}: {}", error.help);
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once_in_bounded_space() {
    assert_eq!(refused("limits: { memory: x, cpuTime: y }\nhosts: [':80']").len(), 3);
    let many: String = (0..5_000).map(|n| format!("x{n}: 1\n")).collect();
    let found = refused(&many);
    assert_eq!(found.len(), 101);
    assert_eq!(found[100].message, "4900 more problems are not listed.");
}

#[test]
fn a_hostile_file_is_refused_in_no_time() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e]\n";
    let deep = "[".repeat(100_000);
    let stars = format!("secrets: ['{}']\ntenants: {{ a: {{ secrets: ['{}b'] }} }}", "*a".repeat(127), "a".repeat(250));
    let hosts = format!("hosts: [{}]", "a.org, ".repeat(101));
    for text in [bomb, &deep, "\u{0}", "a: 1\na: 2", &stars, &hosts] {
        assert!(!refused(text).is_empty());
    }
    assert!(Policy::read(&vec![b' '; 5 << 20]).is_err());
    assert!(Policy::read(&[0xff, 0xfe]).is_err());
}

fn as_json(text: &str) -> Value {
    hotcell_definition::parse_data(text.as_bytes()).unwrap()
}

#[test]
fn the_schema_takes_what_is_read_and_names_every_limit() {
    let schema = schema();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.validate(&as_json(FULL)).unwrap();
    for limit in Limit::ALL {
        let default = limit.show(limit.default_amount());
        let amount = default.parse::<u64>().map_or(json!(default), Value::from);
        let policy = json!({ "limits": { limit.name(): amount } });
        validator.validate(&policy).unwrap();
        Policy::read(policy.to_string().as_bytes()).unwrap();
    }
    for wrong in [
        json!({ "limit": {} }),
        json!({ "limits": { "memroy": "1MiB" } }),
        json!({ "limits": { "memory": "1MB" } }),
        json!({ "hosts": [{ "ports": [1] }] }),
        json!({ "hosts": [{ "host": "a.org", "methods": ["get"] }] }),
        json!({ "tasks": [{ "limits": {} }] }),
        json!({ "tasks": [{ "task": "x", "limits": { "expressionTime": "1s" } }] }),
        json!({ "tenants": { "a": { "tenants": {} } } }),
    ] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
        assert!(Policy::read(wrong.to_string().as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn the_schema_in_the_documentation_is_the_one_that_is_printed() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy.schema.json");
    let printed = format!("{:#}\n", schema());
    if std::env::var_os("HOTCELL_WRITE_SCHEMA").is_some() {
        std::fs::write(&file, &printed).unwrap();
    }
    let committed = std::fs::read_to_string(file).unwrap();
    assert!(committed == printed, "run this test with HOTCELL_WRITE_SCHEMA=1 to write docs/policy.schema.json anew");
}
