//! What is wrong with a program, said to people.

use jaq_core::compile::Undefined;
use jaq_core::load::{self, lex, parse};

use crate::json::shortened;

/// A program that is not jq, or uses a name that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// What was expected and what stood there.
    pub message: String,
    /// Where, in bytes from the start of the program.
    pub offset: Option<usize>,
}

/// How much of what stood there is shown, in bytes.
const SHOWN: usize = 24;

/// The first of the errors that were found while the program was read.
pub(crate) fn of_loading(program: &str, errors: load::Errors<&str, ()>) -> SyntaxError {
    let errors = errors.into_iter().flat_map(|(_, error)| match error {
        load::Error::Io(modules) => modules.iter().map(|(path, _)| of_import(program, path)).collect(),
        load::Error::Lex(errors) => errors.into_iter().map(|error| of_token(program, error)).collect(),
        load::Error::Parse(errors) => errors.into_iter().map(|error| of_structure(program, error)).collect::<Vec<_>>(),
    });
    first(errors)
}

/// The first name that does not exist.
pub(crate) fn of_compiling(program: &str, errors: jaq_core::compile::Errors<&str, ()>) -> SyntaxError {
    first(errors.into_iter().flat_map(|(_, errors)| errors).map(|(name, undefined)| of_name(program, name, &undefined)))
}

fn first(errors: impl Iterator<Item = SyntaxError>) -> SyntaxError {
    let unknown = SyntaxError { message: "the program is not jq".to_owned(), offset: None };
    errors.min_by_key(|error| error.offset.unwrap_or(usize::MAX)).unwrap_or(unknown)
}

/// Where a part of the program starts. What does not stand in it has no place.
fn offset(program: &str, part: &str) -> Option<usize> {
    let offset = (part.as_ptr() as usize).checked_sub(program.as_ptr() as usize)?;
    (offset <= program.len()).then_some(offset)
}

fn of_import(program: &str, path: &str) -> SyntaxError {
    SyntaxError {
        message: format!(
            "the module {:?} cannot be loaded: an expression has no modules, so `import` and `include` are refused",
            shortened(path, SHOWN)
        ),
        offset: offset(program, path),
    }
}

fn of_token(program: &str, (expected, rest): lex::Error<&str>) -> SyntaxError {
    let wanted = match &expected {
        lex::Expect::Digit => "a digit",
        lex::Expect::Ident => "a name",
        lex::Expect::Escape => {
            "one of the escapes `\\\"`, `\\\\`, `\\/`, `\\b`, `\\f`, `\\n`, `\\r`, `\\t`, `\\u` and `\\(`"
        }
        lex::Expect::Unicode => "four hexadecimal digits that stand for a character",
        lex::Expect::Delim(open) => {
            let close = match *open {
                "(" => "`)`",
                "[" => "`]`",
                "{" => "`}`",
                _ => "a closing quote",
            };
            let opened = offset(program, open).map(|at| format!(" for the `{open}` at byte {at}")).unwrap_or_default();
            let message = format!("expected {close}{opened}, found {}", found(rest));
            return SyntaxError { message, offset: offset(program, rest) };
        }
        _ => "a term, an operator or the end of the program",
    };
    SyntaxError { message: format!("expected {wanted}, found {}", found(rest)), offset: offset(program, rest) }
}

fn of_structure(program: &str, (expected, token): parse::Error<&str>) -> SyntaxError {
    let wanted = match expected {
        parse::Expect::Just(word) => format!("`{word}`"),
        parse::Expect::Var => "a variable, such as `$x`".to_owned(),
        parse::Expect::Pattern => "a variable or a pattern, such as `$x`, `[$x]` or `{a: $x}`".to_owned(),
        parse::Expect::ElseOrEnd => "`elif`, `else` or `end`".to_owned(),
        parse::Expect::CommaOrRBrack => "`,` or `]`".to_owned(),
        parse::Expect::CommaOrRBrace => "`,` or `}`".to_owned(),
        parse::Expect::SemicolonOrRParen => "`;` or `)`".to_owned(),
        parse::Expect::Term => "a term, such as `.a`, `1` or `\"text\"` (strings take double quotes)".to_owned(),
        parse::Expect::Key => "a key, such as `a` or `\"a\"`".to_owned(),
        parse::Expect::Ident => "a name".to_owned(),
        parse::Expect::Arg => "the name of an argument, such as `f` or `$x`".to_owned(),
        parse::Expect::Str => "a string without interpolation".to_owned(),
        parse::Expect::Nothing => "an operator or the end of the program".to_owned(),
        _ => "something else".to_owned(),
    };
    SyntaxError { message: format!("expected {wanted}, found {}", found(token)), offset: offset(program, token) }
}

fn of_name(program: &str, name: &str, undefined: &Undefined) -> SyntaxError {
    let shown = shortened(name, 100);
    let message = match undefined {
        Undefined::Var => format!("there is no variable `{shown}` here"),
        Undefined::Label => format!("there is no label `{shown}` around this `break`"),
        Undefined::Mod => format!("there is no module `{shown}`: an expression has no modules"),
        Undefined::Filter(0) if name.starts_with('@') => format!("there is no format `{shown}`"),
        Undefined::Filter(0) => format!("there is no function `{shown}` without arguments"),
        Undefined::Filter(1) => format!("there is no function `{shown}` with 1 argument"),
        Undefined::Filter(count) => format!("there is no function `{shown}` with {count} arguments"),
        _ => format!("`{shown}` is not defined"),
    };
    SyntaxError { message, offset: offset(program, name) }
}

/// What stood there, up to the next blank.
fn found(rest: &str) -> String {
    let Some(word) = rest.split_whitespace().next() else { return "the end of the program".to_owned() };
    let short = shortened(word, SHOWN);
    if short.len() < word.len() { format!("`{short}…`") } else { format!("`{short}`") }
}
