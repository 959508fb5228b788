//! `hotcell doctor`

use std::process::ExitCode;

use anyhow::Context;
use hotcell_sandbox::{Workers, WorkersOptions};

use crate::drawing::printable;
use crate::exit;

/// Starts a worker as `hotcell run --workers` does, and prints what it says of its confinement.
pub(crate) async fn doctor() -> anyhow::Result<ExitCode> {
    let workers = Workers::start(WorkersOptions::new(1)).await.context("workers")?;
    let (mut report, mut missing) = (String::new(), 0);
    for measure in workers.measures() {
        let state = if measure.is_on() { "on     " } else { "MISSING" };
        report += &format!("{state}  {:<13} against {}\n", measure.name, measure.purpose);
        if let Some(reason) = &measure.missing {
            missing += 1;
            report += &format!("                        {reason}\n");
        }
    }
    print!("{}", printable(&report));
    match missing {
        0 => println!("worker processes are confined by all of it"),
        _ => println!("worker processes are confined by what is on; the rest is not there on this machine"),
    }
    Ok(if missing == 0 { ExitCode::SUCCESS } else { ExitCode::from(exit::FAULTED) })
}
