//! A task for tests: a WASI command, without an SDK. Adds up `{"numbers": [1, 2]}`.

use std::io::{self, Read};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Input {
    numbers: Vec<f64>,
}

#[derive(Serialize)]
struct Tally {
    sum: f64,
    count: usize,
    arguments: usize,
    variables: usize,
}

fn main() -> ExitCode {
    let mut text = String::new();
    if let Err(error) = io::stdin().read_to_string(&mut text) {
        eprintln!("cannot read the input: {error}");
        return ExitCode::from(1);
    }
    match serde_json::from_str::<Input>(&text) {
        Ok(Input { numbers }) => {
            eprintln!("adding {} numbers", numbers.len());
            let tally = Tally {
                sum: numbers.iter().sum(),
                count: numbers.len(),
                arguments: std::env::args().count(),
                variables: std::env::vars().count(),
            };
            match serde_json::to_string(&tally) {
                Ok(text) => println!("{text}"),
                Err(error) => eprintln!("{error}"),
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("the input is no tally: {error}");
            ExitCode::from(3)
        }
    }
}
