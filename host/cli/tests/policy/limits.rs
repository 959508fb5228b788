//! Each limit that a policy lowers is kept, and says so when it is passed.

use crate::guest::{echo, task};
use crate::rig::Rig;

const CALL: &str = "  - work: { call: wasm, with: { component: task.wasm, input: '${ . }' } }\n";

fn limited(limits: &str, component: &[u8]) -> Rig {
    Rig::new(CALL, &format!("limits: {{ {limits} }}")).with(component)
}

const ECHO: &str = "(call $ok (local.get $input) (local.get $length))";

#[test]
fn memory() {
    let grower = task(
        "(if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then unreachable)) (call $ok (local.get $input) (local.get $length))",
    );
    limited("memory: 8MiB", &grower).run(&[]).completed_with("{}");
    limited("memory: 2MiB", &grower).run(&[]).failed_with("Memory limit");
}

#[test]
fn wall_time() {
    let sleeper = task("(call $block (call $sleep (i64.const 60000000000))) unreachable");
    let ran = limited("wallTime: 100ms", &sleeper).run(&[]);
    ran.failed_with("Time limit");
    assert_eq!(ran.problem()["status"], 408);
    assert!(ran.problem()["detail"].as_str().expect("a text").contains("0.1 s"));
}

#[test]
fn cpu_time() {
    limited("cpuTime: 50ms", &task("(loop $more (br $more)) unreachable")).run(&[]).failed_with("CPU limit");
}

#[test]
fn payload() {
    let rig = limited("payload: 64B", &echo());
    rig.run(&["--input", r#"{"text":"short"}"#]).completed_with(r#"{"text":"short"}"#);
    let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(60));
    rig.run(&["--input", &long]).failed_with("Payload limit");
}

#[test]
fn payload_values() {
    let rig = limited("payloadValues: 5", &echo());
    rig.run(&["--input", "[1,2,3,4]"]).completed_with("[1,2,3,4]");
    rig.run(&["--input", "[1,2,3,4,5]"]).failed_with("Payload limit");
}

#[test]
fn log_bytes() {
    let talker = task(&format!(
        "(loop $more (call $log (i32.const 2) (i32.const 65536) (i32.const 100))
          (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $more (i32.lt_u (local.get $i) (i32.const 50)))) {ECHO}"
    ));
    let ran = limited("logBytes: 1KiB", &talker).run(&[]);
    ran.completed_with("{}");
    assert_eq!(ran.remarks().len(), 1, "{ran:?}");
    assert!(limited("{}", &talker).run(&[]).code == 2, "what is no limit is refused");
    assert_eq!(limited("", &talker).run(&[]).remarks(), [""; 0]);
}

#[test]
fn handles() {
    let leaker = task(&format!(
        "(loop $more (drop (call $sleep (i64.const 0)))
          (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $more (i32.lt_u (local.get $i) (i32.const 100)))) {ECHO}"
    ));
    limited("handles: 1000", &leaker).run(&[]).completed_with("{}");
    limited("handles: 50", &leaker).run(&[]).failed_with("Resource limit");
}

#[test]
fn reports() {
    let reporter = task(&format!(
        "(loop $more (call $report (i32.const 1) (f64.const 0.5) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
            (i32.const 0) (i32.const 0))
          (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $more (i32.lt_u (local.get $i) (i32.const 50)))) {ECHO}"
    ));
    let ran = limited("reports: 10", &reporter).run(&[]);
    ran.completed_with("{}");
    assert!(ran.remarks()[0].contains("progress reports of this call were dropped"), "{ran:?}");
}

#[test]
fn expression_time() {
    let rig = Rig::new("  - work: { set: '${ def f: f; f }' }\n", "limits: { expressionTime: 50ms }");
    rig.run(&[]).failed_with("Expression time limit");
}

#[test]
fn expression_memory() {
    let rig = Rig::new("  - work: { set: '${ [range(200000)] | length }' }\n", "limits: { expressionMemory: 4MiB }");
    rig.run(&[]).failed_with("Expression memory limit");
    let rig = Rig::new("  - work: { set: '${ [range(200000)] | length }' }\n", "limits: {}");
    rig.run(&[]).completed_with("200000");
}

#[test]
fn component_size() {
    let ran = limited("componentSize: 1KiB", &echo()).run(&[]);
    assert_eq!(ran.code, 2);
    ran.failed_with("Component not available");
    assert!(ran.problem()["detail"].as_str().expect("a text").contains("at most 1024 are allowed"), "{ran:?}");
}

#[test]
fn compile_time() {
    // A component that no other test compiles, and many functions, so that it takes its time.
    let functions: String = (0..3_000)
        .map(|n| format!("(func (param i64) (result i64) (i64.mul (local.get 0) (i64.const {n})))"))
        .collect();
    let large = crate::guest::task_with(ECHO, &functions);
    let rig = limited("compileTime: 1ms", &large);
    let ran = rig.run(&["--cache", ""]);
    assert_eq!(ran.code, 2, "{ran:?}");
    ran.failed_with("Component not available");
    assert!(
        ran.problem()["detail"].as_str().expect("a text").contains("compiling the component takes more than 0.001 s")
    );
}

#[test]
fn a_rule_for_a_task_is_for_no_other() {
    let tasks = "  - first: { call: wasm, with: { component: task.wasm } }\n  - second: { call: wasm, with: { component: task.wasm } }\n";
    let leaker = task(&format!("(drop (call $sleep (i64.const 0))) (drop (call $sleep (i64.const 0))) {ECHO}"));
    for rule in ["task: second", "task: /do/1/second", "{ task: '/**/s*', workflow: test/test, version: ^1 }"] {
        let rule = rule.trim_matches(['{', '}']);
        let policy = format!("tasks: [{{ {rule}, limits: {{ handles: 1 }} }}]");
        let ran = Rig::new(tasks, &policy).with(&leaker).run(&[]);
        ran.failed_with("Resource limit");
        assert_eq!(ran.problem()["instance"], "/do/1/second");
    }
    for rule in ["task: third", "task: second, workflow: test/other", "task: second, version: ^2"] {
        let policy = format!("tasks: [{{ {rule}, limits: {{ handles: 1 }} }}]");
        Rig::new(tasks, &policy).with(&leaker).run(&[]).completed_with("{}");
    }
}

#[test]
fn a_rule_for_a_task_is_for_the_tasks_inside_it() {
    let tasks = "  - outer: { do: [ { inner: { call: wasm, with: { component: task.wasm } } } ] }\n";
    let leaker = task(&format!("(drop (call $sleep (i64.const 0))) (drop (call $sleep (i64.const 0))) {ECHO}"));
    let rig = Rig::new(tasks, "tasks: [{ task: outer, limits: { handles: 1 } }]").with(&leaker);
    rig.run(&[]).failed_with("Resource limit");
}

#[test]
fn a_tenant_has_its_own_limits() {
    let policy = "tenants: { small: { limits: { payload: 64B } }, large: {} }";
    let rig = Rig::new(CALL, policy).with(&echo());
    let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(60));
    rig.run(&["--input", &long, "--tenant", "large"]).completed_with(&long);
    rig.run(&["--input", &long, "--tenant", "small"]).failed_with("Payload limit");
    let ran = rig.run(&["--tenant", "smal"]);
    assert_eq!(ran.code, 2);
    assert!(ran.told.contains("the policy has no tenant \"smal\"; it has large, small"), "{ran:?}");
}

#[test]
fn an_operator_may_raise_a_default() {
    let policy = "limits: { memory: 512MiB }\ntenants: { small: { limits: { memory: 2MiB } } }";
    let grower =
        task(&format!("(if (i32.eq (memory.grow (i32.const 4096)) (i32.const -1)) (then unreachable)) {ECHO}"));
    let rig = Rig::new(CALL, policy).with(&grower);
    rig.run(&[]).completed_with("{}");
    rig.run(&["--tenant", "small"]).failed_with("Memory limit");
}

#[test]
fn the_policy_may_stand_in_the_environment_and_a_bad_one_runs_nothing() {
    let rig = limited("payload: 16B", &echo());
    let long = r#"{"text":"longer than sixteen bytes"}"#;
    let mut command = rig.command(&["run", "workflow.yaml", "--progress", "json", "--input", long]);
    Rig::ran(command.env("HOTCELL_POLICY", "policy.yaml")).failed_with("Payload limit");

    let ran = limited("payload: 16MiB", &echo()).run(&[]);
    assert_eq!((ran.code, ran.events().len()), (2, 0));
    assert!(ran.told.contains("`payload: 16MiB` is out of range"), "{}", ran.told);
    let ran = Rig::ran(&mut rig.command(&["run", "workflow.yaml", "--tenant", "acme"]));
    assert!(ran.code == 2 && ran.told.contains("give one with --policy"), "{ran:?}");
    let ran = Rig::ran(&mut rig.command(&["run", "workflow.yaml", "--policy", "nowhere.yaml"]));
    assert!(ran.code == 2 && ran.told.contains("nowhere.yaml"), "{ran:?}");
}
