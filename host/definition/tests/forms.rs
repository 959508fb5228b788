//! The forms that the reference shows in its prose and its fragments, one by one: what they mean, and of which its
//! author is warned.

use hotcell_definition::*;
use jiff::ToSpan;
use serde_json::{Value, json};

const HEAD: &str = "document: { dsl: '1.0.3', namespace: test, name: forms, version: '1.0.0' }\n";

/// Reads what follows the `document`, and expects these warnings.
fn accept(text: &str, warnings: &[Code]) -> Definition {
    let parsed = Definition::parse(format!("{HEAD}{text}").as_bytes())
        .unwrap_or_else(|refused| panic!("{text}\n{:#?}", refused.diagnostics));
    let codes: Vec<_> = parsed.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, warnings, "{text}\n{:#?}", parsed.warnings);
    parsed.definition
}

/// Reads one task.
fn task(text: &str, warnings: &[Code]) -> Task {
    let indented: String = text.trim_matches('\n').lines().map(|line| format!("      {line}\n")).collect();
    let mut definition = accept(&format!("do:\n  - task:\n{indented}"), warnings);
    definition.tasks.0.remove(0).task
}

fn codes(text: &str) -> Vec<Code> {
    let refused = Definition::parse(format!("{HEAD}{text}").as_bytes()).expect_err(text);
    refused.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

fn template(value: Value) -> Template {
    Template(value.into())
}

fn expression(text: &str) -> Expression {
    Expression(text.into())
}

fn wait(text: &str) -> Duration {
    let TaskKind::Wait(duration) = task(&format!("wait: {text}"), &[]).kind else { panic!("a wait") };
    duration
}

fn authentication(text: &str, warnings: &[Code]) -> Authentication {
    let indented: String = text.trim_matches('\n').lines().map(|line| format!("      {line}\n")).collect();
    let text = format!("use:\n  secrets: [ mine ]\n  authentications:\n    a:\n{indented}do: []\n");
    accept(&text, warnings).components.authentications.swap_remove("a").unwrap()
}

const NONSTANDARD: &[Code] = &[Code::NonstandardForm];

#[test]
fn durations_are_objects_or_iso_8601_or_expressions() {
    assert_eq!(
        wait("{ hours: 2, minutes: 15, seconds: 30 }"),
        Duration::Literal(Span(2.hours().minutes(15).seconds(30)))
    );
    assert_eq!(wait("{ days: 1, milliseconds: 5 }"), Duration::Literal(Span(1.day().milliseconds(5))));
    assert_eq!(wait("PT30S"), Duration::Literal(Span(30.seconds())));
    assert_eq!(wait("P1Y2M"), Duration::Literal(Span(1.year().months(2))));
    assert_eq!(wait("${ .delay }"), Duration::Expression(expression(".delay")));
}

#[test]
fn expressions_are_bare_or_enclosed() {
    for text in [".a > 1", "${ .a > 1 }", "${.a > 1}", "' ${ .a > 1 } '", ">\n  ${ .a > 1 }"] {
        let task = task(&format!("if: {text}\nset: {{ a: 1 }}"), &[]);

        assert_eq!(task.condition, Some(expression(".a > 1")), "{text}");
    }
}

#[test]
fn braces_in_strings_of_an_expression_do_not_close_it() {
    let task = task(r#"set: '${ "}" + "\(.a | {b: "{"})" }'"#, &[]);

    assert_eq!(task.kind, TaskKind::Set(template(json!(r#"${ "}" + "\(.a | {b: "{"})" }"#))));
}

#[test]
fn set_takes_an_object_or_an_expression() {
    assert_eq!(task("set: { a: '${ .b }' }", &[]).kind, TaskKind::Set(template(json!({ "a": "${ .b }" }))));
    assert_eq!(task("set: ${ .b }", &[]).kind, TaskKind::Set(template(json!("${ .b }"))));
    assert_eq!(task("set: .b", NONSTANDARD).kind, TaskKind::Set(template(json!(".b"))));
    assert_eq!(task("set: {}", NONSTANDARD).kind, TaskKind::Set(template(json!({}))));
}

#[test]
fn input_output_and_export_take_expressions_and_objects() {
    let task = task(
        "
input:
  schema:
    format: json
    document: { type: object }
  from: .order.pet
output:
  schema:
    resource: { endpoint: https://test.com/fake/schema/json/document.json }
  as: { petId: '${ .pet.id }' }
export: { as: '$context+.' }
set: { a: 1 }
",
        &[],
    );

    let input = task.input.unwrap();
    assert_eq!(input.from, Some(Transform::Expression(expression(".order.pet"))));
    let schema = input.schema.unwrap();
    assert_eq!(
        (schema.format.as_str(), schema.source),
        ("json", SchemaSource::Inline(json!({ "type": "object" }).into()))
    );
    let output = task.output.unwrap();
    assert_eq!(output.transform, Some(Transform::Template(template(json!({ "petId": "${ .pet.id }" })))));
    assert_eq!(output.schema.as_ref().unwrap().format, "json");
    assert!(matches!(output.schema.unwrap().source, SchemaSource::External(_)));
    assert_eq!(task.export.unwrap().transform, Some(Transform::Expression(expression("$context+."))));
}

#[test]
fn for_has_defaults_and_takes_expressions_and_lists() {
    let TaskKind::For(loop_) = task("for: { in: .pets }\ndo: []", &[]).kind else { panic!("a loop") };
    assert_eq!((loop_.each.as_str(), loop_.at.as_str()), ("item", "index"));
    assert_eq!(loop_.collection, Collection::Expression(expression(".pets")));

    let TaskKind::For(loop_) = task("for: { each: c, at: i, in: [ { name: red } ] }\nwhile: .go\ndo: []", &[]).kind
    else {
        panic!("a loop")
    };
    assert_eq!(loop_.collection, Collection::Inline(template(json!([{ "name": "red" }]))));
    assert_eq!(loop_.condition, Some(expression(".go")));

    task("for: { in: [ 1, 2, 3 ] }\ndo: []", NONSTANDARD);
}

#[test]
fn lists_may_be_empty() {
    assert_eq!(accept("do: []", &[]).tasks, TaskList::default());
    assert_eq!(task("do: []", &[]).kind, TaskKind::Do(TaskList::default()));
}

#[test]
fn tasks_in_an_object_are_read_in_order() {
    let definition = accept("do:\n  b: { wait: PT1S }\n  a: { wait: PT2S }\n", NONSTANDARD);

    let names: Vec<_> = definition.tasks.0.iter().map(|task| task.name.as_str()).collect();
    assert_eq!(names, ["b", "a"]);
}

#[test]
fn try_takes_one_task_without_a_name() {
    let text = "
try:
  call: http
  with:
    method: get
    endpoint: { uri: https://example-service.com/healthz }
catch:
  errors: { with: { status: 503 } }
  retry:
    delay: { seconds: 3 }
    backoff: { linear: {} }
    limit: { attempt: { count: 5 } }
";
    let TaskKind::Try(attempt) = task(text, NONSTANDARD).kind else { panic!("a try") };

    assert_eq!(attempt.tasks.0.len(), 1);
    assert_eq!(attempt.catch.variable, "error");
    assert_eq!(attempt.catch.filter.status, Some(json!(503)));
    let Some(Reusable::Inline(retry)) = attempt.catch.retry else { panic!("a policy") };
    assert_eq!((retry.backoff, retry.attempts), (Backoff::Linear, Some(5)));
}

#[test]
fn retries_have_every_part_of_the_table() {
    let definition = accept(
        "
use:
  retries:
    all:
      when: .status == 503
      exceptWhen: .status == 404
      delay: PT1S
      backoff: { exponential: {} }
      limit: { attempt: { count: 3, duration: PT5S }, duration: PT1M }
      jitter: { from: { seconds: 1 }, to: { seconds: 2 } }
do: []
",
        &[],
    );

    let policy = &definition.components.retries["all"];
    assert_eq!(policy.attempt_duration, Some(Duration::Literal(Span(5.seconds()))));
    assert_eq!(policy.duration, Some(Duration::Literal(Span(1.minute()))));
    assert!(policy.when.is_some() && policy.except_when.is_some() && policy.jitter.is_some());
}

#[test]
fn bearer_is_a_token_an_expression_or_a_secret() {
    let token = |value| Authentication::Bearer(Credentials::Inline(template(value)));
    assert_eq!(authentication("bearer: { token: abc }", &[]), token(json!("abc")));
    assert_eq!(authentication("bearer: ${ .user.token }", NONSTANDARD), token(json!("${ .user.token }")));
    assert_eq!(authentication("bearer: abc", NONSTANDARD), token(json!("abc")));
    assert_eq!(
        authentication("bearer: { use: mine }", &[]),
        Authentication::Bearer(Credentials::Secret("mine".into()))
    );
}

#[test]
fn a_password_of_digits_is_text() {
    let Authentication::Basic(Credentials::Inline(user)) =
        authentication("basic: { username: admin, password: 0123 }", NONSTANDARD)
    else {
        panic!("basic, in place")
    };

    assert_eq!(user.password, template(json!("0123")));
}

#[test]
fn a_number_is_no_text_anywhere_else() {
    let texts = [
        "call: http\nwith: { method: NUMBER, endpoint: https://example.com }",
        "call: openapi\nwith: { document: { endpoint: https://example.com }, operationId: NUMBER }",
        "call: grpc\nwith: { proto: { endpoint: https://example.com }, service: { name: NUMBER, host: a }, method: b }",
        "call: grpc\nwith: { proto: { endpoint: https://example.com }, service: { name: a, host: NUMBER }, method: b }",
        "call: grpc\nwith: { proto: { endpoint: https://example.com }, service: { name: a, host: a }, method: NUMBER }",
        "call: http\nwith: { method: get, endpoint: { uri: https://example.com, authentication: { bearer: { token: NUMBER } } } }",
        "call: http\nwith: { method: get, endpoint: { uri: https://example.com, authentication: { basic: { username: NUMBER, password: a } } } }",
        "run: { container: { image: NUMBER } }",
        "run: { shell: { command: a, arguments: [ NUMBER ] } }",
        "raise: { error: { type: https://example.com/e, status: 500, title: NUMBER } }",
        "raise: { error: { type: https://example.com/e, status: 500, detail: NUMBER } }",
        "raise: { error: { type: https://example.com/e, status: 500, instance: NUMBER } }",
        "listen: { to: { one: { with: { type: a }, correlate: { b: { from: .c, expect: NUMBER } } } } }",
    ];
    for text in texts {
        for value in ["5", "true"] {
            let text = text.replace("NUMBER", value).replace('\n', "\n      ");
            assert_eq!(codes(&format!("do:\n  - task:\n      {text}\n")), [Code::WrongType], "{text}");
        }
        let text = text.replace("NUMBER", "'5'").replace('\n', "\n      ");
        accept(&format!("do:\n  - task:\n      {text}\n"), &[]);
    }
}

#[test]
fn a_client_has_an_id_unless_it_does_not_authenticate() {
    let grants = ["client_credentials", "password", "authorization_code", "refresh_token"];
    for grant in grants.into_iter().chain(["urn:ietf:params:oauth:grant-type:token-exchange"]) {
        for scheme in ["oauth2", "oidc"] {
            let head = format!("{scheme}: {{ authority: 'https://example.com', grant: '{grant}'");
            let whole =
                |client: &str| format!("use: {{ authentications: {{ a: {{ {head}{client} }} }} }} }}\ndo: []\n");
            assert_eq!(codes(&whole("")), [Code::MissingField], "{grant}");
            assert_eq!(codes(&whole(", client: { secret: s }")), [Code::MissingField], "{grant}");
            let both = codes(&whole(", client: { authentication: private_key_jwt }"));
            assert_eq!(both, [Code::MissingField, Code::MissingField], "{grant}");
            accept(&whole(", client: { authentication: none }"), &[]);
            accept(&whole(", client: { id: i, secret: s }"), &[]);
        }
    }
}

#[test]
fn a_filter_that_was_meant_as_a_regular_expression_and_is_none_is_warned_of() {
    let filter = |with: &str| format!("listen: {{ to: {{ one: {{ with: {{ {with} }} }} }} }}");
    for wrong in ["type: 'o(['", "subject: '*.pdf'", "id: '^a)'", "extension: '[z-a]'"] {
        task(&filter(wrong), &[Code::InvalidRegularExpression]);
    }
    for fine in ["type: 'com.example.(a|b)'", "type: com.example", "source: 'https://a/?b=c'", "subject: \"a\\\\(\""] {
        task(&filter(fine), &[]);
    }
    // Neither expressions nor data are regular expressions.
    task(&filter(r#"type: '${ "([" }'"#), &[]);
    task(&filter("data: 'o(['"), &[]);
    accept("evaluate: { mode: loose }\ndo: [ { a: { listen: { to: { one: { with: { type: '(.a' } } } } } } ]", &[]);
}

#[test]
fn grants_with_hyphens_are_read() {
    let text = "
oauth2:
  authority: http://keycloak/realms/fake-authority/.well-known/openid-configuration
  grant: client-credentials
  client: { id: workflow-runtime, secret: workflow-runtime-client-secret }
  scopes: [ api ]
  audiences: [ runtime ]
";
    let Authentication::OAuth2(Credentials::Inline(oauth2)) = authentication(text, NONSTANDARD) else {
        panic!("OAuth 2")
    };

    assert_eq!(oauth2.grant, Grant::ClientCredentials);
    assert_eq!(oauth2.token_endpoint, template(json!("/oauth2/token")));
    assert_eq!(oauth2.client.authentication, ClientAuthentication::SecretPost);
    assert_eq!(oauth2.scopes, [template(json!("api"))]);
}

#[test]
fn a_policy_may_be_named_without_use() {
    let text = "
use:
  authentications: { a: { bearer: { token: t } } }
do:
  - call:
      call: openapi
      with:
        document: { endpoint: https://example.com/openapi.json }
        operationId: find
        authentication: a
";

    accept(text, NONSTANDARD);
}

#[test]
fn external_resources_have_endpoints() {
    let text = "
call: openapi
with:
  document:
    name: sample-resource
    endpoint:
      uri: https://fake.com/resource/0123
      authentication:
        basic: { username: admin, password: 1234 }
  operationId: find
";

    task(text, NONSTANDARD);
}

#[test]
fn errors_are_written_in_place_or_named() {
    let TaskKind::Raise(raise) = task(
        "
raise:
  error:
    type: https://open-workflow-specification.org/spec/1.0.0/errors/communication
    title: Service Unavailable
    status: 503
    detail: The service is currently unavailable. Please try again later.
    instance: /do/getPetById
",
        &[],
    )
    .kind
    else {
        panic!("a raise")
    };
    let Reusable::Inline(error) = raise.error else { panic!("in place") };
    assert_eq!(error.status, template(json!(503)));

    task("raise: { error: { type: '${ .type }', status: '${ .status }' } }", NONSTANDARD);
}

#[test]
fn timeouts_are_written_in_place_or_named() {
    let definition = accept("use: { timeouts: { t: { after: PT1S } } }\ntimeout: t\ndo: []\n", &[]);

    assert_eq!(definition.timeout, Some(Reusable::Named("t".into())));
}

#[test]
fn a_workflow_without_version_is_the_latest() {
    let TaskKind::Run(run) = task("run: { workflow: { namespace: a, name: b } }", NONSTANDARD).kind else {
        panic!("a run")
    };
    let Process::Workflow(workflow) = run.process else { panic!("a workflow") };

    assert_eq!(workflow.version, "latest");
}

#[test]
fn await_and_return_may_stand_beside_run() {
    let TaskKind::Run(run) = task(
        "run: { shell: { command: ls } }\nawait: false\nreturn: all",
        &[Code::NonstandardForm, Code::NonstandardForm],
    )
    .kind
    else {
        panic!("a run")
    };

    assert_eq!((run.wait, run.output), (false, ProcessOutput::All));
}

#[test]
fn arguments_of_a_process_may_have_names() {
    task("run: { script: { language: js, code: '1', arguments: { a: 1 } } }", NONSTANDARD);
    let TaskKind::Run(run) = task("run: { shell: { command: ls, arguments: [ -l, '${ .folder }' ] } }", &[]).kind
    else {
        panic!("a run")
    };
    let Process::Shell(shell) = run.process else { panic!("a shell") };
    assert_eq!(shell.io.arguments, Some(template(json!(["-l", "${ .folder }"]))));
}

#[test]
fn the_properties_of_an_event_may_stand_beneath_event() {
    let TaskKind::Emit(emit) = task("emit: { event: { type: a.b, data: { c: 1 } } }", NONSTANDARD).kind else {
        panic!("an emit")
    };

    assert_eq!(emit.event["data"], json!({ "c": 1 }));
}

#[test]
fn events_may_have_any_attribute() {
    let TaskKind::Emit(emit) = task(
        "emit: { event: { with: { type: a.b, source: '${ .source }', time: '2026-07-26T16:59:57-05:00', roomid: 7 } } }",
        &[],
    )
    .kind
    else {
        panic!("an emit")
    };

    assert_eq!(emit.event["roomid"], 7);
}

#[test]
fn listening_ends_by_condition_or_by_events() {
    let until = |text: &str| {
        let TaskKind::Listen(listen) = task(&format!("listen: {{ to: {{ any: [], until: {text} }} }}"), &[]).kind
        else {
            panic!("a listen")
        };
        let EventStrategy::Any(_, until) = listen.to else { panic!("any") };
        *until.unwrap()
    };

    assert_eq!(until("( . | length ) > 3"), Until::Condition(expression("( . | length ) > 3")));
    assert!(matches!(until("{ one: { with: { type: a } } }"), Until::Events(EventStrategy::One(_))));
    task("listen: { to: { one: { with: { type: a } }, until: .a } }", &[Code::IgnoredField]);
}

#[test]
fn what_the_reference_says_is_ignored_is_warned_of() {
    task("run: { container: { image: a, lifetime: { cleanup: always, after: PT1S } } }", &[Code::IgnoredField]);
    task("try: []\ncatch: { errors: { with: { status: 404, reason: a } } }", &[Code::IgnoredField]);
}

#[test]
fn mcp_has_transports_and_a_client() {
    let text = "
call: mcp
with:
  method: tools/list
  timeout: PT5S
  transport:
    http:
      endpoint: https://mcp.contoso.com
      headers: { authorization: Bearer 8AE4SZgJX8tw40oJJq7VJt1plKnVnH8I }
    options: { a: b }
  client: { name: synapse, version: '1.0.0-alpha5.2' }
";
    let TaskKind::Call(call) = task(text, &[]).kind else { panic!("a call") };
    let Call::Mcp(mcp) = *call else { panic!("MCP") };

    assert_eq!(mcp.protocol_version, "2025-06-18");
    assert_eq!(mcp.client, Some(("synapse".into(), "1.0.0-alpha5.2".into())));
    assert!(matches!(mcp.transport, McpTransport::Http { .. }));
}

#[test]
fn components_are_called_with_the_task_input_by_default() {
    let wasm = |text: &str| {
        let TaskKind::Call(call) = task(&format!("call: wasm\nwith: {text}"), &[]).kind else { panic!("a call") };
        let Call::Wasm(wasm) = *call else { panic!("a component") };
        wasm
    };

    assert_eq!(
        wasm("{ component: ./price.wasm }"),
        WasmCall { component: template(json!("./price.wasm")), export: None, input: None }
    );
    assert_eq!(wasm("{ component: a.wasm, export: run, input: null }").input, Some(template(Value::Null)));
    assert_eq!(wasm("{ component: a.wasm, input: '${ .order }' }").input, Some(template(json!("${ .order }"))));
}

#[test]
fn functions_are_named_cataloged_or_at_a_url() {
    for name in [
        "https://github.com/myorg/functions/validateEmailAddress@v1.0.0",
        "resize:1.2.0@default",
        "log:0.5.2@global",
        "mine",
    ] {
        let text = format!(
            "use:\n  catalogs: {{ global: {{ endpoint: https://example.com }} }}\n  functions: {{ mine: {{ wait: PT1S }} }}\n\
             do:\n  - task:\n      call: {name}\n      with: {{ message: '${{ .a }}' }}\n"
        );
        let mut definition = accept(&text, &[]);
        let TaskKind::Call(call) = definition.tasks.0.remove(0).task.kind else { panic!("a call") };
        let Call::Function(call) = *call else { panic!("a function") };

        assert_eq!(call.name, name);
    }
}

#[test]
fn schedules_have_one_trigger() {
    let trigger = |text: &str| accept(&format!("schedule: {text}\ndo: []"), &[]).schedule.unwrap();

    assert_eq!(trigger("{ every: { minutes: 15 } }").trigger, Trigger::Every(Duration::Literal(Span(15.minutes()))));
    let cron = |text: &str| match trigger(&format!("{{ cron: '{text}' }}")).trigger {
        Trigger::Cron(cron) => (cron.text.clone(), cron.zone.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(cron("0 0 * * *"), ("0 0 * * *".into(), None));
    assert_eq!(cron("CRON_TZ=Europe/Paris 0 9 * * MON-FRI").1, Some("Europe/Paris".into()));
    assert_eq!(trigger("{ after: PT1H }").trigger, Trigger::After(Duration::Literal(Span(1.hour()))));
    let on = trigger("{ on: { one: { with: { type: a } } }, read: envelope }");
    assert!(matches!((on.trigger, on.read), (Trigger::On(EventStrategy::One(_)), ReadAs::Envelope)));
}

#[test]
fn the_source_of_tasks_and_of_the_definition_is_kept_in_order() {
    let definition = accept("do:\n  - z:\n      set: { b: 1, a: '${ .x }' }\n      if: .y\n", &[]);

    assert_eq!(
        serde_json::to_string(&*definition.tasks.0[0].task.source).unwrap(),
        r#"{"set":{"b":1,"a":"${ .x }"},"if":".y"}"#
    );
    assert_eq!(definition.source["do"][0]["z"]["if"], ".y");
}

#[test]
fn anchors_and_aliases_are_expanded() {
    let definition = accept("do:\n  - a: &pause { wait: PT1S }\n  - b: *pause\n", &[]);

    assert_eq!(definition.tasks.0[0].task, definition.tasks.0[1].task);
}

#[test]
fn names_that_are_not_strings_are_taken_as_they_are_written() {
    let task = task("set: { 200: a, true: b, 1.50: c, null: d, 0x10: e, '<<': f }", &[]);

    let TaskKind::Set(Template(data)) = task.kind else { panic!("a set") };
    assert_eq!(
        serde_json::to_string(&*data).unwrap(),
        r#"{"200":"a","true":"b","1.50":"c","null":"d","0x10":"e","<<":"f"}"#
    );
}

#[test]
fn json_may_break_lines_wherever_it_likes() {
    let text = "\u{feff}{\n\"document\"\n:\n{\"dsl\":\"1.0.3\",\"namespace\":\"a\"\n,\n\"name\":\"b\",\t\"version\"\r\n:\t\"1.0.0\"}\n,\"do\"\t:\n[\n]\n}\r\n";

    Definition::parse(text.as_bytes()).unwrap();
}

#[test]
fn a_schema_may_hold_what_looks_like_an_expression() {
    accept("input: { schema: { document: { const: '${' } } }\ndo: []", &[]);
}

#[test]
fn retries_of_the_flow_are_found_through_catch_then_and_skipped_tasks() {
    let text = "
do:
  - first: { set: { a: 1 }, if: .a, then: third }
  - second: { raise: { error: { type: 'https://example.com', status: 500 } } }
  - third:
      switch:
        - case: { when: .a, then: fifth }
      then: end
  - fourth: { set: { a: 1 } }
  - fifth: { set: { a: 1 } }
";
    accept(text, &[Code::UnreachableTask]);
    let text = "do:\n  - only: { wait: PT1S, then: continue }\n  - next: { wait: PT1S, then: exit }\n  - never: { wait: PT1S }\n";
    accept(text, &[Code::UnreachableTask]);
}

#[test]
fn a_task_without_a_way_to_it_is_found_beside_errors_that_do_not_matter_for_it() {
    let text = "do:\n  - h: { set: { x: 1 }, then: end }\n  - i: { set: { x: 1 } }\n  - j: { wait: PT1X }\n";
    assert_eq!(codes(text), [Code::UnreachableTask, Code::UnreachableTask, Code::InvalidDuration]);
    let text = "do:\n  - h: { wait: PT1X, then: j }\n  - i: { set: { x: 1 } }\n  - j: { set: { x: 1 } }\n";
    assert_eq!(codes(text), [Code::InvalidDuration, Code::UnreachableTask]);
    // What is wrong in these may have been meant to lead to the next.
    for (first, code) in [
        ("set: { x: 1 }, then: nowhere", Code::UnknownTask),
        ("set: { x: 1 }, then: 5", Code::WrongType),
        ("sett: { x: 1 }, then: end", Code::MissingTaskKind),
        ("switch: [ { a: { then: 5 } } ], then: end", Code::WrongType),
    ] {
        assert_eq!(codes(&format!("do:\n  - h: {{ {first} }}\n  - i: {{ set: {{ x: 1 }} }}\n")), [code], "{first}");
    }
}

#[test]
fn a_function_that_a_built_in_one_hides_is_warned_of() {
    accept("use: { functions: { http: { wait: PT1S } } }\ndo: []", &[Code::HiddenFunction]);
}

#[test]
fn a_variable_that_hides_an_argument_is_warned_of() {
    task("for: { each: input, in: .a }\ndo: []", &[Code::HiddenArgument]);
}

#[test]
fn every_1_x_of_the_dsl_is_read() {
    for (version, fine) in
        [("1.0.0", true), ("1.0.0-alpha5", true), ("1.9.0", true), ("2.0.0", false), ("0.9.0", false)]
    {
        let text = format!("document: {{ dsl: '{version}', namespace: a, name: b, version: '1.0.0' }}\ndo: []");

        assert_eq!(Definition::parse(text.as_bytes()).is_ok(), fine, "{version}");
    }
}

#[test]
fn problems_of_all_parts_are_found_at_once() {
    let codes =
        codes("use: { errors: { a: {} } }\ninput: { from: 5 }\ndo: [ { a: { wait: x } }, { b: {} } ]\ntimeout: y\n");

    assert_eq!(
        codes,
        [
            Code::MissingField,
            Code::MissingField,
            Code::WrongType,
            Code::InvalidDuration,
            Code::MissingTaskKind,
            Code::UnknownTimeout,
        ]
    );
}

#[test]
fn locations_lead_from_references_to_lines() {
    let text = "do:\n  - a/b:\n      try:\n        - inner:\n            wait: PT1S\n      catch: {}\n";
    let parsed = Definition::parse(format!("{HEAD}{text}").as_bytes()).unwrap();
    let root = TaskReference::root();
    let outer = root.join("do").index(0).join("a/b");
    let inner = outer.join("try").index(0).join("inner");
    let at = |reference: &TaskReference| {
        let place = parsed.locations.task(reference);
        (place.line, place.column)
    };

    assert_eq!(at(&root), (1, 1));
    assert_eq!(at(&outer), (3, 5));
    assert_eq!(at(&inner), (5, 11));
    assert_eq!(at(&inner.join("wait")), (6, 13));
    assert_eq!(at(&inner.join("nothing").join("deeper")), (5, 11));
}

#[test]
fn locations_lead_into_lists_of_tasks_that_are_objects() {
    let text = format!("{HEAD}do:\n  b: {{ wait: PT1S }}\n  a: {{ wait: PT2S }}\n");
    let parsed = Definition::parse(text.as_bytes()).unwrap();

    assert_eq!(parsed.locations.pointer("/do/1/a").line, 4);
    assert_eq!(parsed.locations.pointer("/do/1/a/wait").column, 8);
}
