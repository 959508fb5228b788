//! A task for tests: prints to its standard output and error, as a task with WASI can, and returns how many bytes that were.

use serde::Deserialize;

#[derive(Deserialize)]
struct Print {
    #[serde(default)]
    stdout: String,
    #[serde(default)]
    stderr: String,
    /// How often both are printed.
    #[serde(default = "once")]
    times: u32,
}

fn once() -> u32 {
    1
}

#[hotcell::task]
fn print(print: Print) -> usize {
    for _ in 0..print.times {
        println!("{}", print.stdout);
        eprintln!("{}", print.stderr);
    }
    // Each with its line feed.
    print.times as usize * (print.stdout.len() + print.stderr.len() + 2)
}
