//! What a script is given, and what of its end is the task's output.

use hotcell_definition::ErrorKind;
use serde_json::{Value, json};

use crate::bench::bench;

/// The same script in both languages: it greets on stdout, complains on stderr and ends with a code.
fn both(code: i32) -> [(&'static str, String); 2] {
    [
        ("js", format!("console.log('out'); console.error('err'); process.exit({code})")),
        ("python", format!("import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.exit({code})")),
    ]
}

#[test]
fn return_chooses_what_the_output_is() {
    for (language, code) in both(0) {
        for (what, expected) in [
            ("stdout", json!("out")),
            ("stderr", json!("err")),
            ("code", json!(0)),
            ("all", json!({"code": 0, "stdout": "out", "stderr": "err"})),
            ("none", Value::Null),
        ] {
            let output = bench().script(language, &code, json!({"return": what})).output();
            assert_eq!(output, expected, "{language}, return: {what}");
        }
        assert_eq!(bench().script(language, &code, json!({})).output(), json!("out"), "{language}");
    }
}

#[test]
fn an_exit_code_that_was_not_asked_for_is_an_error_of_the_task() {
    for (language, code) in both(3) {
        for what in ["stdout", "stderr", "none"] {
            let problem = bench().script(language, &code, json!({"return": what})).problem();
            assert!(problem.is(ErrorKind::Runtime));
            assert_eq!(problem.title.as_deref(), Some("Script failed"));
            assert_eq!(problem.detail.as_deref(), Some("the script ended with exit code 3: err"));
            assert_eq!(problem.extensions["exitCode"], 3);
            assert_eq!(problem.instance.as_deref(), Some("/do/0/script"));
        }
        assert_eq!(bench().script(language, &code, json!({"return": "code"})).output(), json!(3));
        let all = bench().script(language, &code, json!({"return": "all"})).output();
        assert_eq!(all, json!({"code": 3, "stdout": "out", "stderr": "err"}));
    }
}

#[test]
fn a_script_in_python_can_end_its_process_at_once() {
    let code = "import atexit, os\natexit.register(print, 'late')\nprint('out')\nos._exit(7)";
    let all = bench().script("python", code, json!({"return": "all"})).output();
    assert_eq!(all, json!({"code": 7, "stdout": "out", "stderr": ""}));
    assert_eq!(bench().script("python", code, json!({})).problem().extensions["exitCode"], 7);
}

#[test]
fn an_error_that_nobody_caught_tells_its_lines_and_nothing_of_the_interpreter() {
    let expected = [
        ("js", "function f() {\n  throw new Error('broken')\n}\nf()", "Uncaught Error: broken\n    at f (script.js:2:"),
        (
            "python",
            "def f():\n  raise ValueError('broken')\nf()",
            "Traceback (most recent call last):\n  File \"script.py\", line 3, in <module>\n    f()\n",
        ),
    ];
    for (language, code, begin) in expected {
        let output = bench().script(language, code, json!({"return": "all"})).output();
        assert_eq!(output["code"], 1, "{language}");
        let stderr = output["stderr"].as_str().unwrap();
        assert!(stderr.starts_with(begin) && !stderr.contains("interpreter.py"), "{stderr}");
    }
}

#[test]
fn a_mistake_in_the_syntax_is_exit_code_1() {
    for (language, code) in [("js", "const = 1"), ("python", "def = 1")] {
        let output = bench().script(language, code, json!({"return": "all"})).output();
        assert_eq!(output["code"], 1);
        assert!(output["stderr"].as_str().unwrap().contains("SyntaxError"), "{output}");
    }
}

#[test]
fn arguments_environment_and_stdin_may_be_expressions() {
    let given = json!({
        "arguments": ["hello", "${ .name }", "${ .count }"],
        "environment": {"NAME": "${ .name }", "COUNT": "${ .count }"},
        "stdin": "${ {name} }",
    });
    for (language, code) in [
        (
            "js",
            "console.log(process.argv.slice(2).join(), process.env.NAME, process.env.COUNT, JSON.parse(require('fs').readFileSync(0, 'utf8')).name)",
        ),
        (
            "python",
            "import sys, os, json\nprint(','.join(sys.argv[1:]), os.environ['NAME'], os.environ['COUNT'], json.load(sys.stdin)['name'])",
        ),
    ] {
        assert_eq!(
            bench().script(language, code, given.clone()).output(),
            json!("hello,Ada,17 Ada 17 Ada"),
            "{language}"
        );
    }
}

#[test]
fn named_arguments_are_variables_that_keep_their_types() {
    let given = json!({"arguments": {"who": "${ .name }", "number": "${ .count }"}});
    for (language, code) in [("js", "console.log(who, number + 1)"), ("python", "print(who, number + 1)")] {
        assert_eq!(bench().script(language, code, given.clone()).output(), json!("Ada 18"), "{language}");
    }
}

#[test]
fn what_looks_like_an_expression_in_a_script_is_the_scripts_own() {
    let output = bench().script("js", "const name = 'Eve'; console.log(`${ name }`)", json!({})).output();
    assert_eq!(output, json!("Eve"));
}

#[test]
fn a_script_that_nobody_waits_for_outputs_the_tasks_input_and_goes_on() {
    let code = "for (let i = 0; i < 3; i++) await new Promise((done) => setTimeout(done, 5)); process.exit(9)";
    let output = bench().script("js", code, json!({"await": false, "return": "code"})).output();
    assert_eq!(output, json!({"name": "Ada", "count": 17}));
}

#[test]
fn a_script_stands_in_a_file_beside_the_definition() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("scripts")).unwrap();
    std::fs::write(folder.path().join("scripts/report.js"), "console.log(process.argv[1])").unwrap();
    let run = |uri: &str| {
        let script = json!({"language": "js", "source": {"endpoint": uri}});
        bench().run_in(json!([{"script": {"run": {"script": script}}}]), json!({}), folder.path())
    };
    assert_eq!(run("scripts/report.js").output(), json!("report.js"));
    for uri in ["scripts/other.js", "/etc/passwd", "../../etc/passwd", "scripts/../../../etc/passwd"] {
        let problem = run(uri).problem();
        assert_eq!(problem.title.as_deref(), Some("Script not available"), "{uri}");
        assert!(problem.is(ErrorKind::Configuration));
    }
    let denied = run("https://example.com/script.js").problem();
    assert!(denied.is(ErrorKind::Authorization) && denied.status == 403, "{denied}");
}

#[test]
fn each_script_has_a_cell_of_its_own() {
    for (language, code) in [
        ("js", "globalThis.seen = (globalThis.seen ?? 0) + 1; console.log(seen)"),
        ("python", "import builtins\nbuiltins.seen = getattr(builtins, 'seen', 0) + 1\nprint(seen)"),
    ] {
        for _ in 0..2 {
            assert_eq!(bench().script(language, code, json!({})).output(), json!("1"), "{language}");
        }
    }
}

#[test]
fn lines_are_logged_as_they_are_written() {
    for (language, code) in both(0) {
        let ran = bench().script(language, &code, json!({}));
        assert_eq!(ran.lines(), ["out", "err"], "{language}");
    }
}

#[test]
fn the_output_is_whole_where_the_log_is_cut() {
    for (language, code) in [
        ("js", "for (let i = 0; i < 10_000; i++) console.log('x'.repeat(99))"),
        ("python", "for i in range(10_000): print('x' * 99)"),
    ] {
        let ran = bench().script(language, code, json!({}));
        assert!(ran.lines().last().unwrap().contains("bytes were dropped"), "{language}");
        assert_eq!(ran.output().as_str().unwrap().len(), 999_999, "{language}");
    }
}
