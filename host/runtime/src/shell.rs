//! `run: shell`, where the operator allows it: a command of the host's shell, outside of any cell.
//!
//! What a cell bounds by its nature is bounded here from the outside: the time, what it writes, and that nothing of it goes on
//! when the call is over. Its memory, its CPU time, and what it reads, changes and reaches are not; that is what the operator
//! agreed to.

use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hotcell_definition::{ErrorKind, Problem};
use hotcell_expression::Data;
use hotcell_sandbox::{CallLimits, Host, LogOutput, Logs};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// What a command finds of hotcell's own environment. The rest, where secrets may stand, is kept from it.
const INHERITED: [&str; 9] = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SHELL"];

/// How long what a command wrote is waited for once it has ended: something that left its group may hold the pipes open.
const DRAIN: Duration = Duration::from_secs(1);

/// Runs a command to its end. Dropping the future kills it, with all that it started.
pub(crate) async fn run(given: &Data, folder: &Path, limits: CallLimits, host: Arc<dyn Host>) -> Result<Data, Problem> {
    let failed = |what: &str, error: std::io::Error| {
        Problem::new(ErrorKind::Runtime, "Command failed", format!("the command {what}: {error}"))
    };
    let mut child = command(given.value(), folder).spawn().map_err(|error| failed("could not be started", error))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let group = Arc::new(Group::of(&child));
    let _killed_when_dropped = KillOnDrop(Arc::clone(&group));

    let written = Arc::new(Written::new(Logs::new(host, limits.log_bytes), limits.payload, Arc::clone(&group)));
    let input = given.value()["stdin"].as_str().unwrap_or_default().to_owned();
    // A command need not read what it is given.
    std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
    let mut drained = Vec::new();
    for (pipe, output) in [(stdout.map(boxed), LogOutput::Stdout), (stderr.map(boxed), LogOutput::Stderr)] {
        let (done, end) = oneshot::channel::<()>();
        drained.push(end);
        let written = Arc::clone(&written);
        std::thread::spawn(move || {
            if let Some(pipe) = pipe {
                written.read(output, pipe);
            }
            drop(done);
        });
    }

    let waiting = tokio::task::spawn_blocking(move || group.wait(child));
    let status = match tokio::time::timeout(limits.wall_time, waiting).await {
        Ok(status) => status.unwrap_or_else(|error| Err(error.into())).map_err(|error| failed("was lost", error))?,
        Err(_) => {
            let detail = format!("the command did not end within {:?} and was killed", limits.wall_time);
            return Err(Problem::new(ErrorKind::Timeout, "Timeout", detail));
        }
    };
    let _ = tokio::time::timeout(DRAIN, futures::future::join_all(drained)).await;
    written.ended(status, limits.payload)
}

fn command(given: &Value, folder: &Path) -> Command {
    let mut command = Command::new("sh");
    // Behind the command stands what it is called itself, and then its arguments: `$1`, `$2`, …
    command.arg("-c").arg(given["command"].as_str().unwrap_or_default()).arg("sh");
    command.args(given["arguments"].as_array().into_iter().flatten().filter_map(Value::as_str));
    command.env_clear();
    command.envs(INHERITED.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
    let environment = given["environment"].as_object().into_iter().flatten();
    command.envs(environment.filter_map(|(name, value)| value.as_str().map(|value| (name, value))));
    command.current_dir(folder).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn boxed(pipe: impl Read + Send + 'static) -> Box<dyn Read + Send> {
    Box::new(pipe)
}

/// The processes of a command, as long as their leader has not been waited for: after that its number may be another's.
struct Group(Mutex<Option<Pid>>);

impl Group {
    fn of(child: &Child) -> Self {
        Group(Mutex::new(Some(Pid::from_child(child))))
    }

    fn kill(&self) {
        if let Some(leader) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // It may have ended by itself.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }

    /// Waits for the leader, and kills what it left behind.
    fn wait(&self, mut child: Child) -> std::io::Result<ExitStatus> {
        let leader = Pid::from_child(&child);
        // The number stays taken until it is waited for in earnest.
        while let Err(rustix::io::Errno::INTR) =
            waitid(WaitId::Pid(leader), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
        {}
        self.kill();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        child.wait()
    }
}

struct KillOnDrop(Arc<Group>);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        self.0.kill();
    }
}

/// What a command wrote, up to a bound beyond which it is killed.
struct Written {
    logs: Logs,
    limit: usize,
    group: Arc<Group>,
    /// stdout and stderr.
    texts: Mutex<[Vec<u8>; 2]>,
}

impl Written {
    fn new(logs: Logs, limit: usize, group: Arc<Group>) -> Self {
        Written { logs, limit, group, texts: Mutex::default() }
    }

    /// Reads one of its streams to the end.
    fn read(&self, output: LogOutput, mut pipe: impl Read) {
        let mut buffer = [0; 16 << 10];
        loop {
            let bytes = match pipe.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => &buffer[..length],
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(_) => return,
            };
            self.logs.write(output, bytes);
            let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
            texts[output as usize].extend_from_slice(bytes);
            if texts.iter().map(Vec::len).sum::<usize>() > self.limit {
                self.group.kill();
                return;
            }
        }
    }

    /// `{code, stdout, stderr}`, as of a script.
    fn ended(&self, status: ExitStatus, limit: usize) -> Result<Data, Problem> {
        self.logs.finish();
        let [stdout, stderr] = std::mem::take(&mut *self.texts.lock().unwrap_or_else(PoisonError::into_inner));
        if stdout.len() + stderr.len() > limit {
            let detail =
                format!("the command wrote more than {limit} bytes to stdout and stderr together and was killed");
            return Err(Problem::new(ErrorKind::Runtime, "Payload limit", detail));
        }
        // As shells have it: 128 and the number of the signal that killed it.
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        let ended = json!({
            "code": code,
            "stdout": String::from_utf8_lossy(&stdout),
            "stderr": String::from_utf8_lossy(&stderr),
        });
        Data::new(ended).map_err(|error| Problem::new(ErrorKind::Runtime, "Payload limit", error.to_string()))
    }
}
