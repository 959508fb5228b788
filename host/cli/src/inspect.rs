//! `hotcell component inspect`

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use hotcell_sandbox::{ExportedFunction, Form, Inspection, Kind, MAX_COMPONENT_SIZE};

use crate::arguments::InspectCommand;
use crate::drawing::printable;
use crate::say::read_enough;

/// Shows what is in a component.
pub(crate) fn inspect(command: &InspectCommand) -> anyhow::Result<ExitCode> {
    let bytes = read(&command.file)?;
    let inspection = hotcell_sandbox::inspect(&bytes).with_context(|| command.file.display().to_string())?;
    let text = match command.json {
        true => format!("{}\n", serde_json::to_string_pretty(&inspection)?),
        false => text(&command.file, &inspection),
    };
    read_enough(io::stdout().write_all(text.as_bytes())).context("could not write what was found")?;
    Ok(ExitCode::SUCCESS)
}

/// The bytes of a component: of a file, not of a pipe without end.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let at = || path.display().to_string();
    if !std::fs::metadata(path).with_context(at)?.is_file() {
        bail!("{}: this is not a file", path.display());
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).with_context(at)?;
    file.take(MAX_COMPONENT_SIZE as u64 + 1).read_to_end(&mut bytes).with_context(at)?;
    Ok(bytes)
}

fn text(file: &Path, inspection: &Inspection) -> String {
    let mut text = String::new();
    let form = match inspection.form {
        Form::Component => "a component",
        Form::Module => "a core module, of which a component is made",
    };
    let _ = writeln!(text, "{}: {form}, {} bytes", printable(&file.display().to_string()), inspection.size);
    let _ = writeln!(text, "{}", inspection.digest);
    let _ = writeln!(text, "\nexports");
    for export in &inspection.exports {
        show(&mut text, file, inspection, export);
    }
    if inspection.exports.is_empty() {
        let _ = writeln!(text, "  no function: it cannot be called");
    }
    let _ = writeln!(text, "\nimports");
    for import in &inspection.imports {
        let given = if import.given { "granted" } else { "denied " };
        let _ = writeln!(text, "  {given}  {}", printable(&import.name));
    }
    if inspection.imports.is_empty() {
        let _ = writeln!(text, "  nothing");
    }
    text
}

/// A function, and how it is called.
fn show(text: &mut String, file: &Path, inspection: &Inspection, export: &ExportedFunction) {
    let is_default = inspection.default.as_ref() == Some(&export.name);
    let kind = match export.kind {
        Kind::Handler => "task handler",
        Kind::Command => "WASI command",
        Kind::Function => "function",
    };
    let default = if is_default { ", called by default" } else { "" };
    let _ = writeln!(text, "  {}  ({kind}{default})", printable(&export.name));
    let _ = writeln!(text, "    {}", printable(&export.signature));
    if let Some(reason) = &export.not_callable {
        let _ = writeln!(text, "    cannot be called: {}", printable(reason));
        return;
    }
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    // JSON is YAML, and says of itself where a text ends.
    let quoted = |value: &str| serde_json::Value::from(value).to_string();
    let _ = writeln!(text, "    call: wasm");
    let _ = writeln!(text, "    with:");
    let _ = writeln!(text, "      component: {}", printable(&quoted(&name)));
    if !is_default {
        let _ = writeln!(text, "      export: {}", printable(&quoted(&export.name)));
    }
    if let Some(example) = &export.example {
        let _ = writeln!(text, "      input: {}", printable(&example.to_string()));
    }
}
