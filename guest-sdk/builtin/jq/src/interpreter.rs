//! Compiles programs, keeps them, and runs them.

use std::cell::RefCell;
use std::rc::Rc;

use jaq_core::compile::Compiler;
use jaq_core::load::{self, Arena, File, Lexer, Loader};
use jaq_core::{Ctx, Exn, Filter, Vars};

use crate::json::{self, Oversize, shortened, write_result};
use crate::prelude::Prelude;
use crate::surroundings::{Data, Surroundings};
use crate::syntax::{self, SyntaxError};
use crate::value::{Map, Value};

/// The longest error message, in bytes. A message may be made from data, `error(.)` say.
const MAX_MESSAGE: usize = 4096;

/// The variables that every program has.
const GLOBALS: [&str; 3] = ["$ENV", "$__prog_args", "$__loc__"];

/// Why a program that is jq has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It ended with this error.
    Failed(String),
    /// Its result is too much.
    Oversize(Oversize),
    /// The request is not a number of JSON texts. The host's mistake.
    Request(String),
}

/// Compiles programs, keeps them, and runs them.
pub struct Interpreter {
    prelude: Prelude,
    programs: Vec<Program>,
}

struct Program {
    filter: Filter<Data>,
    /// The line in which `$__loc__` stands first.
    line: usize,
}

impl Default for Interpreter {
    fn default() -> Self {
        Interpreter::new()
    }
}

impl Interpreter {
    /// One that has no programs yet.
    pub fn new() -> Self {
        Interpreter { prelude: Prelude::new(), programs: Vec::new() }
    }

    /// Compiles a program, which may use variables of these names (without the `$`), and keeps it. Returns by which
    /// number it is known from now on.
    ///
    /// # Errors
    /// The first mistake in it.
    pub fn compile(&mut self, program: &str, variables: &[&str]) -> Result<usize, SyntaxError> {
        // What is wrong with the tokens is said by the loader below.
        let tokens = Lexer::new(program).lex().unwrap_or_default();
        let (definitions, functions) = self.prelude.reachable(&tokens);
        drop(tokens);
        let arena = Arena::default();
        let modules = Loader::new(definitions)
            .load(&arena, File { code: program, path: () })
            .map_err(|errors| syntax::of_loading(program, errors))?;
        load::import(&modules, |_| Err("there are no files".to_owned()))
            .map_err(|errors| syntax::of_loading(program, errors))?;
        let variables: Vec<String> = variables.iter().map(|name| format!("${name}")).collect();
        let compiler = Compiler::default().with_funs(functions);
        let compiler = compiler.with_global_vars(GLOBALS.into_iter().chain(variables.iter().map(String::as_str)));
        let compiled = compiler.compile(modules).map_err(|errors| syntax::of_compiling(program, errors))?;
        self.programs.push(Program { filter: compiled, line: line_of_location(program) });
        Ok(self.programs.len() - 1)
    }

    /// Runs a program and appends its first output to `response`, as JSON; null if it has none. `request` is its input
    /// and its variables, in the order in which it was compiled with them: JSON texts, one after the other. `now` is
    /// in seconds since 1970.
    ///
    /// # Errors
    /// The program's own, or a limit of the result.
    pub fn evaluate(&self, program: usize, now: f64, request: &[u8], response: &mut Vec<u8>) -> Result<(), Failure> {
        let program = self.programs.get(program).ok_or_else(|| Failure::Request("there is no such program".into()))?;
        let mut values = serde_json::Deserializer::from_slice(request).into_iter::<Value>();
        let input = match values.next() {
            Some(input) => input.map_err(not_json)?,
            None => return Err(Failure::Request("there is no input".into())),
        };
        let mut variables = vec![Value::object(Map::default()), Value::array(Vec::new()), location(program.line)];
        for value in values {
            variables.push(value.map_err(not_json)?);
        }
        let surroundings = Surroundings { program: &program.filter.lut, now, last_words: RefCell::default() };
        let context = Ctx::<Data>::new(&surroundings, Vars::new(variables));
        let output = match program.filter.id.run((context, input)).next() {
            None => Value::Null,
            Some(Ok(output)) => output,
            Some(Err(exception)) => {
                return end_of(exception, surroundings.last_words.take()).map(|()| {
                    response.extend_from_slice(b"null");
                });
            }
        };
        write_result(&output, response).map_err(|oversize| {
            // Dropping what is nested without end would trap before the host learns what was wrong.
            std::mem::forget(output);
            Failure::Oversize(oversize)
        })
    }
}

fn line_of_location(program: &str) -> usize {
    program.find("$__loc__").map_or(1, |at| program[..at].matches('\n').count() + 1)
}

/// What `$__loc__` is. It is the same wherever it stands in a program.
fn location(line: usize) -> Value {
    let members = [("file", Value::text("<top-level>")), ("line", Value::from(line))];
    Value::object(members.into_iter().map(|(name, value)| (Rc::new(name.to_owned()), value)).collect())
}

fn not_json(error: serde_json::Error) -> Failure {
    Failure::Request(error.to_string())
}

/// How a program ends that did not yield: `halt` says nothing more, as if there were no further outputs.
fn end_of(exception: Exn<'_, Value>, last_words: Option<Value>) -> Result<(), Failure> {
    let words = match (exception.get_err(), last_words) {
        (Ok(error), _) => error.into_val(),
        (Err(_halted), Some(words)) => words,
        (Err(_halted), None) => return Ok(()),
    };
    let message = match &words {
        Value::String(text) => shortened(text, MAX_MESSAGE).to_owned(),
        other => json::abbreviated(other, MAX_MESSAGE),
    };
    Err(Failure::Failed(message))
}
