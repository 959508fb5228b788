//! Building tasks in Rust.
//!
//! For `wasm32-wasip2` where the toolchain has its standard library, otherwise for `wasm32-unknown-unknown`, which needs no more for a
//! task that is a function. Where rustup brings neither, as on machines that reach no Rust download server, Debian's compiler builds
//! the standard library from source.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::Value;

use super::super::COMPONENT;
use super::super::tool::{self, Tool};

const COMPONENT_TARGET: &str = "wasm32-wasip2";
const MODULE_TARGET: &str = "wasm32-unknown-unknown";

/// What the environment says about other builds.
const OTHERS: &[&str] = &[
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_RUSTFLAGS",
    "RUSTC",
    "RUSTUP_TOOLCHAIN",
];

/// A toolchain that can build tasks.
enum Toolchain {
    /// The one on the PATH, for this target.
    Own(PathBuf, &'static str),
    /// Debian's, which builds the standard library too, with this linker.
    Debian(PathBuf),
}

pub(super) fn build(folder: &Path) -> anyhow::Result<()> {
    let cargo = match toolchain(folder)? {
        Toolchain::Own(cargo, target) => {
            Tool::new(cargo, folder).without(OTHERS).with(["build", "--release", "--target", target])
        }
        Toolchain::Debian(linker) => {
            let flags = format!("-Clinker={}", linker.display());
            Tool::new("/usr/bin/cargo", folder)
                .without(OTHERS)
                // Building the standard library is not stable; this makes a stable compiler do it.
                .environment("RUSTC_BOOTSTRAP", "1")
                .environment("RUSTC", "/usr/bin/rustc")
                .environment("CARGO_ENCODED_RUSTFLAGS", flags)
                .with(["build", "--release", "--target", MODULE_TARGET, "-Zbuild-std=std,panic_abort"])
        }
    };
    let told = cargo.with(["--message-format=json-render-diagnostics"]).output()?;
    let Some(built) = built(&told) else {
        bail!(
            "cargo built no WebAssembly; a task is a library: `[lib]` with `crate-type = [\"cdylib\"]` in Cargo.toml"
        );
    };
    let component = folder.join(COMPONENT);
    let beside = component.with_extension("wasm.new");
    // Beside its place first: whoever reads it meanwhile reads a whole one.
    fs::copy(&built, &beside)
        .and_then(|_| fs::rename(&beside, &component))
        .with_context(|| format!("could not copy {} to {}", built.display(), component.display()))
}

fn toolchain(folder: &Path) -> anyhow::Result<Toolchain> {
    const HOW: &str = "install Rust with rustup (https://rustup.rs) and run `rustup target add wasm32-wasip2`";
    let own = tool::find("cargo");
    if let Some(cargo) = own.clone() {
        let target = [COMPONENT_TARGET, MODULE_TARGET].into_iter().find(|target| has_standard_library(folder, target));
        if let Some(target) = target {
            return Ok(Toolchain::Own(cargo, target));
        }
    }
    if let Some(linker) = debian() {
        return Ok(Toolchain::Debian(linker));
    }
    match own {
        None => bail!("there is no `cargo` on the PATH; {HOW}"),
        Some(_) => bail!(
            "the Rust toolchain has no standard library for WebAssembly; run `rustup target add {COMPONENT_TARGET}`, or, where \
             rustup cannot download, `apt-get install rustc-web cargo-web rust-web-src lld` on Debian 12 or later"
        ),
    }
}

fn has_standard_library(folder: &Path, target: &str) -> bool {
    let asked = ["--print", "target-libdir", "--target", target];
    let libraries = Tool::new("rustc", folder).without(OTHERS).with(asked).ask();
    let entries = libraries.and_then(|libraries| fs::read_dir(libraries).ok());
    entries.into_iter().flatten().flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}

/// The linker beside Debian's toolchain, if all of it is there.
fn debian() -> Option<PathBuf> {
    let root = Tool::new("/usr/bin/rustc", Path::new("/")).with(["--print", "sysroot"]).ask()?;
    let sources = Path::new(&root).join("lib/rustlib/src/rust/library").is_dir();
    (sources && Path::new("/usr/bin/cargo").is_file()).then(|| tool::find("wasm-ld"))?
}

/// The WebAssembly that cargo says it made of the package itself, which comes last.
fn built(told: &[u8]) -> Option<PathBuf> {
    let lines = told.split(|byte| *byte == b'\n');
    let artifacts = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let mut files = artifacts.filter(|message| message["reason"] == "compiler-artifact").flat_map(|message| {
        let files = message["filenames"].as_array().cloned().unwrap_or_default();
        files.into_iter().filter_map(|file| Some(PathBuf::from(file.as_str()?)))
    });
    files.rfind(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_webassembly_that_cargo_tells_of_is_the_task() {
        let told = concat!(
            r#"{"reason":"compiler-artifact","filenames":["/t/libserde.rlib"]}"#,
            "\n",
            r#"{"reason":"compiler-artifact","filenames":["/t/price.wasm","/t/price.d"]}"#,
            "\nnot JSON\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(built(told.as_bytes()), Some(PathBuf::from("/t/price.wasm")));
        assert_eq!(built(b""), None);
    }
}
