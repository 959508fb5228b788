//! Compiling components that nobody knows, each in a process of its own.

use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::confinement::{COMPILE_MEMORY, COMPILE_SECONDS};
use super::wire::{Incoming, ToHost, ToWorker};
use super::{WorkerProgram, files, keeper};
use crate::artifacts::Artifacts;
use crate::{ComponentError, Digest};

/// How long compiling may take by the clock on the wall: on a machine that does other things, longer than by its own.
const WALL_TIME: Duration = Duration::from_secs(90);
/// How many threads compile one component. Each takes address space, which is bounded.
const THREADS: &str = "4";
/// The largest thing that a component may be compiled to.
const MAX_ARTIFACT: usize = 512 << 20;

/// What compiles components, and remembers what it compiled.
pub(super) struct Compiler {
    program: WorkerProgram,
    artifacts: Option<Artifacts>,
    turns: Semaphore,
}

impl Compiler {
    pub(super) fn new(program: WorkerProgram, artifacts: Option<Artifacts>, compilers: usize) -> Self {
        Compiler { program, artifacts, turns: Semaphore::new(compilers.max(1)) }
    }

    /// What the component is compiled to: from the cache, or from a process that compiles it now.
    pub(super) async fn artifact(&self, digest: &Digest, bytes: &[u8]) -> Result<File, ComponentError> {
        if let Some(artifact) = self.artifacts.as_ref().and_then(|artifacts| artifacts.read(digest)) {
            return files::with(&artifact).map_err(|error| internal(&error));
        }
        let _turn = self.turns.acquire().await.expect("the semaphore is never closed");
        let artifact = self.compile(digest, bytes).await?;
        if let Some(artifacts) = &self.artifacts {
            let bytes = files::read(&artifact, MAX_ARTIFACT).map_err(|error| internal(&error))?;
            artifacts.keep(digest, &bytes);
        }
        Ok(artifact)
    }

    async fn compile(&self, digest: &Digest, bytes: &[u8]) -> Result<File, ComponentError> {
        let failed = |error: io::Error| internal(&error);
        let component = files::with(bytes).map_err(failed)?;
        let artifact = files::create().map_err(failed)?;
        let given = vec![component.into(), artifact.try_clone().map_err(failed)?.into()];
        let environment = [("RAYON_NUM_THREADS", THREADS)];
        let (mut child, socket) = keeper::spawn(&self.program, &self.program.compiler, &environment).map_err(failed)?;
        socket.send_with(&ToWorker::Load { component: *digest }, given).map_err(|error| internal(&error))?;
        let mut incoming = Incoming::default();
        let answer = async {
            loop {
                match incoming.next() {
                    Ok(Some(ToHost::Compiled { refusal })) => return Some(refusal),
                    Ok(None) if socket.read(&mut incoming).await.is_ok_and(|more| more) => {}
                    _ => return None,
                }
            }
        };
        let answer = tokio::time::timeout(WALL_TIME, answer).await;
        // It ends by itself after its answer; whatever it does instead, nothing writes to the file any more.
        let _ = child.start_kill();
        let status = child.wait().await.map_err(failed)?;
        match answer {
            Err(_) => Err(ComponentError::CompileLimit { what: format!("more than {} s", WALL_TIME.as_secs()) }),
            Ok(None) => Err(ended(status)),
            Ok(Some(Some(refusal))) => match serde_json::from_str(&refusal) {
                Ok(refusal) => Err(refusal),
                Err(error) => Err(internal(&error)),
            },
            Ok(Some(None)) => {
                files::seal(&artifact).map_err(failed)?;
                Ok(artifact)
            }
        }
    }
}

/// Why a compiler ended without an answer.
fn ended(status: std::process::ExitStatus) -> ComponentError {
    let what = match status.signal() {
        Some(libc::SIGXCPU) => format!("more than {COMPILE_SECONDS} s of processor time"),
        // What allocators do when they get no memory. At the hard limit of processor time it is SIGKILL.
        Some(libc::SIGABRT | libc::SIGSEGV) => format!("more than {} GiB of memory", COMPILE_MEMORY >> 30),
        Some(libc::SIGKILL) => format!("more than {COMPILE_SECONDS} s of processor time, or more memory than there is"),
        _ => return ComponentError::Internal { reason: format!("the compiler ended with {status}") },
    };
    ComponentError::CompileLimit { what }
}

fn internal(error: &dyn std::fmt::Display) -> ComponentError {
    ComponentError::Internal { reason: format!("the compiler failed: {error}") }
}

/// What compilers write into, as everybody reads it who gets it.
pub(crate) fn read_artifact(artifact: &File) -> io::Result<Vec<u8>> {
    files::read(artifact, MAX_ARTIFACT)
}
