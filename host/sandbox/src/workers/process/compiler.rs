//! A process that compiles one component, and then ends.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;

use super::{Confined, run};
use crate::MAX_COMPONENT_SIZE;
use crate::in_process::compile;
use crate::workers::confinement::Purpose;
use crate::workers::files;
use crate::workers::wire::{Incoming, ToHost, ToWorker};

/// All of a process that compiles a component: what `main` of a program calls that [`Workers`](crate::Workers)
/// starts. Standard input is the socket.
pub fn compiler_main() -> ExitCode {
    run(Purpose::Compiler, serve)
}

/// One message with two files: the component, and where what it becomes is written to.
async fn serve(Confined { socket, .. }: Confined) -> io::Result<()> {
    let (mut incoming, mut files) = (Incoming::default(), VecDeque::new());
    loop {
        match incoming.next().map_err(io::Error::other)? {
            Some(ToWorker::Load { .. }) => break,
            Some(_) => return Err(io::Error::other("the host says what a compiler does not know")),
            None if socket.read_with(&mut incoming, &mut files).await? => {}
            None => return Ok(()),
        }
    }
    let (Some(component), Some(artifact)) = (files.pop_front(), files.pop_front()) else {
        return Err(io::Error::other("the component came without its files"));
    };
    let bytes = files::read(&File::from(component), MAX_COMPONENT_SIZE)?;
    let refusal = match compile::compile(&bytes) {
        Ok(compiled) => {
            File::from(artifact).write_all(&compiled)?;
            None
        }
        Err(refusal) => Some(serde_json::to_string(&refusal).map_err(io::Error::other)?),
    };
    socket.send(&ToHost::Compiled { refusal }).map_err(io::Error::other)?;
    Ok(())
}
