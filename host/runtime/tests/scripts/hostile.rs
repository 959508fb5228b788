//! Scripts that mean harm end as problems, within their bounds, and leave the host as it was.

use hotcell_definition::Problem;
use serde_json::json;

use crate::bench::{strict, wait};

fn title(problem: &Problem) -> &str {
    problem.title.as_deref().unwrap_or_default()
}

#[test]
fn a_script_that_never_ends_is_interrupted() {
    for (language, code) in [
        ("js", "for (;;);"),
        ("js", "const again = () => { Promise.resolve().then(again) }; again()"),
        ("js", "for (;;) { try { for (;;); } catch {} finally { continue } }"),
        ("python", "while True: pass"),
        ("python", "while True:\n  try:\n    while True: pass\n  except BaseException: pass"),
        // What it writes is not heard any more.
        ("python", "while True:\n  try: print('x' * 10_000)\n  except BaseException: pass"),
    ] {
        let problem = strict().script(language, code, json!({})).problem();
        assert_eq!(title(&problem), "CPU limit", "{code}: {problem}");
    }
}

#[test]
fn a_regular_expression_that_explodes_is_interrupted() {
    for (language, code) in
        [("js", "/^(a+)+$/.test('a'.repeat(40) + '!')"), ("python", "import re\nre.match('^(a+)+$', 'a' * 40 + '!')")]
    {
        let problem = strict().script(language, code, json!({})).problem();
        assert_eq!(title(&problem), "CPU limit", "{language}: {problem}");
    }
}

#[test]
fn a_script_that_takes_all_memory_ends() {
    for (language, code) in [
        ("js", "let a = 'x'.repeat(1000); const all = []; for (;;) all.push(a += a.slice(0, 999_999))"),
        ("js", "const all = []; for (;;) all.push(new ArrayBuffer(10_000_000))"),
        ("js", "const all = []; for (;;) all.push([all])"),
        ("python", "x = []\nwhile True: x.append(bytearray(10_000_000))"),
        ("python", "x = 'x' * 1000\nwhile True: x += x"),
    ] {
        let problem = strict().script(language, code, json!({})).problem();
        assert_eq!(title(&problem), "Memory limit", "{code}: {problem}");
    }
}

#[test]
fn a_script_that_calls_itself_without_end_can_catch_it() {
    for (language, code, expected) in [
        ("js", "const f = (n) => f(n + 1) + 1; try { f(0) } catch (error) { console.log(error.name) }", "RangeError"),
        (
            "js",
            "let o = {}; o.toString = () => `${o}`; try { `${o}` } catch (error) { console.log(error.name) }",
            "RangeError",
        ),
        ("js", "try { new RegExp('('.repeat(1_000_000)) } catch (error) { console.log(error.name) }", "SyntaxError"),
        (
            "python",
            "def f(n): return f(n + 1)\ntry: f(0)\nexcept RecursionError: print('RecursionError')",
            "RecursionError",
        ),
    ] {
        let output = strict().script(language, code, json!({})).output();
        assert_eq!(output, json!(expected), "{code}");
    }
}

#[test]
fn a_text_that_makes_the_interpreter_call_itself_too_deeply_ends_the_call() {
    // Its parser takes more of the stack that only the cell sees than of the one that it watches.
    let problem = strict().script("js", "JSON.parse('['.repeat(1_000_000))", json!({})).problem();
    assert_eq!(title(&problem), "Stack overflow", "{problem}");
}

#[test]
fn python_that_recurses_in_c_ends_as_a_problem_of_its_own() {
    let code = "import sys\nsys.setrecursionlimit(10**9)\nx = []\nfor _ in range(10**5): x = [x]\nprint(len(repr(x)))";
    let ran = strict().script("python", code, json!({}));
    assert!(!matches!(ran.outcome, hotcell_machine::Outcome::Cancelled));
}

#[test]
fn a_script_that_writes_without_end_is_stopped_at_the_payload_limit() {
    for (language, code) in [
        ("js", "for (;;) console.log('x'.repeat(10_000))"),
        ("js", "for (;;) { try { console.error('x'.repeat(10_000)) } catch {} }"),
        ("js", "console.log('x'.repeat(5_000_000))"),
        ("python", "while True: print('x' * 10_000)"),
        ("python", "print('x' * 5_000_000)"),
    ] {
        let problem = strict().script(language, code, json!({})).problem();
        assert_eq!(title(&problem), "Payload limit", "{code}: {problem}");
    }
}

#[test]
fn a_script_that_sleeps_is_interrupted_when_the_task_times_out() {
    for (language, code) in [
        ("js", "await new Promise((done) => setTimeout(done, 1_000_000))"),
        ("python", "import time\ntime.sleep(1_000)"),
    ] {
        let run = json!({"script": {"language": language, "code": code}});
        let tasks = json!([{"script": {"run": run, "timeout": {"after": {"milliseconds": 300}}}}]);
        let problem = strict().run(tasks, json!({})).problem();
        assert_eq!(problem.status, 408, "{language}: {problem}");
    }
}

#[test]
fn a_script_is_interrupted_when_the_workflow_is_cancelled() {
    let run = json!({"script": {"language": "js", "code": "for (;;);"}});
    let mut execution = strict().start(json!([{"script": {"run": run}}]), json!({}), std::path::Path::new("."));
    execution.cancel(None);
    let end = wait(execution.end());
    assert_eq!(end, hotcell_runtime::End::Ran(hotcell_machine::Outcome::Cancelled));
}

#[test]
fn a_script_cannot_break_out_of_what_the_interpreter_tells_of_it() {
    for (language, code) in [
        (
            "js",
            "delete globalThis.process; delete globalThis.console; Object.prototype.exitCode = 3; Array.prototype[0] = 1; \
                Error.prototype.toString = () => { throw 1 }; throw { get message() { throw 1 } }",
        ),
        (
            "js",
            "Map.prototype[Symbol.iterator] = () => { throw 1 }; String.prototype.toWellFormed = () => { throw 1 }; setTimeout(() => { throw 2 }, 1)",
        ),
        // Takes all memory, so that there is none left to say so.
        ("js", "const again = () => Promise.resolve().then(again); await again()"),
        ("python", "import sys\nsys.stdout.close()\nsys.stderr = None\nraise ValueError"),
        ("python", "import json\njson.dumps = None\nimport sys\nsys.stdout = 3"),
    ] {
        // Whatever it is, it is an end.
        let ran = strict().script(language, code, json!({"return": "all"}));
        assert!(!matches!(ran.outcome, hotcell_machine::Outcome::Cancelled), "{code}");
    }
}
