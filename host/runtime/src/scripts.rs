//! `run: script`: the interpreter of each language, and how a script gets there.
//!
//! An interpreter is a component like any other, with the contract of a task, so that a script has a fresh cell and the bounds
//! of every call. It takes `{code, name, arguments, environment, stdin, limit}` and returns `{code, stdout, stderr}`,
//! and `returned` if the script returned something.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hotcell_definition::{ErrorKind, Problem};
use hotcell_expression::Data;
use hotcell_machine::ScriptLanguage;
use hotcell_sandbox::{Cells, Digest};
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use crate::documents::Documents;
use crate::files;

/// Part of the binary: QuickJS-ng, from `guest-sdk/builtin/javascript`.
const JAVASCRIPT: &[u8] = include_bytes!("../builtin/javascript.wasm");

/// The file with the Python interpreter, in the folder of runtimes.
const PYTHON: &str = "python.wasm";

/// The interpreters, each prepared when the first script needs it.
#[derive(Debug, Default)]
pub(crate) struct Interpreters {
    folder: Option<PathBuf>,
    javascript: OnceCell<Digest>,
    python: OnceCell<Digest>,
}

impl Interpreters {
    /// Interpreters that are not part of the binary are found in this folder.
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Interpreters { folder, ..Interpreters::default() }
    }

    /// Prepares the interpreter of a language, unless that has been done.
    ///
    /// # Errors
    /// It is not there; the problem says how to get it.
    pub(crate) async fn prepare(&self, language: ScriptLanguage, cells: &dyn Cells) -> Result<Digest, Problem> {
        let prepared = match language {
            ScriptLanguage::JavaScript => &self.javascript,
            ScriptLanguage::Python => &self.python,
        };
        let digest = prepared.get_or_try_init(async || {
            let component = match language {
                ScriptLanguage::JavaScript => JAVASCRIPT.into(),
                ScriptLanguage::Python => self.read(PYTHON, language).await?,
            };
            cells.prepare(component).await.map_err(|error| unavailable(language, &error.to_string()))
        });
        digest.await.copied()
    }

    async fn read(&self, file: &str, language: ScriptLanguage) -> Result<Arc<[u8]>, Problem> {
        let Some(folder) = &self.folder else {
            return Err(unavailable(language, "there is no folder of runtimes; set HOTCELL_RUNTIMES to one"));
        };
        let path = folder.join(file);
        let at = path.display().to_string();
        files::read(path).await.map_err(|reason| {
            let advice = format!(
                "{at}: {reason}; build it with `scripts/runtimes python`, or set HOTCELL_RUNTIMES to the folder that holds it"
            );
            unavailable(language, &advice)
        })
    }
}

fn unavailable(language: ScriptLanguage, reason: &str) -> Problem {
    let detail = format!("the {language} interpreter is not available: {reason}");
    Problem::new(ErrorKind::Configuration, "Script interpreter", detail)
}

/// What the interpreter is given, from what the machine knows of the script. `folder` is that of the definition.
pub(crate) async fn given(
    language: ScriptLanguage,
    script: &Data,
    folder: &Path,
    documents: &Documents,
    limit: usize,
) -> Result<Arc<str>, Problem> {
    let mut given: Map<String, Value> = script.value().as_object().cloned().unwrap_or_default();
    let mut name = match language {
        ScriptLanguage::JavaScript => "script.js".to_owned(),
        ScriptLanguage::Python => "script.py".to_owned(),
    };
    let authentication = given.shift_remove("authentication");
    if let Some(Value::String(source)) = given.shift_remove("source") {
        given.insert("code".into(), Value::String(fetch(&source, authentication, folder, documents).await?));
        if let Some((_, last)) = source.rsplit_once('/').or(Some(("", &source))).filter(|(_, last)| !last.is_empty()) {
            last.clone_into(&mut name);
        }
    }
    given.insert("name".into(), json!(name));
    given.insert("limit".into(), json!(limit));
    Ok(Value::Object(given).to_string().into())
}

/// The text of a script that stands elsewhere: in a file, by a path relative to the definition, or at a URL of a host that the
/// operator allows.
async fn fetch(
    source: &str,
    authentication: Option<Value>,
    folder: &Path,
    documents: &Documents,
) -> Result<String, Problem> {
    let refused = |reason: &str| {
        let detail = format!("{source}: {reason}");
        Problem::new(ErrorKind::Configuration, "Script not available", detail)
    };
    let bytes = if source.contains("://") {
        // What stands behind the path may be secret.
        let shown = source.split(['?', '#']).next().unwrap_or_default();
        let fetched = documents.fetch(source, authentication).await;
        fetched.map_err(|problem| Problem {
            detail: problem.detail.map(|detail| format!("{shown}: {detail}")),
            ..problem
        })?
    } else {
        let path = files::locate(folder, source).ok_or_else(|| {
            refused("this is not a path within the folder of the definition, such as `scripts/report.js`")
        })?;
        files::read_within(folder, path, files::MAX_BYTES).await.map_err(|reason| refused(&reason))?
    };
    String::from_utf8(bytes).map_err(|_| refused("this is not a text in UTF-8"))
}
