//! A folder with a workflow, a policy and a component, and what the command makes of them.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

pub(crate) struct Rig {
    folder: TempDir,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) told: String,
}

impl Rig {
    /// Tasks, as they stand behind `do:`, and a policy.
    pub(crate) fn new(tasks: &str, policy: &str) -> Self {
        let rig = Rig { folder: tempfile::tempdir().expect("a folder") };
        let document = "document: { dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }\n";
        rig.write("workflow.yaml", format!("{document}use: {{ secrets: [ key, other ] }}\ndo:\n{tasks}").as_bytes());
        rig.write("policy.yaml", policy.as_bytes());
        rig
    }

    /// With a component, `task.wasm`.
    pub(crate) fn with(self, component: &[u8]) -> Self {
        self.write("task.wasm", component);
        self
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.path().join(name), bytes).expect("a file");
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotcell"));
        command.env("HOTCELL_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        command.env_remove("HOTCELL_LOG").env_remove("HOTCELL_POLICY").current_dir(self.folder.path()).args(words);
        command
    }

    pub(crate) fn ran(command: &mut Command) -> Ran {
        let ran = command.output().expect("the command runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ran { code: ran.status.code().expect("it ended"), output: text(ran.stdout), told: text(ran.stderr) }
    }

    /// Runs the workflow under the policy, with more arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let words = ["run", "workflow.yaml", "--policy", "policy.yaml", "--progress", "json"];
        Self::ran(self.command(&words).args(arguments))
    }
}

impl Ran {
    pub(crate) fn events(&self) -> Vec<Value> {
        self.told.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The problem that ended the workflow.
    pub(crate) fn problem(&self) -> Value {
        let events = self.events();
        let failed = events.iter().find(|event| event["event"] == "workflow_failed");
        failed.unwrap_or_else(|| panic!("it did not fail: {self:?}"))["error"].clone()
    }

    #[track_caller]
    pub(crate) fn failed_with(&self, title: &str) {
        assert_eq!(self.problem()["title"], title, "{self:?}");
    }

    #[track_caller]
    pub(crate) fn completed_with(&self, output: &str) {
        assert_eq!((self.code, self.output.trim()), (0, output), "{}", self.told);
    }

    /// What hotcell itself says in the logs of tasks.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let logs = self.events().into_iter().filter(|event| event["stream"] == "host");
        logs.map(|event| event["message"].as_str().expect("a text").to_owned()).collect()
    }
}
