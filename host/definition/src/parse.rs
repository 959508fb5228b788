//! From bytes to a definition, or to everything that is wrong with them.

use std::sync::Arc;

use serde_json::Value;

use crate::decode;
use crate::locations::Locations;
use crate::problems::Problems;
use crate::reader::{Component, Reader};
use crate::yaml;
use crate::{Definition, Diagnostic, EvaluationMode, Severity, Task};

/// What came out of a document that is valid.
#[derive(Debug)]
pub struct Parsed {
    /// The definition.
    pub definition: Definition,
    /// What its author should know, in the order in which it stands. At most [`MAX_LISTED`](crate::MAX_LISTED), and
    /// one more that says how many there are besides.
    pub warnings: Vec<Diagnostic>,
    /// Where each value of the definition stood.
    pub locations: Locations,
}

/// A document that is not valid: everything that is wrong with it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the workflow definition is not valid: {}", self.summary())]
pub struct Refused {
    /// Errors, at least one, and warnings, in the order in which they stand. At most
    /// [`MAX_LISTED`](crate::MAX_LISTED) of both, and one more that says how many there are besides.
    pub diagnostics: Vec<Diagnostic>,
    /// What could be read of it all the same. Nothing if it is neither YAML nor JSON, or no workflow was looked for.
    pub draft: Option<Arc<Draft>>,
}

/// What could be read of a definition that is not valid: enough to check its expressions and its schemas, so that its
/// author hears of everything at once.
#[derive(Debug)]
pub struct Draft {
    locations: Locations,
    source: Value,
    secrets: Vec<String>,
    mode: EvaluationMode,
}

/// A document whose expressions and schemas can be checked, whether it is valid or not.
pub trait Checkable {
    /// Where each value stood, with the expressions and the schemas that were read.
    fn locations(&self) -> &Locations;
    /// The document as data.
    fn source(&self) -> &Value;
    /// The secrets that it declares.
    fn secrets(&self) -> &[String];
    /// How its expressions are recognised.
    fn mode(&self) -> EvaluationMode;
}

impl Checkable for Parsed {
    fn locations(&self) -> &Locations {
        &self.locations
    }

    fn source(&self) -> &Value {
        &self.definition.source
    }

    fn secrets(&self) -> &[String] {
        &self.definition.components.secrets
    }

    fn mode(&self) -> EvaluationMode {
        self.definition.evaluate.mode
    }
}

impl Checkable for Draft {
    fn locations(&self) -> &Locations {
        &self.locations
    }

    fn source(&self) -> &Value {
        &self.source
    }

    fn secrets(&self) -> &[String] {
        &self.secrets
    }

    fn mode(&self) -> EvaluationMode {
        self.mode
    }
}

impl Refused {
    /// A document of which nothing but its problems is known.
    pub fn new(diagnostics: Vec<Diagnostic>) -> Self {
        Refused { diagnostics, draft: None }
    }

    /// The first error, and how many more there are.
    fn summary(&self) -> String {
        let mut errors = self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        let first = errors.next().map(ToString::to_string).unwrap_or_default();
        match errors.count() {
            0 => first,
            more => format!("{first}, and {more} more"),
        }
    }
}

/// Reads data in YAML 1.2 or JSON, within the same bounds as a definition.
///
/// # Errors
/// Why it is neither.
pub fn parse_data(document: &[u8]) -> Result<Value, Refused> {
    parse_located_data(document).map(|(value, _)| value)
}

/// The same, with where each value stood: for documents of other kinds, whose readers point at what is wrong in them.
///
/// # Errors
/// Why it is neither.
pub fn parse_located_data(document: &[u8]) -> Result<(Value, Locations), Refused> {
    let mut problems = Problems::default();
    let Some((text, tree)) = yaml::read(document, &mut problems) else {
        return Err(Refused::new(problems.finish()));
    };
    let reader = Reader::new(text, &tree, problems);
    let value = reader.root().value();
    match reader.finish() {
        (problems, _) if problems.refuse() => Err(Refused::new(problems.finish())),
        (_, expressions) => Ok((value, Locations::new(tree, expressions))),
    }
}

impl Task {
    /// Reads and validates the document of a function: one task, in YAML 1.2 or JSON ("Creating a Custom Function" in
    /// `dsl.md`). It has no `use`, so that it can name nothing that stands there.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(document: &[u8]) -> Result<Task, Refused> {
        let mut problems = Problems::default();
        let Some((text, tree)) = yaml::read(document, &mut problems) else {
            return Err(Refused::new(problems.finish()));
        };
        let reader = Reader::new(text, &tree, problems);
        let task = decode::function(reader.root());
        match (task, reader.finish().0) {
            (Some(task), problems) if !problems.refuse() => Ok(task),
            (_, problems) => Err(Refused::new(problems.finish())),
        }
    }
}

impl Definition {
    /// Reads and validates a document in YAML 1.2 or JSON.
    ///
    /// Takes time and memory in proportion to the size of the document, whatever it holds; [`MAX_DOCUMENT_BYTES`](
    /// crate::MAX_DOCUMENT_BYTES) and its neighbours bound both.
    ///
    /// # Errors
    /// Everything that is wrong with the document. A syntax error, and a document beyond a bound, end the search for
    /// more.
    ///
    /// # Example
    /// ```
    /// use hotcell_definition::Definition;
    ///
    /// let text = "
    /// document: { dsl: '1.0.3', namespace: shop, name: greet, version: '1.0.0' }
    /// do:
    ///   - greet:
    ///       set: { greeting: 'Hello ${ .name }!' }
    ///       than: end
    /// ";
    /// let refused = Definition::parse(text.as_bytes()).unwrap_err();
    /// let problem = &refused.diagnostics[0];
    /// assert_eq!(problem.code.as_str(), "unknown-field");
    /// assert_eq!((problem.place.line, problem.place.column), (6, 7));
    /// assert_eq!(problem.help, "Did you mean `then`?");
    /// ```
    pub fn parse(document: &[u8]) -> Result<Parsed, Refused> {
        let mut problems = Problems::default();
        let Some((text, tree)) = yaml::read(document, &mut problems) else {
            return Err(Refused::new(problems.finish()));
        };
        let reader = Reader::new(text, &tree, problems);
        let root = reader.root();
        let definition = decode::definition(root);
        let secrets: Vec<String> = root.names(Component::Secret).iter().map(ToString::to_string).collect();
        let mode = root.evaluation_mode();
        let (problems, expressions) = reader.finish();
        match definition {
            Some(definition) if !problems.refuse() => {
                Ok(Parsed { definition, warnings: problems.finish(), locations: Locations::new(tree, expressions) })
            }
            _ => {
                let source = tree.value(tree.root);
                let locations = Locations::new(tree, expressions);
                let draft = Some(Arc::new(Draft { locations, source, secrets, mode }));
                Err(Refused { diagnostics: problems.finish(), draft })
            }
        }
    }
}
