//! What a script finds, and how it ends. The same code that runs in a cell, run natively.

use serde_json::json;

use super::*;

fn script(code: &str) -> Script {
    serde_json::from_value(json!({ "code": code })).unwrap()
}

fn ended(script: Script) -> Ended {
    javascript(script).unwrap()
}

fn stdout(code: &str) -> String {
    let ended = ended(script(code));
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{code}");
    ended.stdout
}

#[test]
fn what_is_logged_goes_to_stdout_and_what_is_warned_of_to_stderr() {
    let ended = ended(script("console.log('a', 1); console.info('b'); console.error('c'); console.warn('d');"));
    assert_eq!(ended, Ended { code: 0, stdout: "a 1\nb\n".into(), stderr: "c\nd\n".into(), returned: None });
}

#[test]
fn a_return_outside_of_all_functions_returns_a_value() {
    let mut script =
        script("function valid(text) { return text.includes('@'); }\nreturn { valid: valid(address), then: await 1 };");
    script.arguments = json!({"address": "a@example.com"});
    let ended = ended(script);
    assert_eq!((ended.code, ended.returned), (0, Some(json!({"valid": true, "then": 1}))), "{}", ended.stderr);
}

#[test]
fn a_return_of_nothing_returns_nothing() {
    let ended = ended(script("console.log('a'); if (true) return; console.log('b');"));
    assert_eq!((ended.code, ended.stdout.as_str(), ended.returned), (0, "a\n", None));
}

#[test]
fn a_value_that_is_only_the_last_one_is_not_returned() {
    assert_eq!(ended(script("1 + 1")).returned, None);
}

#[test]
fn what_cannot_be_written_as_json_is_an_error_of_the_script() {
    let ended = ended(script("const a = {}; a.a = a; return a;"));
    assert_eq!((ended.code, ended.returned), (1, None));
    assert!(ended.stderr.contains("circular"), "{}", ended.stderr);
}

#[test]
fn an_error_in_a_script_that_returns_stands_in_its_line() {
    let ended = ended(script("if (false) return 1;\nthrow new Error('late');"));
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("script.js:2"), "{}", ended.stderr);
}

#[test]
fn listed_arguments_follow_two_others_in_argv() {
    let mut script = script("const [_, __, arg0, arg1] = process.argv; console.log(arg0, arg1, arguments.length)");
    script.arguments = json!(["hello", "world"]);
    assert_eq!(ended(script).stdout, "hello world 2\n");
}

#[test]
fn named_arguments_are_variables_with_the_types_they_had() {
    let mut script = script("console.log(greeting, list.length + 1)");
    script.arguments = json!({"greeting": "hello", "list": [1, 2]});
    assert_eq!(ended(script).stdout, "hello 3\n");
}

#[test]
fn named_arguments_are_options_of_a_program_too() {
    let mut script = script("console.log(process.argv.slice(2).join(' '))");
    script.arguments = json!({"name": "Ada", "-n": 5, "list": [1], "loud": true, "quiet": false, "none": null});
    assert_eq!(ended(script).stdout, "--name Ada -n 5 --list [1] --loud\n");
}

#[test]
fn a_module_imports_the_standard_streams() {
    let mut script = script(
        "import { readFileSync } from 'node:fs';\n\
         const stdin = readFileSync(process.stdin.fd, 'utf8');\n\
         console.log('stdin > ', stdin); console.log('env > ', process.env.foo);\n\
         await null; console.log(import.meta.url !== 1);",
    );
    script.stdin = "Hello Workflow".into();
    script.environment.insert("foo".into(), json!("bar"));
    assert_eq!(ended(script).stdout, "stdin >  Hello Workflow\nenv >  bar\ntrue\n");
}

#[test]
fn a_plain_script_requires_awaits_and_need_not_be_strict() {
    assert_eq!(
        stdout("x = await Promise.resolve(1); console.log(x, require('fs').existsSync('/etc/passwd'))"),
        "1 false\n"
    );
    assert_eq!(stdout("const { stdin } = await import('node:process'); console.log(stdin.fd)"), "0\n");
}

#[test]
fn promises_and_timers_run_to_their_end_in_their_order() {
    let code = "setTimeout(() => console.log(3), 5); setTimeout(() => console.log(2), 1); Promise.resolve().then(() => console.log(1)); \
        const every = setInterval(() => { clearInterval(every); console.log(4) }, 8);";
    assert_eq!(stdout(code), "1\n2\n3\n4\n");
}

#[test]
fn stdin_can_be_read_as_a_stream() {
    let mut script =
        script("let all = ''; for await (const chunk of process.stdin) all += chunk; console.log(JSON.parse(all).a)");
    script.stdin = r#"{"a":17}"#.into();
    assert_eq!(ended(script).stdout, "17\n");
    let mut script = super::tests::script(
        "let all = ''; process.stdin.on('data', (chunk) => { all += chunk }).on('end', () => console.log(all.length))",
    );
    script.stdin = "12345".into();
    assert_eq!(ended(script).stdout, "5\n");
}

#[test]
fn an_error_that_nobody_caught_is_exit_code_1_with_its_stack() {
    for code in [
        "function f() { throw new TypeError('broken') }\nf()",
        "await Promise.reject(new TypeError('broken'))",
        "Promise.reject(new TypeError('broken')); setTimeout(() => console.log('never'), 1)",
        "setTimeout(() => { throw new TypeError('broken') }, 1)",
        "import fs from 'node:fs'; throw new TypeError('broken')",
    ] {
        let ended = ended(script(code));
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{code}");
        assert!(ended.stderr.starts_with("Uncaught TypeError: broken\n    at "), "{}", ended.stderr);
        assert!(ended.stderr.contains("script.js:1:"), "{}", ended.stderr);
    }
}

#[test]
fn a_rejection_that_is_caught_later_in_the_same_turn_is_none() {
    assert_eq!(stdout("const p = Promise.reject(1); p.catch(() => console.log('caught'))"), "caught\n");
}

#[test]
fn a_mistake_in_the_syntax_tells_its_line() {
    for code in ["const a = 1;\nconst = 2;", "import fs from 'node:fs';\nconst = 2;"] {
        let ended = ended(script(code));
        assert_eq!(ended.code, 1);
        assert!(ended.stderr.starts_with("Uncaught SyntaxError: "), "{}", ended.stderr);
        assert!(ended.stderr.contains("script.js:2"), "{}", ended.stderr);
    }
}

#[test]
fn exit_ends_the_script_at_once_whatever_it_catches() {
    let ended = ended(script("console.log(1); try { process.exit(3) } catch { console.log(2) } finally { for (;;); }"));
    assert_eq!(ended, Ended { code: 3, stdout: "1\n".into(), stderr: "".into(), returned: None });
    for (code, expected) in
        [("process.exit()", 0), ("process.exitCode = 7", 7), ("process.exitCode = 7; process.exit()", 7)]
    {
        assert_eq!(super::tests::ended(script(code)).code, expected, "{code}");
    }
}

#[test]
fn a_promise_that_is_never_settled_is_exit_code_13() {
    assert_eq!(ended(script("await new Promise(() => {})")).code, 13);
}

#[test]
fn other_modules_are_refused_with_those_that_there_are() {
    for code in ["import http from 'node:http'", "require('http')", "await import('./other.js')"] {
        let ended = ended(script(code));
        assert_eq!(ended.code, 1);
        assert!(ended.stderr.contains("node:fs"), "{}", ended.stderr);
    }
}

#[test]
fn there_is_no_network_and_there_are_no_files() {
    assert_eq!(
        stdout("console.log(typeof fetch, typeof XMLHttpRequest, typeof WebAssembly, typeof std, typeof os)").trim(),
        "undefined ".repeat(5).trim()
    );
    let ended = ended(script("require('fs').readFileSync('/etc/passwd', 'utf8')"));
    assert!(ended.stderr.contains("there are no files in a cell"), "{}", ended.stderr);
}

#[test]
fn values_look_as_in_node() {
    let code = r#"
        console.log({ a: 1, b: 'x', c: [1, 2, { d: { e: {} } }], f() {}, g: null, h: undefined, 'i-j': 1n });
        console.log([1, , 3], new Map([['k', { v: 1 }]]), new Set(['s']), new Date(0), /x/g, Symbol('y'), -0);
        console.log('%s is %d years and %i, %j %%', 'Ada', 36.5, 36.5, { a: 1 }, 'more');
        class Point { x = 1 }; console.log(new Point(), Point, Object.create(null));
        const round = { name: 'round' }; round.self = round; console.log(round);
        console.log(new Uint8Array([1, 2]), "it's", ["it's"], [`a\nb`]);
        console.log(); console.log('');"#;
    assert_eq!(
        stdout(code),
        "{\n  a: 1,\n  b: 'x',\n  c: [ 1, 2, { d: [Object] } ],\n  f: [Function: f],\n  g: null,\n  h: undefined,\n  'i-j': 1n\n}\n\
         [ 1, <empty>, 3 ] Map(1) { 'k' => { v: 1 } } Set(1) { 's' } 1970-01-01T00:00:00.000Z /x/g Symbol(y) -0\n\
         Ada is 36.5 years and 36, {\"a\":1} % more\n\
         Point { x: 1 } [class Point] [Object: null prototype] {}\n\
         { name: 'round', self: [Circular] }\n\
         Uint8Array(2) [ 1, 2 ] it's [ \"it's\" ] [ 'a\\nb' ]\n\n\n"
    );
}

#[test]
fn text_survives_its_encoding() {
    let code = "const t = 'aß€😀'; console.log(new TextDecoder().decode(new TextEncoder().encode(t)) === t, '\\ud800'.length); \
        process.stdout.write('\\ud800|'); console.log(new TextDecoder().decode(new Uint8Array([255, 97])))";
    assert_eq!(stdout(code), "true 1\n\u{fffd}|\u{fffd}a\n");
}

#[test]
fn the_language_is_es2024() {
    let code = "console.log(Object.groupBy([1, 2, 3], (n) => (n % 2 ? 'odd' : 'even')).odd.join(), Promise.withResolvers !== undefined, \
        /[\\p{L}--[a-z]]/v.test('A'), 'ab'.isWellFormed(), [3, 1].toSorted().join(), new ArrayBuffer(8).transfer(4).byteLength, \
        Array.fromAsync !== undefined, Atomics.waitAsync === undefined)";
    assert_eq!(stdout(code), "1,3 true true true 1,3 4 true true\n");
}

#[test]
fn endless_recursion_is_a_range_error_that_can_be_caught() {
    assert_eq!(
        stdout("const f = () => f() + 1; try { f() } catch (error) { console.log(error.name) }"),
        "RangeError\n"
    );
}

#[test]
fn what_is_more_than_may_be_written_ends_the_script_as_a_problem() {
    let mut script = script("for (;;) { try { console.log('x'.repeat(100)) } catch {} }");
    script.limit = 1_000;
    let problem = javascript(script).unwrap_err();
    assert_eq!(problem.title.as_deref(), Some("Payload limit"));
}
