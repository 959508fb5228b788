//! What a reader is told when a program is wrong, or fails.

use hotcell_expression::{Evaluator, ExpressionError};
use serde_json::json;

use super::{evaluator, result_of, run};

#[test]
fn a_mistake_is_named_and_has_a_place() {
    let cases = [
        (
            "1 +",
            "expected a term, such as `.a`, `1` or `\"text\"` (strings take double quotes), found the end of the program",
            3,
        ),
        ("[1, 2", "expected `]` for the `[` at byte 0, found the end of the program", 5),
        (".a | (1", "expected `)` for the `(` at byte 5, found the end of the program", 7),
        ("\"abc", "expected a closing quote for the `\"` at byte 0, found the end of the program", 4),
        (".a == 'x'", "expected a term, an operator or the end of the program, found `'x'`", 6),
        ("if . then 1", "expected `elif`, `else` or `end`, found the end of the program", 11),
        ("1 2", "expected an operator or the end of the program, found `2`", 2),
        (". as x | x", "expected a variable or a pattern, such as `$x`, `[$x]` or `{a: $x}`, found `x`", 5),
        (
            "\"\\q\"",
            "expected one of the escapes `\\\"`, `\\\\`, `\\/`, `\\b`, `\\f`, `\\n`, `\\r`, `\\t`, `\\u` and `\\(`, found `q\"`",
            2,
        ),
        ("\"\\ud83d\"", "expected four hexadecimal digits that stand for a character, found `d83d\"`", 3),
        (".ä", "expected a term, an operator or the end of the program, found `ä`", 1),
        (".a | nope", "there is no function `nope` without arguments", 5),
        ("map(nope(1))", "there is no function `nope` with 1 argument", 4),
        ("map(1; 2)", "there is no function `map` with 2 arguments", 0),
        (". + $price", "there is no variable `$price` here", 4),
        ("break $out", "there is no label `$out` around this `break`", 6),
        ("@nope", "there is no format `@nope`", 0),
        ("a::b", "there is no module `a`: an expression has no modules", 0),
        (
            "include \"secrets\"; 1",
            "the module \"secrets\" cannot be loaded: an expression has no modules, so `import` and `include` are refused",
            9,
        ),
        (
            "import \"secrets\" as $s; $s",
            "the module \"secrets\" cannot be loaded: an expression has no modules, so `import` and `include` are refused",
            8,
        ),
        (
            "",
            "expected a term, such as `.a`, `1` or `\"text\"` (strings take double quotes), found the end of the program",
            0,
        ),
    ];
    for (program, message, offset) in cases {
        let expected = ExpressionError::Syntax { message: message.to_owned(), offset: Some(offset) };
        assert_eq!(result_of(program), Err(expected.clone()), "{program}");
        assert_eq!(evaluator().check(program, &[]), Err(expected), "{program}");
    }
}

#[test]
fn checking_runs_nothing() {
    let mut evaluator = evaluator();
    assert_eq!(evaluator.check("def f: f; f", &[]), Ok(()));
    assert_eq!(evaluator.check("error($message)", &["message"]), Ok(()));
    assert!(evaluator.check("error($message)", &[]).is_err());
}

#[test]
fn an_error_of_the_program_is_said_in_its_words() {
    let cases = [
        ("error(\"out of stock\")", "out of stock"),
        ("error({code: 7})", "{\"code\":7}"),
        ("error(null)", "null"),
        ("\"no more\\n\" | halt_error", "no more\n"),
        ("try ({code: 7} | halt_error) catch .", "{\"code\":7}"),
        ("1 + \"a\"", "number (1) and string (\"a\") cannot be added"),
        ("1 / 0", "number (1) and number (0) cannot be divided because the divisor is zero"),
        ("[1] | .a", "Cannot index array with string \"a\""),
        ("{} | .[0]", "Cannot index object with number"),
        ("1 | .[]", "Cannot iterate over number (1)"),
        ("{(1): 2}", "Object keys must be strings, not number (1)"),
        ("\"x\" | tonumber", "string (\"x\") cannot be parsed as a number"),
        ("true | length", "boolean (true) has no length"),
        ("[1] | implode | .[5:] | error", ""),
        ("[] | .[-1] = 1", "Out of bounds negative array index"),
        ("\"x\" | test(\"(\")", "( is not a regular expression: "),
        ("[range(100)] | error(\"\\(.)\")", "[0,1,2,3,"),
        ("[range(100)] + 1", "array ([0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,1…) and number (1) cannot be added"),
    ];
    for (program, message) in cases {
        match result_of(program) {
            Err(ExpressionError::Failed(said)) => assert!(said.starts_with(message), "{program}: {said}"),
            other => panic!("{program}: {other:?}"),
        }
    }
}

#[test]
fn a_message_made_of_data_is_cut() {
    match result_of("error(\"äöü\" * 100000)") {
        Err(ExpressionError::Failed(message)) => assert!(message.len() <= 4096 && message.starts_with("äöü")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_evaluator_can_be_used_after_every_error() {
    let mut evaluator = evaluator();
    for program in ["1 +", "nope", "error(1)", "def f: [f]; f", "[range(1e9)]", "\"a\" * 1e9"] {
        assert!(run(&mut evaluator, program, &json!(null), &[]).is_err(), "{program}");
        assert_eq!(run(&mut evaluator, ". + 1", &json!(1), &[]), Ok(json!(2)), "{program}");
    }
}
