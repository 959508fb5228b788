//! Collects the problems of one document, in bounded memory.

use crate::{Code, Diagnostic, Place, Related, Severity};

/// How many errors, and how many warnings, are listed at most. A hostile document has a problem in every byte.
pub const MAX_LISTED: usize = 100;

/// How many problems are worded at most; beyond, they are only counted. Bounds the time that goes into texts of
/// which [`MAX_LISTED`] remain.
const MAX_WORDED: usize = 2_000;

/// The longest piece of a document that a message repeats, in characters.
const MAX_QUOTED: usize = 60;

/// What a problem says, made only if it is going to be listed.
pub(crate) struct Wording {
    pub(crate) pointer: String,
    pub(crate) message: String,
    pub(crate) help: String,
    pub(crate) related: Option<Related>,
}

/// The problems of one document: those that stand first, and how many there are.
#[derive(Default)]
pub(crate) struct Problems {
    errors: Kept,
    warnings: Kept,
}

#[derive(Default)]
struct Kept {
    listed: Vec<Diagnostic>,
    found: usize,
}

impl Problems {
    pub(crate) fn add(&mut self, severity: Severity, code: Code, place: Place, wording: impl FnOnce() -> Wording) {
        match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        }
        .add(severity, code, place, wording);
    }

    /// Whether there is an error among them.
    pub(crate) fn refuse(&self) -> bool {
        self.errors.found > 0
    }

    /// All of them in the order in which they stand, and a note if some are left out.
    pub(crate) fn finish(self) -> Vec<Diagnostic> {
        let omitted = self.errors.omitted() + self.warnings.omitted();
        let severity = if self.errors.omitted() > 0 { Severity::Error } else { Severity::Warning };
        let mut all = self.errors.listed;
        all.extend(self.warnings.listed);
        all.sort_by_key(|diagnostic| diagnostic.place.offset);
        if let (Some(last), 1..) = (all.last(), omitted) {
            all.push(Diagnostic {
                severity,
                code: Code::MoreProblems,
                pointer: String::new(),
                place: last.place,
                message: format!("{omitted} more problems are not listed."),
                help: "Solve those above first; some of the others may go with them.".into(),
                related: None,
            });
        }
        all
    }
}

impl Kept {
    fn add(&mut self, severity: Severity, code: Code, place: Place, wording: impl FnOnce() -> Wording) {
        self.found += 1;
        if self.found > MAX_WORDED {
            return;
        }
        let last = if self.listed.len() < MAX_LISTED {
            None
        } else {
            self.listed.iter().enumerate().max_by_key(|(_, listed)| listed.place.offset).map(|(at, _)| at)
        };
        if last.is_some_and(|last| self.listed[last].place.offset <= place.offset) {
            return;
        }
        let Wording { pointer, message, help, related } = wording();
        let diagnostic = Diagnostic { severity, code, pointer, place, message, help, related };
        match last {
            Some(last) => self.listed[last] = diagnostic,
            None => self.listed.push(diagnostic),
        }
    }

    fn omitted(&self) -> usize {
        self.found - self.listed.len()
    }
}

/// A piece of a document as messages repeat it: on one line, cut after `MAX_QUOTED` characters.
pub fn quote(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_QUOTED).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(MAX_QUOTED).is_some() {
        shown.push('…');
    }
    shown
}

/// The candidate that is most like a name, if one is like it at all. Looks at the first few hundred candidates
/// only, as a hostile document has many.
pub fn similar<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if name.len() > 64 {
        return None;
    }
    candidates
        .into_iter()
        .take(300)
        .filter(|candidate| candidate.len() <= 64)
        .map(|candidate| (strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(name.len()).div_ceil(3).min(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
