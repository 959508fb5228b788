//! Runs JavaScript in a cell: QuickJS-ng, and around it what a script expects to find.
//!
//! The input is a [`Script`], the output is how it [`Ended`]. What the script writes goes to the standard output and error of
//! the cell at once, so that it is seen live, and is collected for the end.

mod interpreter;
mod modules;
mod streams;

use hotcell::Problem;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A script, and what it is given.
#[derive(Debug, Clone, Deserialize)]
pub struct Script {
    /// Its text.
    pub code: String,
    /// What it is called in stack traces and `process.argv`. Default: `script.js`.
    #[serde(default = "default_name")]
    pub name: String,
    /// A list of texts, or an object whose members become variables.
    #[serde(default)]
    pub arguments: Value,
    /// `process.env`.
    #[serde(default)]
    pub environment: Map<String, Value>,
    /// What it reads from its standard input.
    #[serde(default)]
    pub stdin: String,
    /// How many bytes it may write to stdout and stderr together. Default: 8 MiB.
    #[serde(default = "default_limit")]
    pub limit: usize,
}

/// How a script ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// What it wrote to its standard output.
    pub stdout: String,
    /// What it wrote to its standard error.
    pub stderr: String,
    /// What a `return` outside of all functions returned, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<Value>,
}

fn default_name() -> String {
    "script.js".into()
}

fn default_limit() -> usize {
    8 << 20
}

/// Runs a script to its end: until it, its promises and its timers are through, or it exits.
///
/// # Errors
/// If the script wrote more than it may, or ran out of memory. Anything else that goes wrong in it is an exit code.
#[hotcell::task]
pub fn javascript(script: Script) -> Result<Ended, Problem> {
    interpreter::run(&script)
}

#[cfg(test)]
mod tests;
