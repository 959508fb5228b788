//! What can be prepared, what is refused, and what is kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hotcell_sandbox::{CallLimits, Cells, ComponentError, Digest, InProcess, InProcessOptions};
use serde_json::json;

use crate::guest::echo;
use crate::host::{Recorder, call, cells, cells_with, prepare};

/// Why these bytes are refused.
async fn refusal(bytes: &[u8]) -> ComponentError {
    prepare(&cells(), bytes).await.unwrap_err()
}

/// Why a component in text form is refused.
async fn refusal_of(text: &str) -> String {
    refusal(&wat::parse_str(text).unwrap()).await.to_string()
}

#[tokio::test]
async fn a_component_is_known_by_the_digest_of_its_bytes() {
    let (cells, component) = (cells(), echo());
    assert_eq!(prepare(&cells, &component).await, Ok(Digest::of(&component)));
    assert_eq!(prepare(&cells, &component).await, Ok(Digest::of(&component)));
}

#[tokio::test]
async fn what_is_not_a_component_is_refused_with_what_it_is() {
    let core_module = wat::parse_str("(module)").unwrap();
    let artifact = wasmtime::Engine::default().precompile_component(&wat::parse_str("(component)").unwrap()).unwrap();
    let cases: [(&[u8], &str); 7] = [
        (&core_module, "a core module"),
        (&artifact, "a compiled artifact of wasmtime"),
        (b"  (component)", "WebAssembly in text form"),
        (b";; a task\n(module)", "WebAssembly in text form"),
        (b"", "an empty file"),
        (b"#!/bin/sh\n", "something else"),
        (b"\0asm\xff\0\0\0", "WebAssembly in a version that is not known here"),
    ];
    for (bytes, expected) in cases {
        match refusal(bytes).await {
            ComponentError::NotAComponent { found, .. } => assert_eq!(found, expected),
            other => panic!("{expected}: {other}"),
        }
    }
}

#[tokio::test]
async fn a_broken_component_is_refused() {
    let component = echo();
    for length in [8, 9, 100, component.len() / 2, component.len() - 1] {
        let refusal = refusal(&component[..length]).await;
        assert!(
            matches!(refusal, ComponentError::Invalid { .. } | ComponentError::NotATask { .. }),
            "{length}: {refusal}"
        );
    }
}

#[tokio::test]
async fn a_component_that_is_too_large_is_refused_before_it_is_read() {
    let refusal = refusal(&vec![0; (64 << 20) + 1]).await;
    assert_eq!(refusal, ComponentError::TooLarge { size: (64 << 20) + 1, limit: 64 << 20 });
}

#[tokio::test]
async fn an_import_that_tasks_are_not_given_is_named_with_what_to_do() {
    let http =
        refusal_of(r#"(component (import "wasi:http/outgoing-handler@0.2.0" (instance (export "handle" (func)))))"#)
            .await;
    assert!(http.contains("imports `wasi:http/outgoing-handler@0.2.0`") && http.contains("call: http"), "{http}");
    let newer = refusal_of(r#"(component (import "wasi:cli/stdout@0.3.0" (instance (export "get" (func)))))"#).await;
    assert!(newer.contains("WASI 0.2"), "{newer}");
    let unknown = refusal_of(r#"(component (import "acme:db/query" (func)) (import "acme:db/close" (func)))"#).await;
    assert!(unknown.contains("`acme:db/query`, `acme:db/close`") && unknown.contains("wac plug"), "{unknown}");
}

#[tokio::test]
async fn a_component_without_a_handler_is_refused_with_what_it_exports() {
    assert!(refusal_of("(component)").await.contains("it exports nothing"));
    let exports = refusal_of(r#"(component (type $t u32) (export "acme:shop/size" (type $t)))"#).await;
    assert!(exports.contains("it exports `acme:shop/size`"), "{exports}");
}

#[tokio::test]
async fn a_handler_of_another_type_is_refused() {
    let empty = refusal_of(r#"(component (instance $h) (export "hotcell:task/handler@1.0.0" (instance $h)))"#).await;
    assert!(empty.contains("no function `run`"), "{empty}");
    let other = refusal_of(
        r#"(component
             (core module $m (func (export "run") (result i32) (i32.const 0)))
             (core instance $m (instantiate $m))
             (func $run (result u32) (canon lift (core func $m "run")))
             (instance $h (export "run" (func $run)))
             (export "hotcell:task/handler@1.0.0" (instance $h)))"#,
    )
    .await;
    assert!(other.contains("is not that of the contract: in `run`"), "{other}");
}

#[tokio::test]
async fn features_that_tasks_do_not_need_are_off() {
    for module in [
        "(memory i64 1)",
        "(memory 1 1 shared)",
        "(type (struct))",
        "(tag)",
        "(memory 20000)",
        "(table 10000000 funcref)",
    ] {
        let text = format!(
            "(component (core module (memory 0) {module}) (core module $m {module}) (core instance (instantiate $m)))"
        );
        let refusal = refusal(&wat::parse_str(&text).unwrap()).await;
        assert!(matches!(refusal, ComponentError::Invalid { .. }), "{module}: {refusal}");
    }
}

/// Cells with a cache.
fn cached(folder: &Path) -> InProcess {
    cells_with(InProcessOptions { cells: 4, cache_dir: Some(folder.into()), ..InProcessOptions::default() })
}

/// The entries of a cache, without the key that authenticates them.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.file_name().is_some_and(|name| name != "key")).collect()
}

/// Prepares and calls the echo task.
async fn works(cells: &InProcess) {
    let echo = prepare(cells, &echo()).await.unwrap();
    let end = Cells::call(cells, call(echo, "7", CallLimits::default()), Arc::new(Recorder::default())).await;
    assert_eq!(end.result, Ok(json!(7)));
}

#[tokio::test]
async fn a_compiled_component_is_kept_for_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("a/b");
    works(&cached(&cache)).await;
    let kept = entries(&cache);
    assert_eq!(kept.len(), 1);
    let name = kept[0].file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with(&Digest::of(&echo()).hex()) && name.contains("-48."), "{name}");

    let written = fs::metadata(&kept[0]).unwrap().modified().unwrap();
    works(&cached(&cache)).await;
    assert_eq!(entries(&cache), kept);
    assert_eq!(fs::metadata(&kept[0]).unwrap().modified().unwrap(), written);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_reach_the_compiled_components() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    works(&cached(folder.path())).await;
    assert_eq!(fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_damaged_entry_is_compiled_again() {
    let folder = tempfile::tempdir().unwrap();
    works(&cached(folder.path())).await;
    let entry = entries(folder.path()).remove(0);
    let intact = fs::read(&entry).unwrap();
    let mut flipped = intact.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for damaged in [&b""[..], b"hotcell2", &intact[..intact.len() / 2], &intact[40..], &flipped] {
        fs::write(&entry, damaged).unwrap();
        works(&cached(folder.path())).await;
        assert_eq!(fs::read(&entry).unwrap()[..8], *b"hotcell2");
        assert_eq!(fs::read(&entry).unwrap().len(), intact.len());
    }
}

#[tokio::test]
async fn a_refused_component_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    assert!(prepare(&cached(folder.path()), &wat::parse_str("(component)").unwrap()).await.is_err());
    assert!(entries(folder.path()).is_empty());
}

#[tokio::test]
async fn a_cache_that_cannot_be_used_is_done_without() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    works(&cached(&file.join("cache"))).await;
}
