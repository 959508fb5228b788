//! `hotcell-componentize [--module] IN.wasm OUT.wasm`: the last step of building a guest.
//!
//! A compiler leaves one of three things: a component (target `wasm32-wasip2`), which is taken as it is; a core module that
//! carries the component's type in a custom section (`wasm32-unknown-unknown`), which is wrapped into a component; or such a
//! module that also calls WASI preview 1 (`wasm32-wasip1`), which gets the adapter that makes WASI 0.2 of these calls. With
//! `--module`, a core module stays one. Whatever comes out is validated before it is written, and described on stdout: its
//! size, what it imports and what it exports.

mod describe;
mod make;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

const USAGE: &str = "usage: hotcell-componentize [--module] IN.wasm OUT.wasm";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hotcell-componentize: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut shape = make::Shape::Component;
    let mut paths = Vec::new();
    for argument in std::env::args_os().skip(1) {
        match argument.to_str() {
            Some("--module") => shape = make::Shape::Module,
            Some(option) if option.starts_with('-') => bail!("there is no option {option}; {USAGE}"),
            _ => paths.push(PathBuf::from(argument)),
        }
    }
    let [input, output] = paths.as_slice() else { bail!(USAGE) };

    let built = std::fs::read(input).with_context(|| format!("cannot read {}", input.display()))?;
    let made = make::make(&built, shape).with_context(|| format!("{} does not become a guest", input.display()))?;
    let description = describe::describe(&made).with_context(|| format!("{} is not valid", output.display()))?;
    std::fs::write(output, &made).with_context(|| format!("cannot write {}", output.display()))?;
    print!("{description}");
    Ok(())
}
