//! Components whose compilation is an attack.

use std::time::{Duration, Instant};

use hotcell_sandbox::{ComponentError, WorkersOptions};

use crate::guest::{echo, task};
use crate::host::{assert_still_usable, cells, options, prepare, start};

/// Each level instantiates the one below ten times.
fn nested(depth: usize) -> Vec<u8> {
    let mut text = "(component $c0)".to_owned();
    for level in 1..=depth {
        let below = level - 1;
        let instances = format!("(instance (instantiate $c{below}))").repeat(10);
        text = format!("(component $c{level} {text} {instances})");
    }
    wat::parse_str(text).unwrap()
}

#[tokio::test]
async fn a_component_whose_compilation_takes_too_much_is_refused() {
    let workers = cells();
    let started = Instant::now();
    let refusal = prepare(&workers, &nested(8)).await.unwrap_err();
    assert!(matches!(refusal, ComponentError::CompileLimit { .. }), "{refusal}");
    assert!(started.elapsed() < Duration::from_secs(95));
    assert_still_usable(&workers).await;
}

#[tokio::test]
async fn what_a_compiler_refuses_is_told_as_it_is_in_process() {
    let workers = cells();
    assert!(matches!(prepare(&workers, b"\0asm\x01\0\0\0").await, Err(ComponentError::NotAComponent { .. })));
    let empty = wat::parse_str("(component)").unwrap();
    assert!(matches!(prepare(&workers, &empty).await, Err(ComponentError::NotATask { .. })));
    let wanting = wat::parse_str(r#"(component (import "wasi:http/types@0.2.0" (instance)))"#).unwrap();
    assert!(matches!(prepare(&workers, &wanting).await, Err(ComponentError::MissingImports { .. })));
}

#[tokio::test]
async fn a_compiled_artifact_is_not_a_component() {
    let folder = tempfile::tempdir().unwrap();
    let workers = start(WorkersOptions { cache_dir: Some(folder.path().into()), ..options(1) }).await;
    prepare(&workers, &echo()).await.unwrap();
    let kept = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let kept = kept.filter(|path| path.extension().is_some_and(|extension| extension == "cwasm"));
    let kept: Vec<_> = kept.collect();
    let [path] = &kept[..] else { panic!("{kept:?}") };
    // As it stands, and without the header that only hotcell writes.
    let entry = std::fs::read(path).unwrap();
    for artifact in [&entry[..], &entry[40..]] {
        let refusal = prepare(&workers, artifact).await.unwrap_err();
        assert!(matches!(refusal, ComponentError::NotAComponent { .. }), "{refusal}");
    }
}

#[tokio::test]
async fn an_artifact_that_was_put_in_the_place_of_another_is_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let options = || WorkersOptions { cache_dir: Some(folder.path().into()), ..options(1) };
    let trap = task("unreachable");
    let workers = start(options()).await;
    let (good, other) = (prepare(&workers, &echo()).await.unwrap(), prepare(&workers, &trap).await.unwrap());
    drop(workers);
    let path = |digest: hotcell_sandbox::Digest| {
        let mut entries = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        entries.find(|path| path.to_string_lossy().contains(&digest.hex())).unwrap()
    };
    std::fs::copy(path(other), path(good)).unwrap();
    assert_still_usable(&start(options()).await).await;
}
