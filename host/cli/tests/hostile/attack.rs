//! What an attack is: the folder `tests/hostile/NAME` with its `attack.yaml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hotcell_sandbox::CallLimits;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bombs::Bomb;
use crate::servers::Server;

/// An attack, as its `attack.yaml` describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Attack {
    /// The name of its folder.
    #[serde(skip)]
    pub(crate) name: String,
    #[serde(skip)]
    pub(crate) folder: PathBuf,
    /// What it does, as a sentence.
    pub(crate) does: String,
    /// The limit, or the wall, that it meets.
    pub(crate) meets: String,
    /// The ways in which it is carried out. Default: in this process, and in a worker.
    #[serde(default = "Way::usual")]
    pub(crate) ways: Vec<Way>,
    /// A component that is too large to stand in the folder.
    pub(crate) bomb: Option<Bomb>,
    /// A guest of `tests/guests` that is the component.
    pub(crate) guest: Option<String>,
    /// What the call may use where it is less than the default, so that the end comes soon.
    #[serde(default)]
    limits: Limits,
    /// How requests leave.
    #[serde(default)]
    pub(crate) egress: Egress,
    /// A hostile server on this machine; `{server}` stands for its address, `{port}` for its port.
    pub(crate) server: Option<Server>,
    /// The rest of the document. Default: one task, which calls the component of the folder.
    pub(crate) workflow: Option<String>,
    /// The input of the workflow.
    #[serde(default)]
    pub(crate) input: Value,
    /// A text that is given as the input instead, whatever it is.
    pub(crate) input_text: Option<Text>,
    /// The end.
    pub(crate) ends: Ends,
    /// The time within which the attack is gone.
    within: SignedDuration,
    /// What the process may have more of afterwards than before.
    #[serde(default)]
    pub(crate) afterwards: Afterwards,
    /// What its log may have become.
    pub(crate) logs: Option<Logs>,
    /// How many connections the server got.
    pub(crate) connections: Option<usize>,
}

/// How an attack is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Way {
    /// Cells are in the process that runs the workflow.
    InProcess,
    /// Cells are in a worker process, and components are compiled in one of their own.
    Workers,
    /// By the `hotcell` command, as a user runs it, with the usual limits.
    Command,
}

/// What a call may use, where it differs from the default.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Limits {
    cpu: Option<SignedDuration>,
    wall: Option<SignedDuration>,
    mebibytes: Option<usize>,
}

/// How requests leave.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(crate) struct Egress {
    /// As `--allow-net` has it; `{server}` stands for the server's address.
    pub(crate) allow: Vec<String>,
    /// From a request to the last byte of its answer.
    pub(crate) total: Option<SignedDuration>,
    /// Bytes of an answer.
    pub(crate) response: Option<usize>,
    /// What names stand for: one answer after the other, the last one for ever. A name without any is never answered.
    pub(crate) names: BTreeMap<String, Vec<Vec<std::net::IpAddr>>>,
}

/// A text that is too long to be written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Text {
    repeat: String,
    times: usize,
    #[serde(default)]
    then: String,
}

/// How it ends.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Ends {
    /// The workflow faults with this problem.
    Problem(Expected),
    /// The workflow is refused before its first task, with this problem.
    Refused(Expected),
    /// The document or the input is refused before there is an execution, for a reason with these words.
    Invalid(String),
    /// The workflow completes with this output: what the attack could do is nothing.
    Output(Value),
}

/// A problem.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    /// The last part of its type: `runtime`, `timeout`, …
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) status: u16,
    /// Its title. Without, it may be one of several: two clocks run out at the same time, for example.
    pub(crate) title: Option<String>,
    /// Words of its detail.
    #[serde(default)]
    pub(crate) detail: String,
}

/// What the process may have more of than before.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Afterwards {
    /// Resident memory, in MiB: allocators keep some of what was given back to them.
    pub(crate) mebibytes: u64,
    /// Resident memory while the attack goes on, in MiB.
    pub(crate) peak: u64,
    pub(crate) threads: u64,
    pub(crate) files: u64,
}

impl Default for Afterwards {
    fn default() -> Self {
        // A component stays prepared, and its image is a file.
        Afterwards { mebibytes: 32, peak: 256, threads: 0, files: 1 }
    }
}

/// What a log may be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Logs {
    /// The most bytes that its lines have together.
    pub(crate) at_most: usize,
    /// Words of one of its lines.
    pub(crate) says: String,
}

impl Attack {
    /// Every attack, in the order of their names.
    pub(crate) fn all(folder: &Path) -> Vec<Attack> {
        let entries = folder.read_dir().unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut folders: Vec<_> = entries.map(|entry| entry.expect("an entry of the folder").path()).collect();
        folders.retain(|path| path.is_dir());
        folders.sort();
        folders.iter().map(|folder| Attack::read(folder)).collect()
    }

    /// The attack in this folder.
    pub(crate) fn read(folder: &Path) -> Attack {
        let file = folder.join("attack.yaml");
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let options = serde_saphyr::options! { strict_booleans: true };
        let attack: Attack = serde_saphyr::from_str_with_options(&text, options)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let name = folder.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8").to_owned();
        Attack { name, folder: folder.to_owned(), ..attack }
    }

    /// The time within which it is gone.
    pub(crate) fn within(&self) -> Duration {
        self.within.unsigned_abs()
    }

    /// What a call of it may use.
    pub(crate) fn limits(&self) -> CallLimits {
        let usual = CallLimits::default();
        CallLimits {
            cpu_time: self.limits.cpu.map_or(usual.cpu_time, |limit| limit.unsigned_abs()),
            wall_time: self.limits.wall.map_or(usual.wall_time, |limit| limit.unsigned_abs()),
            memory: self.limits.mebibytes.map_or(usual.memory, |mebibytes| mebibytes << 20),
            ..usual
        }
    }

    /// The whole document. `server` is the address of the hostile server.
    pub(crate) fn document(&self, server: &str) -> String {
        let rest =
            self.workflow.as_deref().unwrap_or("do: [{ attack: { call: wasm, with: { component: attack.wasm } } }]\n");
        if rest.starts_with("document:") {
            return rest.to_owned();
        }
        let name = &self.name;
        let document =
            format!("document: {{ dsl: '1.0.3', namespace: hostile, name: {name}, version: '1.0.0' }}\n{rest}");
        let port = server.rsplit_once(':').map_or("", |(_, port)| port);
        document.replace("{server}", server).replace("{port}", port)
    }

    /// The input, as a JSON text.
    pub(crate) fn input(&self) -> String {
        match &self.input_text {
            Some(Text { repeat, times, then }) => repeat.repeat(*times) + then,
            None if self.input.is_null() => "{}".into(),
            None => self.input.to_string(),
        }
    }
}

impl Way {
    fn usual() -> Vec<Way> {
        vec![Way::InProcess, Way::Workers]
    }

    /// As tests are named.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Way::InProcess => "in-process",
            Way::Workers => "workers",
            Way::Command => "command",
        }
    }
}

impl Expected {
    /// What differs, if anything.
    pub(crate) fn differs(&self, problem: &Value) -> Option<String> {
        let text = |member: &str| problem[member].as_str().unwrap_or_default();
        let fits = text("type").ends_with(&format!("/errors/{}", self.kind))
            && problem["status"] == self.status
            && self.title.as_deref().is_none_or(|title| text("title") == title)
            && text("detail").contains(&self.detail);
        (!fits).then(|| format!("the problem is {problem}"))
    }
}

impl Logs {
    /// What is wrong with these lines.
    pub(crate) fn differ(&self, lines: &[String]) -> Option<String> {
        let bytes: usize = lines.iter().map(String::len).sum();
        if bytes > self.at_most {
            return Some(format!("its log has {bytes} bytes"));
        }
        (!lines.iter().any(|line| line.contains(&self.says)))
            .then(|| format!("no line of its log says {:?}", self.says))
    }
}
