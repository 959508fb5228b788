//! The component of an attack.

use std::path::{Path, PathBuf};

use crate::attack::Attack;
use crate::folder;

/// The component, if the attack has one.
pub(crate) fn bytes(attack: &Attack) -> Option<Vec<u8>> {
    let text = attack.folder.join("attack.wat");
    match (&attack.bomb, &attack.guest) {
        (Some(bomb), _) => Some(bomb.make()),
        (None, Some(guest)) => Some(self::guest(guest)),
        (None, None) if text.exists() => Some(assemble(&read(&text), &text)),
        (None, None) => None,
    }
}

/// A task that answers with its input, for what runs beside attacks.
pub(crate) fn echo() -> Vec<u8> {
    let text = r#"(func (export "run") (param i32 i32) (result i32) (call $ok (local.get 0) (local.get 1)))"#;
    assemble(text, Path::new("echo"))
}

/// A task that sleeps for a tenth of a second.
pub(crate) fn sleeper() -> Vec<u8> {
    let text = r#"(func (export "run") (param i32 i32) (result i32)
        (call $block (call $sleep (i64.const 100000000))) (call $done))"#;
    assemble(text, Path::new("sleeper"))
}

/// A whole component, or what stands in the core module of `task.wat`.
fn assemble(text: &str, at: &Path) -> Vec<u8> {
    let is_whole = text.lines().any(|line| line.starts_with("(component"));
    let whole = if is_whole { text.to_owned() } else { within_task(text) };
    wat::parse_str(&whole).unwrap_or_else(|error| panic!("{}: {error}", at.display()))
}

fn within_task(text: &str) -> String {
    let post_return = if text.contains(r#"(export "post-return")"#) {
        r#"(post-return (core func $main "post-return"))"#
    } else {
        ""
    };
    read(&folder().join("task.wat")).replace(";;POST-RETURN", post_return).replace(";;ATTACK", text)
}

/// A guest of `tests/guests`, as `scripts/guests` builds it.
fn guest(name: &str) -> Vec<u8> {
    let built = std::env::var_os("HOTCELL_GUESTS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests"), PathBuf::from);
    let path = built.join(name).with_extension("wasm");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; run scripts/guests {name}", path.display()))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
