//! A test for each attack and way, and the process that it starts for it.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

use crate::attack::{Attack, Way};
use crate::report::Report;
use crate::{binary, component, process};

/// Where the process of an attack finds which one it is.
const ATTACK: &str = "HOTCELL_HOSTILE_ATTACK";
const WAY: &str = "HOTCELL_HOSTILE_WAY";
/// What its last line begins with.
pub(crate) const REPORT: &str = "report of an attack: ";
/// No attack may take a machine down that tests it: its process is killed when it has this much memory.
pub(crate) const MAX_MEMORY: u64 = 4 << 30;
/// How much longer than its attack a process may take, to make everything ready and to settle.
const AROUND: Duration = Duration::from_secs(120);

/// Which attack this process is for, if it is for one.
pub(crate) fn asked_for() -> Option<(String, Way)> {
    let way = std::env::var(WAY).ok().and_then(|way| serde_json::from_value(way.into()).ok())?;
    Some((std::env::var(ATTACK).ok()?, way))
}

/// The tests of an attack.
pub(crate) fn trials(attack: &Attack) -> impl Iterator<Item = Trial> {
    attack.ways.clone().into_iter().map(|way| {
        let attack = attack.clone();
        Trial::test(format!("{}::{}", attack.name, way.name()), move || check(&attack, way))
    })
}

/// Puts what the attack consists of into a folder.
pub(crate) fn write_files(attack: &Attack, folder: &Path) {
    if let Some(component) = component::bytes(attack) {
        std::fs::write(folder.join("attack.wasm"), component).expect("a file");
    }
    for entry in attack.folder.read_dir().expect("a folder") {
        let entry = entry.expect("an entry of the folder");
        if entry.path().is_file() && !["attack.yaml", "attack.wat"].iter().any(|name| entry.file_name() == *name) {
            std::fs::copy(entry.path(), folder.join(entry.file_name())).expect("a file");
        }
    }
}

fn check(attack: &Attack, way: Way) -> Result<(), Failed> {
    let report = match way {
        Way::InProcess | Way::Workers => start(attack, way)?,
        Way::Command => binary::carry_out(attack),
    };
    report.keep();
    match report.wrong.as_slice() {
        [] => Ok(()),
        wrong => Err(format!("{}\n{}", attack.does, wrong.join("\n")).into()),
    }
}

/// Carries out an attack in a process of its own.
fn start(attack: &Attack, way: Way) -> Result<Report, Failed> {
    let program = std::env::current_exe()?;
    let mut command = Command::new(program);
    command.env(ATTACK, &attack.name).env(WAY, way.name()).env("RUST_BACKTRACE", "0").stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let stdout = read_all(child.stdout.take().expect("it is piped"));
    let stderr = read_all(child.stderr.take().expect("it is piped"));
    let until = Instant::now() + attack.within() + AROUND;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status.to_string();
        }
        let memory = process::memory_of(child.id());
        if Instant::now() >= until || memory > MAX_MEMORY {
            child.kill()?;
            child.wait()?;
            break format!("killed, with {} MiB of memory", memory >> 20);
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let [stdout, stderr] = [stdout, stderr].map(|reader| reader.join().expect("no panic"));
    let report = stdout.lines().filter_map(|line| line.strip_prefix(REPORT)).next_back();
    let told = || format!("the process did not survive ({status})\n{stdout}\n{stderr}");
    Ok(serde_json::from_str(report.ok_or_else(told)?)?)
}

fn read_all(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
