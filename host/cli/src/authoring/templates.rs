//! What `hotcell new` writes: for each language a task that works, and its SDK, all of which are part of the binary.
//!
//! The SDKs stand in `guest-sdk/`, the tasks in the folders `template` beside them. They are given along with a task because no
//! registry has them yet.

use super::Language;

/// What stands in the templates for the name of the task. It is a valid name in every language, so that they build as they stand.
pub(super) const NAME: &str = "hotcell-task-name";

/// A file of a task: where it goes, and what is in it.
#[derive(Clone, Copy)]
pub(super) struct Template {
    pub(super) path: &'static str,
    pub(super) text: &'static str,
}

macro_rules! files {
    ($($path:literal <- $source:literal),* $(,)?) => {
        &[$(Template { path: $path, text: include_str!(concat!("../../../../guest-sdk/", $source)) }),*]
    };
}

/// All files of a task in this language.
pub(super) fn of(language: Language) -> impl Iterator<Item = Template> {
    let own = match language {
        Language::Rust => RUST,
        Language::Js => JS,
        Language::Python => PYTHON,
        Language::Go => GO,
        Language::C => C,
    };
    let ignored = Template { path: ".gitignore", text: ignored(language) };
    SHARED.iter().chain(own).copied().chain([ignored])
}

/// What the tools leave, which is not part of the source.
fn ignored(language: Language) -> &'static str {
    match language {
        Language::Rust => "/target/\n/task.wasm\n",
        Language::Js => "/node_modules/\n/task.wasm\n",
        Language::Python => "/.venv/\n__pycache__/\n/task.wasm\n",
        Language::Go | Language::C => "/task.wasm\n",
    }
}

const SHARED: &[Template] = files![
    "workflow.yaml" <- "template/workflow.yaml",
    "order.json" <- "template/order.json",
];

const RUST: &[Template] = files![
    "README.md" <- "rust/template/README.md",
    "Cargo.toml" <- "rust/template/Cargo.toml",
    "Cargo.lock" <- "rust/template/Cargo.lock",
    "src/lib.rs" <- "rust/template/src/lib.rs",
    "sdk/Cargo.toml" <- "rust/template/sdk.toml",
    "sdk/README.md" <- "rust/README.md",
    "sdk/wit/task.wit" <- "../wit/task.wit",
    "sdk/src/bindings.rs" <- "rust/src/bindings.rs",
    "sdk/src/context.rs" <- "rust/src/context.rs",
    "sdk/src/host/cell.rs" <- "rust/src/host/cell.rs",
    "sdk/src/host/mod.rs" <- "rust/src/host/mod.rs",
    "sdk/src/host/native.rs" <- "rust/src/host/native.rs",
    "sdk/src/lib.rs" <- "rust/src/lib.rs",
    "sdk/src/log.rs" <- "rust/src/log.rs",
    "sdk/src/perform.rs" <- "rust/src/perform.rs",
    "sdk/src/problem.rs" <- "rust/src/problem.rs",
    "sdk/src/report.rs" <- "rust/src/report.rs",
    "sdk/src/task.rs" <- "rust/src/task.rs",
    "sdk/src/testing.rs" <- "rust/src/testing.rs",
    "sdk/macros/Cargo.toml" <- "rust/template/sdk.macros.toml",
    "sdk/macros/src/lib.rs" <- "rust/macros/src/lib.rs",
];

const JS: &[Template] = files![
    "README.md" <- "js/template/README.md",
    "package.json" <- "js/template/package.json",
    "package-lock.json" <- "js/template/package-lock.json",
    "tsconfig.json" <- "js/template/tsconfig.json",
    "src/task.ts" <- "js/template/src/task.ts",
    "sdk/package.json" <- "js/package.json",
    "sdk/README.md" <- "js/README.md",
    "sdk/src/build.js" <- "js/src/build.js",
    "sdk/src/cell.js" <- "js/src/cell.js",
    "sdk/src/console.js" <- "js/src/console.js",
    "sdk/src/index.d.ts" <- "js/src/index.d.ts",
    "sdk/src/index.js" <- "js/src/index.js",
    "sdk/src/problem.js" <- "js/src/problem.js",
    "sdk/src/testing.d.ts" <- "js/src/testing.d.ts",
    "sdk/src/testing.js" <- "js/src/testing.js",
    "sdk/wit/task.wit" <- "js/wit/task.wit",
];

const PYTHON: &[Template] = files![
    "README.md" <- "python/template/README.md",
    "requirements.txt" <- "python/template/requirements.txt",
    "task.py" <- "python/template/task.py",
    "test_task.py" <- "python/template/test_task.py",
    "hotcell/README.md" <- "python/README.md",
    "hotcell/__init__.py" <- "python/hotcell/__init__.py",
    "hotcell/__main__.py" <- "python/hotcell/__main__.py",
    "hotcell/cell.py" <- "python/hotcell/cell.py",
    "hotcell/convert.py" <- "python/hotcell/convert.py",
    "hotcell/host.py" <- "python/hotcell/host.py",
    "hotcell/problem.py" <- "python/hotcell/problem.py",
    "hotcell/py.typed" <- "python/hotcell/py.typed",
    "hotcell/task.py" <- "python/hotcell/task.py",
    "hotcell/testing.py" <- "python/hotcell/testing.py",
    "hotcell/wit/task.wit" <- "python/hotcell/wit/task.wit",
];

const GO: &[Template] = files![
    "README.md" <- "go/template/README.md",
    "go.mod" <- "go/template/go.mod",
    "task.go" <- "go/template/task.go",
    "task_test.go" <- "go/template/task_test.go",
    "sdk/README.md" <- "go/README.md",
    "sdk/go.mod" <- "go/go.mod",
    "sdk/hotcell.go" <- "go/hotcell.go",
    "sdk/problem.go" <- "go/problem.go",
];

const C: &[Template] = files![
    "README.md" <- "c/template/README.md",
    "Makefile" <- "c/template/Makefile",
    "task.c" <- "c/template/task.c",
    "sdk/README.md" <- "c/README.md",
    "sdk/hotcell.h" <- "c/hotcell.h",
    "sdk/cjson/LICENSE" <- "c/cjson/LICENSE",
    "sdk/cjson/cJSON.c" <- "c/cjson/cJSON.c",
    "sdk/cjson/cJSON.h" <- "c/cjson/cJSON.h",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    fn sources() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-sdk")
    }

    fn below(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            match entry.path().is_dir() {
                true if name == "__pycache__" => {}
                true => below(&entry.path(), found),
                false => drop(found.insert(std::fs::read_to_string(entry.path()).unwrap())),
            }
        }
    }

    #[test]
    fn a_task_gets_all_of_its_sdk() {
        let parts = [
            (Language::Rust, "rust/src"),
            (Language::Rust, "rust/macros/src"),
            (Language::Rust, "rust/template"),
            (Language::Js, "js/src"),
            (Language::Js, "js/template/src"),
            (Language::Python, "python/hotcell"),
            (Language::C, "c/cjson"),
        ];
        for (language, folder) in parts {
            let mut expected = BTreeSet::new();
            below(&sources().join(folder), &mut expected);
            let given: BTreeSet<String> = of(language).map(|file| file.text.to_owned()).collect();
            let missing = expected.difference(&given).next().map(|text| text.chars().take(80).collect::<String>());
            assert_eq!(missing, None, "{folder}: the template does not give the file that begins so");
        }
    }

    #[test]
    fn the_sdks_carry_the_contract_as_it_stands() {
        let contract = include_str!("../../../../wit/task.wit");
        for copy in ["js/wit/task.wit", "python/hotcell/wit/task.wit"] {
            let text = std::fs::read_to_string(sources().join(copy)).unwrap();
            assert_eq!(text, contract, "guest-sdk/{copy} is not wit/task.wit; copy it");
        }
    }
}
