//! Hosts and secrets, as a policy grants them.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::guest::task_with;
use crate::rig::Rig;

/// A server that answers every request with `"yes"`, on a port of this machine. It ends with the test.
fn server() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5\r\nconnection: close\r\n\r\n\"yes\"";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

fn request(name: &str, method: &str, port: u16) -> String {
    format!("  - {name}: {{ call: http, with: {{ method: {method}, endpoint: 'http://127.0.0.1:{port}/' }} }}\n")
}

#[test]
fn a_host_is_reached_only_if_the_policy_names_it() {
    let port = server();
    let tasks = request("ask", "get", port);
    Rig::new(&tasks, "hosts: ['127.0.0.1']").run(&[]).completed_with("\"yes\"");
    for policy in ["hosts: []", "limits: {}", "hosts: [example.com]", "hosts: ['127.0.0.1:1']"] {
        let ran = Rig::new(&tasks, policy).run(&[]);
        ran.failed_with("Request not allowed");
        assert_eq!(ran.problem()["status"], 403);
    }
    // A pattern does not allow an address that is not public.
    let ran = Rig::new(&tasks, "hosts: ['*']").run(&[]);
    assert!(ran.problem()["detail"].as_str().expect("a text").contains("the policy has to name the host"), "{ran:?}");
}

#[test]
fn a_method_that_the_policy_does_not_allow_is_not_sent() {
    let port = server();
    let policy = format!("hosts: [{{ host: 127.0.0.1, ports: [{port}], methods: [GET, HEAD] }}]");
    Rig::new(&request("ask", "get", port), &policy).run(&[]).completed_with("\"yes\"");
    let ran = Rig::new(&request("tell", "post", port), &policy).run(&[]);
    ran.failed_with("Request not allowed");
    let detail = ran.problem()["detail"].as_str().expect("a text").to_owned();
    assert!(detail.contains("the policy does not allow POST there: the operator (line 1)"), "{detail}");
}

#[test]
fn a_tenant_and_a_task_reach_less_than_the_operator_allows() {
    let port = server();
    let tasks = request("ask", "get", port) + &request("tell", "put", port);
    let policy = "hosts: ['127.0.0.1']
tenants:
  reader: { hosts: [{ host: 127.0.0.1, methods: [GET] }] }
  writer: { tasks: [{ task: ask, hosts: [{ host: 127.0.0.1, methods: [GET] }] }] }
";
    let rig = Rig::new(&tasks, policy);
    rig.run(&["--tenant", "writer"]).completed_with("\"yes\"");
    let ran = rig.run(&["--tenant", "reader"]);
    ran.failed_with("Request not allowed");
    assert_eq!(ran.problem()["instance"], "/do/1/tell");
}

#[test]
fn the_short_form_takes_away_from_the_policy_and_adds_nothing() {
    let port = server();
    let rig = Rig::new(&request("ask", "get", port), "hosts: ['127.0.0.1']");
    rig.run(&["--allow-net", &format!("127.0.0.1:{port}")]).completed_with("\"yes\"");
    rig.run(&["--allow-net", "example.com"]).failed_with("Request not allowed");
    let rig = Rig::new(&request("ask", "get", port), "hosts: [example.com]");
    rig.run(&["--allow-net", "127.0.0.1"]).failed_with("Request not allowed");
}

#[test]
fn what_a_workflow_refers_to_is_fetched_only_from_where_the_policy_allows() {
    let port = server();
    let tasks = format!("  - ask: {{ call: 'http://127.0.0.1:{port}/function.yaml' }}\n");
    let ran = Rig::new(&tasks, "hosts: [{ host: 127.0.0.1, methods: [POST] }]").run(&[]);
    assert!(ran.code == 2 && ran.told.contains("the policy does not allow GET there"), "{ran:?}");
}

const SECRETS: [&str; 4] = ["--secret", "key=4711", "--secret", "other=0815"];

#[test]
fn an_expression_has_the_secrets_of_its_task() {
    let tasks = "  - first: { set: '${ $secrets.key }' }\n  - second: { set: '${ $secrets.key }' }\n";
    Rig::new(tasks, "secrets: [key]").run(&SECRETS).completed_with("\"4711\"");
    let ran = Rig::new(tasks, "secrets: [key]\ntasks: [{ task: second, secrets: [] }]").run(&SECRETS);
    ran.failed_with("Secret not granted");
    assert_eq!(ran.problem()["instance"], "/do/1/second");
    Rig::new(tasks, "limits: {}").run(&SECRETS).failed_with("Secret not granted");
    // Also where all of them are taken at once.
    let tasks = "  - first: { set: '${ $secrets | keys }' }\n";
    let ran = Rig::new(tasks, "secrets: ['*']\ntasks: [{ task: first, secrets: [other] }]").run(&SECRETS);
    ran.completed_with(r#"["other"]"#);
}

#[test]
fn a_component_has_the_secrets_of_its_task() {
    // Returns the secret, which is a number, or false.
    let asking = task_with(
        "(call $secret (i32.const 2048) (i32.const 3) (i32.const 3000))
         (if (result i32) (i32.load8_u (i32.const 3000))
           (then (call $ok (i32.const 2052) (i32.const 5)))
           (else (call $ok (i32.load (i32.const 3004)) (i32.load (i32.const 3008)))))",
        "(data (i32.const 2048) \"key\\00false\")",
    );
    let tasks = "  - work: { call: wasm, with: { component: task.wasm } }\n";
    let run = |policy: &str| Rig::new(tasks, policy).with(&asking).run(&SECRETS);
    run("secrets: [key]").completed_with("4711");
    run("secrets: [other]").completed_with("false");
    run("secrets: ['*']\ntasks: [{ task: work, secrets: [other] }]").completed_with("false");
    run("secrets: ['*']\ntasks: [{ task: rest, secrets: [other] }]").completed_with("4711");
}

#[test]
fn a_request_is_authenticated_with_the_secrets_of_its_task_only() {
    let port = server();
    let tasks = format!(
        "  - ask: {{ call: http, with: {{ method: get, endpoint: {{ uri: 'http://127.0.0.1:{port}/',
        authentication: {{ basic: {{ use: key }} }} }} }} }}\n"
    );
    let secret = ["--secret", r#"key={"username":"u","password":"long-password"}"#];
    let policy = "hosts: ['127.0.0.1']\nsecrets: ['*']\n";
    Rig::new(&tasks, policy).run(&secret).completed_with("\"yes\"");
    let ran = Rig::new(&tasks, &format!("{policy}tasks: [{{ task: ask, secrets: [other] }}]")).run(&secret);
    ran.failed_with("Secret not granted");
    assert!(!ran.told.contains("long-password"));
}

#[test]
fn a_script_comes_only_from_where_its_task_may_reach() {
    let port = server();
    let tasks = format!(
        "  - work: {{ run: {{ script: {{ language: js, source: {{ endpoint: 'http://127.0.0.1:{port}/work.js' }} }} }} }}\n"
    );
    Rig::new(&tasks, "hosts: ['127.0.0.1']").run(&[]).completed_with("\"\"");
    let ran = Rig::new(&tasks, "hosts: ['127.0.0.1']\ntasks: [{ task: work, hosts: [] }]").run(&[]);
    ran.failed_with("Host not allowed");
    assert!(ran.problem()["detail"].as_str().expect("a text").contains("task work (line 2)"), "{ran:?}");
}
