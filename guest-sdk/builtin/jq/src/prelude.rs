//! The definitions that every program may use, and which of them a program does use.
//!
//! jaq compiles what it is given, whether it is needed or not; all definitions together take longer and more memory than
//! most programs. So a program is compiled with those alone that it may reach.

use std::collections::{HashMap, HashSet};

use jaq_core::load;
use jaq_core::load::lex::{StrPart, Tok, Token};
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::native::Fun;
use jaq_core::path::Part;

use crate::functions;
use crate::surroundings::Data;

/// jaq's definitions that functions of ours take the place of.
const REPLACED: &[&str] = &[
    "abs",
    "halt_error",
    "infinite",
    "isarray",
    "isboolean",
    "isnumber",
    "isobject",
    "isstring",
    "join",
    "keys",
    "nan",
    "type",
];

/// Definitions that programs may use.
pub(crate) struct Prelude {
    /// In the order in which they may use one another, each with the names that it uses.
    definitions: Vec<(Def<&'static str>, Vec<&'static str>)>,
    /// Where the definitions of a name stand.
    by_name: HashMap<&'static str, Vec<usize>>,
}

impl Prelude {
    pub(crate) fn new() -> Self {
        let jaq = jaq_core::defs().chain(jaq_std::defs()).filter(|definition| !REPLACED.contains(&definition.name));
        let ours = load::parse(include_str!("prelude.jq"), |parser| parser.defs()).expect("our definitions are jq");
        let definitions: Vec<_> = jaq
            .chain(ours)
            .map(|definition| {
                let mut names = Names::default();
                names.add_term(&definition.body);
                (definition, names.0)
            })
            .collect();
        let mut by_name: HashMap<_, Vec<usize>> = HashMap::new();
        for (at, (definition, _)) in definitions.iter().enumerate() {
            by_name.entry(definition.name).or_default().push(at);
        }
        Prelude { definitions, by_name }
    }

    /// What a program of these tokens may use.
    pub(crate) fn reachable(&self, tokens: &[Token<&str>]) -> (Vec<Def<&'static str>>, Vec<Fun<Data>>) {
        let mut pending = words(tokens);
        let mut reached = HashSet::new();
        while let Some(name) = pending.pop() {
            if reached.insert(name) {
                for at in self.by_name.get(name).into_iter().flatten() {
                    pending.extend(&self.definitions[*at].1);
                }
            }
        }
        let definitions = self.definitions.iter().map(|(definition, _)| definition);
        let definitions = definitions.filter(|definition| reached.contains(definition.name)).cloned().collect();
        let functions = functions::all().filter(|(name, ..)| reached.contains(name)).collect();
        (definitions, functions)
    }
}

/// All words of a program, with those inside brackets and strings. Not recursive: a program may nest deeply.
fn words<'s>(tokens: &[Token<&'s str>]) -> Vec<&'s str> {
    let mut words = Vec::new();
    let mut pending: Vec<_> = tokens.iter().collect();
    while let Some(Token(text, kind)) = pending.pop() {
        match kind {
            Tok::Word | Tok::Fmt => words.push(*text),
            Tok::Block(inner) => pending.extend(inner),
            Tok::Str(parts) => pending.extend(parts.iter().filter_map(|part| match part {
                StrPart::Term(term) => Some(term),
                StrPart::Str(_) | StrPart::Char(_) => None,
            })),
            Tok::Var | Tok::Num | Tok::Sym => {}
        }
    }
    words
}

/// The names that a definition uses.
#[derive(Default)]
struct Names(Vec<&'static str>);

impl Names {
    fn add_term(&mut self, term: &Term<&'static str>) {
        match term {
            Term::Id | Term::Recurse | Term::Num(_) | Term::Var(_) | Term::Break(_) | Term::Arr(None) => {}
            Term::Str(format, parts) => {
                self.0.extend(format);
                for part in parts {
                    if let StrPart::Term(term) = part {
                        self.add_term(term);
                    }
                }
            }
            Term::Arr(Some(term)) | Term::Neg(term) | Term::Label(_, term) => self.add_term(term),
            Term::Obj(members) => {
                for (name, value) in members {
                    self.add_term(name);
                    value.iter().for_each(|value| self.add_term(value));
                }
            }
            Term::BinOp(left, operator, right) => {
                if let BinaryOp::Pipe(Some(pattern)) = operator {
                    self.add_pattern(pattern);
                }
                self.add_term(left);
                self.add_term(right);
            }
            Term::Fold(_, source, pattern, arguments) => {
                self.add_term(source);
                self.add_pattern(pattern);
                arguments.iter().for_each(|argument| self.add_term(argument));
            }
            Term::TryCatch(body, catch) => {
                self.add_term(body);
                catch.iter().for_each(|catch| self.add_term(catch));
            }
            Term::IfThenElse(branches, otherwise) => {
                for (condition, then) in branches {
                    self.add_term(condition);
                    self.add_term(then);
                }
                otherwise.iter().for_each(|otherwise| self.add_term(otherwise));
            }
            Term::Def(definitions, body) => {
                definitions.iter().for_each(|definition| self.add_term(&definition.body));
                self.add_term(body);
            }
            Term::Call(name, arguments) => {
                self.0.push(name);
                arguments.iter().for_each(|argument| self.add_term(argument));
            }
            Term::Path(term, path) => {
                self.add_term(term);
                for (part, _) in &path.0 {
                    match part {
                        Part::Index(index) => self.add_term(index),
                        Part::Range(start, end) => start.iter().chain(end).for_each(|bound| self.add_term(bound)),
                    }
                }
            }
        }
    }

    fn add_pattern(&mut self, pattern: &Pattern<&'static str>) {
        match pattern {
            Pattern::Var(_) => {}
            Pattern::Arr(items) => items.iter().for_each(|item| self.add_pattern(item)),
            Pattern::Obj(members) => {
                for (name, pattern) in members {
                    self.add_term(name);
                    self.add_pattern(pattern);
                }
            }
        }
    }
}
