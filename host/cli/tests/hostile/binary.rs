//! Attacks on the `hotcell` command, as a user runs it.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::attack::{Attack, Way};
use crate::outcome::Ended;
use crate::process::{self, Has};
use crate::report::Report;
use crate::trial::{self, MAX_MEMORY};

/// Carries out an attack by the command.
pub(crate) fn carry_out(attack: &Attack) -> Report {
    let folder = tempfile::tempdir().expect("a folder");
    trial::write_files(attack, folder.path());
    std::fs::write(folder.path().join("workflow.yaml"), attack.document("")).expect("a file");
    std::fs::write(folder.path().join("input.json"), attack.input()).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotcell"));
    command.args(["run", "workflow.yaml", "--input", "@input.json", "--progress", "json"]).current_dir(folder.path());
    command.env("HOTCELL_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")).env_remove("HOTCELL_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let began = Instant::now();
    let mut child = command.spawn().expect("hotcell starts");
    let stdout = read_all(child.stdout.take().expect("it is piped"));
    let stderr = read_all(child.stderr.take().expect("it is piped"));
    let (code, peak) = wait(&mut child, attack.within());
    let took = began.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
    let [stdout, stderr] = [stdout, stderr].map(|reader| reader.join().expect("no panic"));
    let ended = ended(code, &stdout, &stderr);
    let mut wrong: Vec<String> = ended.differs(&attack.ends).into_iter().collect();
    // The process is gone, and with it all that it had.
    let (before, after) = (Has::default(), Has::default());
    if peak > (attack.afterwards.peak + 100) << 20 {
        wrong.push(format!("it took {} MiB of memory", peak >> 20));
    }
    let (attack, ended) = (attack.name.clone(), ended.told());
    Report { attack, way: Way::Command, ended, took, before, after, peak, beside: 0, slowest: 0, wrong }
}

/// The exit code, unless it had to be killed, and the most memory that it was seen with.
fn wait(child: &mut Child, limit: Duration) -> (Option<i32>, u64) {
    let until = Instant::now() + limit;
    let mut peak = 0;
    loop {
        if let Some(status) = child.try_wait().expect("it is a child of this process") {
            return (status.code(), peak);
        }
        peak = peak.max(process::memory_of(child.id()));
        if Instant::now() >= until || peak > MAX_MEMORY {
            child.kill().expect("it is a child of this process");
            child.wait().expect("it is a child of this process");
            return (None, peak);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn ended(code: Option<i32>, stdout: &str, stderr: &str) -> Ended {
    let problem = || {
        let mut events = stderr.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let failed = events.find(|event| event["event"] == "workflow_failed");
        failed.map(|event| event["error"].clone())
    };
    match (code, problem()) {
        (Some(0), _) => Ended::Completed(serde_json::from_str(stdout).unwrap_or_default()),
        (Some(1), Some(problem)) => Ended::Faulted(problem),
        (Some(2), Some(problem)) => Ended::Refused(problem),
        (Some(2), None) => Ended::Invalid(stderr.to_owned()),
        (Some(130), _) => Ended::Cancelled,
        _ => Ended::Late,
    }
}

fn read_all(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
