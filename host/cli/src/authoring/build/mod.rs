//! `hotcell build`

mod rust;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};

use super::tool::{self, Tool};
use super::{COMPONENT, Language};
use crate::arguments::BuildCommand;
use crate::say::say;

/// Builds the task in a folder with the tool of its language.
pub(crate) fn build(command: &BuildCommand) -> anyhow::Result<ExitCode> {
    folder(&command.folder)?;
    Ok(ExitCode::SUCCESS)
}

/// Builds the task in this folder, and says where its component is.
pub(super) fn folder(folder: &Path) -> anyhow::Result<PathBuf> {
    let metadata = folder.metadata().with_context(|| folder.display().to_string())?;
    if !metadata.is_dir() {
        bail!("{}: this is not a folder; give the one that holds the task's source", folder.display());
    }
    let Some(language) = Language::of(folder) else {
        let markers = Language::ALL.map(Language::marker).join(", ");
        bail!(
            "{}: this is not the source of a task, as it has none of {markers}; `hotcell new` begins one",
            folder.display()
        );
    };
    let began = Instant::now();
    match language {
        Language::Rust => rust::build(folder)?,
        Language::Js => js(folder)?,
        Language::Python => python(folder)?,
        Language::Go => go(folder)?,
        Language::C => c(folder)?,
    }
    let component = folder.join(COMPONENT);
    let size = component.metadata().with_context(|| {
        format!("{} was built, but there is no {}; its build has to write it", folder.display(), component.display())
    })?;
    say(format_args!(
        "{}: {} KiB, in {:.1} s",
        component.display(),
        size.len().div_ceil(1024),
        began.elapsed().as_secs_f64()
    ));
    Ok(component)
}

fn js(folder: &Path) -> anyhow::Result<()> {
    const HOW: &str = "install Node.js 20 or later: https://nodejs.org, or `apt-get install nodejs npm` on Debian 13";
    let node = tool::need("node", HOW)?;
    let npm = tool::need("npm", HOW)?;
    let version = Tool::new(node, folder).with(["--version"]).ask().unwrap_or_default();
    if major(&version).is_some_and(|major| major < 20) {
        bail!("Node.js is {version}, and componentize-js needs 20 or later; {HOW}");
    }
    if is_older(&folder.join("node_modules/.package-lock.json"), &folder.join("package.json")) {
        // What the lock file pins, with its digests.
        let install = if folder.join("package-lock.json").is_file() { "ci" } else { "install" };
        Tool::new(&npm, folder).with([install, "--no-audit", "--no-fund", "--loglevel=error"]).run()?;
    }
    Tool::new(npm, folder).with(["run", "--silent", "build"]).run()
}

/// The first number of `v20.1.0`.
fn major(version: &str) -> Option<u32> {
    version.trim_start_matches('v').split('.').next()?.parse().ok()
}

fn python(folder: &Path) -> anyhow::Result<()> {
    const HOW: &str = "install Python 3.11 or later: https://python.org, or `apt-get install python3 python3-venv`";
    let environment = folder.join(".venv");
    let python = environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    // The last step of installing, so that one that was interrupted is done again.
    let installed = environment.join("hotcell.installed");
    let requirements = folder.join("requirements.txt");
    if is_older(&installed, &requirements) {
        let any = tool::find("python3").or_else(|| tool::find("python"));
        let any = any.with_context(|| format!("there is no `python3` on the PATH; {HOW}"))?;
        let asked = "import ensurepip, sys, venv; print(sys.version_info >= (3, 11))";
        match Tool::new(&any, folder).with(["-c", asked]).ask().as_deref() {
            Some("True") => {}
            Some(_) => bail!("{} is older than Python 3.11; {HOW}", any.display()),
            None => bail!("{} has no module `venv` or `ensurepip`; {HOW}", any.display()),
        }
        Tool::new(any, folder).with(["-m", "venv", ".venv"]).run()?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"];
        Tool::new(std::path::absolute(&python)?, folder).with(pip).run()?;
        std::fs::write(&installed, "").with_context(|| installed.display().to_string())?;
    }
    Tool::new(std::path::absolute(python)?, folder).with(["-m", "hotcell", "task.py", "--output", COMPONENT]).run()
}

fn go(folder: &Path) -> anyhow::Result<()> {
    let go = tool::need("go", "install Go 1.24 or later: https://go.dev/dl, or `apt-get install golang`")?;
    Tool::new(go, folder)
        .with(["build", "-trimpath", "-ldflags=-s -w", "-o", COMPONENT, "."])
        .environment("GOOS", "wasip1")
        .environment("GOARCH", "wasm")
        // Its C compiler is not for WebAssembly.
        .environment("CGO_ENABLED", "0")
        .run()
}

fn c(folder: &Path) -> anyhow::Result<()> {
    const HOW: &str = "run `apt-get install make clang lld wasi-libc libclang-rt-dev-wasm32` on Debian 12 or later, or set \
                       WASI_SDK_PATH to a WASI SDK: https://github.com/WebAssembly/wasi-sdk";
    let make = tool::need("make", HOW)?;
    if std::env::var_os("WASI_SDK_PATH").is_none() {
        tool::need("clang", HOW)?;
        tool::need("wasm-ld", HOW)?;
        if !Path::new("/usr/include/wasm32-wasi/stdio.h").is_file() {
            bail!("there is no C library for WASI; {HOW}");
        }
    }
    Tool::new(make, folder).with(["--no-print-directory", COMPONENT]).run()
}

/// Whether a file is missing, or was written before another one.
fn is_older(file: &Path, than: &Path) -> bool {
    let written = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    match (written(file), written(than)) {
        (None, _) => true,
        (Some(file), Some(than)) => file < than,
        (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_source_is_refused_with_what_is_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let error = super::folder(folder.path()).unwrap_err().to_string();
        assert!(error.contains("Cargo.toml, package.json") && error.contains("hotcell new"), "{error}");
        let file = folder.path().join("task.py");
        std::fs::write(&file, "").unwrap();
        assert!(super::folder(&file).unwrap_err().to_string().contains("not a folder"));
    }

    #[test]
    fn the_major_version_of_node_is_read() {
        assert_eq!((major("v20.20.2"), major("18.1"), major("?")), (Some(20), Some(18), None));
    }
}
