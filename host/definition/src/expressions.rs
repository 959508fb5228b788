//! Where each expression of a document stands, and which variables it has there: for whoever knows jq.
//!
//! This crate keeps expressions as they were written. Whether they are jq is checked by the caller of
//! [`Locations::check_expressions`], and what is wrong with one is told where it stands in the document, inside the
//! expression, whatever quotes and folded lines are around it.

use std::collections::HashSet;

use crate::locations::Locations;
use crate::problems::{MAX_LISTED, Problems, Wording};
use crate::reader::{Binding, PathId, Scope, Step, pointer};
use crate::yaml::{NodeId, place_inside, solid};
use crate::{Code, Diagnostic, Place, Severity};

/// How many expressions are remembered: 100,000. What stands behind them is evaluated all the same, and is not checked
/// before.
pub const MAX_CHECKED_EXPRESSIONS: usize = 100_000;

/// An expression that was read.
#[derive(Debug)]
pub(crate) struct Site {
    /// Its text, without blanks around it.
    pub(crate) source: Box<str>,
    /// The scalar that it stands in.
    pub(crate) node: NodeId,
    pub(crate) path: PathId,
    /// How many characters of the scalar stand before it, blanks aside.
    pub(crate) before: u32,
    pub(crate) scope: Scope,
}

/// Every expression of a document.
#[derive(Debug, Default)]
pub(crate) struct Expressions {
    pub(crate) sites: Vec<Site>,
    pub(crate) steps: Vec<Step>,
    pub(crate) bound: Vec<Binding>,
    /// How many were not remembered.
    pub(crate) omitted: usize,
    /// Where the schemas stand that are written in place.
    pub(crate) schemas: Vec<PathId>,
}

/// An expression, and which variables it has where it stands.
#[derive(Debug, Clone, Copy)]
pub struct ExpressionSite<'e> {
    site: &'e Site,
    bound: &'e [Binding],
    everywhere: &'e HashSet<&'e str>,
}

impl<'e> ExpressionSite<'e> {
    /// The expression, without `${ }` and without blanks around it.
    pub fn source(&self) -> &'e str {
        &self.site.source
    }

    /// Whether there is a variable of this name, written without its `$`: an argument of the specification, or one that a
    /// loop, a handler or an iterator around it binds. What stands under `use` is evaluated where a task refers to
    /// it, so that it may have any variable that is bound somewhere in the document.
    pub fn has_variable(&self, name: &str) -> bool {
        let Scope { row, shared, .. } = self.site.scope;
        row.arguments().contains(&name) || self.binds(name) || (shared && self.everywhere.contains(name))
    }

    /// Whether the name is bound by something around the expression, and so hides an argument that is called the same.
    pub fn binds(&self, name: &str) -> bool {
        self.bindings().any(|bound| bound == name)
    }

    /// The variables that there are, without their `$`: those that are bound around the expression, from the inside out,
    /// then the arguments.
    pub fn variables(&self) -> impl Iterator<Item = &'e str> {
        self.bindings().chain(self.site.scope.row.arguments().iter().copied())
    }

    fn bindings(&self) -> impl Iterator<Item = &'e str> + use<'e> {
        let bound = self.bound;
        let of = move |at: u32| &bound[at as usize];
        std::iter::successors(self.site.scope.innermost, move |at| of(*at).outer).map(move |at| &*of(at).name)
    }
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind of problem it is.
    pub code: Code,
    /// Where, in bytes from the start of the expression. Nothing: the expression as a whole.
    pub offset: Option<usize>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// Whether to go on with the next expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proceed {
    /// Go on.
    Yes,
    /// The rest is not checked, for this reason; a warning says so.
    No(&'static str),
}

impl Locations {
    /// How many expressions there are to check.
    pub fn expressions(&self) -> usize {
        self.expressions.sites.len()
    }

    /// Has every expression of the definition checked by someone who knows its language, and returns what is wrong as
    /// errors, in the order in which it stands. `document` is the text that was parsed. The check adds its faults to a list, and
    /// says whether it wants to go on; it is not asked about more than some hundred faulty expressions.
    pub fn check_expressions(
        &self,
        document: &str,
        mut check: impl FnMut(ExpressionSite<'_>, &mut Vec<Fault>) -> Proceed,
    ) -> Vec<Diagnostic> {
        let Expressions { sites, bound, omitted, .. } = &self.expressions;
        let everywhere: HashSet<&str> = bound.iter().map(|binding| &*binding.name).chain(["error"]).collect();
        let mut problems = Problems::default();
        let mut faults = Vec::new();
        let mut found = 0;
        let mut unchecked = (*omitted > 0).then_some((sites.last(), "there are too many expressions"));
        for (index, site) in sites.iter().enumerate() {
            let proceed = check(ExpressionSite { site, bound, everywhere: &everywhere }, &mut faults);
            found += faults.len();
            for Fault { code, offset, message, help } in faults.drain(..) {
                let place = self.place_in(site, offset, document);
                problems.add(Severity::Error, code, place, || self.wording(site, message, help));
            }
            let reason = match proceed {
                Proceed::No(reason) => Some(reason),
                Proceed::Yes if found > 2 * MAX_LISTED => Some("so many others are wrong"),
                Proceed::Yes => None,
            };
            if let (Some(reason), Some(next)) = (reason, sites.get(index + 1)) {
                unchecked = Some((Some(next), reason));
                break;
            }
        }
        if let Some((Some(site), reason)) = unchecked {
            let place = self.place_in(site, None, document);
            problems.add(Severity::Warning, Code::ExpressionsNotChecked, place, || {
                let message = format!("Some expressions from here on were not checked, as {reason}.");
                self.wording(site, message, "They are checked when they are evaluated.".into())
            });
        }
        problems.finish()
    }

    fn wording(&self, site: &Site, message: String, help: String) -> Wording {
        let pointer = pointer(&self.tree, &self.expressions.steps, site.path);
        Wording { pointer, message, help, related: None }
    }

    /// Where a byte of an expression stands in the document; the expression as a whole, if it is not known which.
    fn place_in(&self, site: &Site, offset: Option<usize>, document: &str) -> Place {
        let scalar = self.tree.node(site.node).place;
        let (before, behind) = match offset.and_then(|at| site.source.split_at_checked(at)) {
            Some((before, behind)) => (before, word(behind)),
            None => ("", &*site.source),
        };
        place_inside(scalar, document, site.before as usize + solid(before), solid(behind))
    }
}

/// What is pointed at: a word with what belongs to it, or one character.
fn word(text: &str) -> &str {
    let mut characters = text.char_indices();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    match characters.next() {
        None => "",
        Some((_, c)) if is_word(c) || matches!(c, '$' | '@') => {
            let end = characters.find(|(_, c)| !is_word(*c)).map_or(text.len(), |(at, _)| at);
            &text[..end]
        }
        Some((_, c)) => &text[..c.len_utf8()],
    }
}
