//! `hotcell graph`

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use hotcell_definition::Definition;

use crate::arguments::{GraphCommand, GraphFormat};
use crate::say::{read_enough, say, say_text};
use crate::{diagnostics, document, exit};

/// Draws a definition, to a file or to standard output.
pub(crate) fn graph(command: &GraphCommand) -> anyhow::Result<ExitCode> {
    let bytes = document::read(&command.file)?;
    let parsed = match Definition::parse(&bytes) {
        Ok(parsed) => parsed,
        Err(refused) => {
            let source = String::from_utf8_lossy(&bytes);
            say_text(&diagnostics::render(&command.file.display().to_string(), &source, &refused.diagnostics));
            return Ok(ExitCode::from(exit::REFUSED));
        }
    };
    let svg = command.output.as_ref().is_some_and(|file| file.extension().is_some_and(|extension| extension == "svg"));
    let drawing = match command.format {
        Some(GraphFormat::Svg) => hotcell_graph::svg(&parsed.definition),
        None if svg => hotcell_graph::svg(&parsed.definition),
        Some(GraphFormat::Mermaid) | None => hotcell_graph::mermaid(&parsed.definition),
    };
    if drawing.omitted > 0 {
        say(format_args!(
            "{} tasks are drawn, {} are not: a picture has at most {} of them",
            drawing.drawn,
            drawing.omitted,
            hotcell_graph::MAX_DRAWN
        ));
    }
    match &command.output {
        Some(file) => {
            std::fs::write(file, drawing.text).with_context(|| format!("could not write {}", file.display()))?;
        }
        None => {
            let mut stdout = std::io::stdout().lock();
            let written = stdout.write_all(drawing.text.as_bytes()).and_then(|()| stdout.flush());
            read_enough(written).context("could not write the drawing")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
