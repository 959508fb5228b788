//! Components from a registry, as a user has them: pushed, named by a definition, run.

#[path = "../../registry/tests/server/mod.rs"]
mod server;

use std::path::Path;
use std::process::{Command, Output};

use server::Server;

fn hotcell(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotcell"));
    command.env("HOTCELL_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    command.env("XDG_CACHE_HOME", folder.join("cache")).env("DOCKER_CONFIG", folder).current_dir(folder);
    command.args(arguments).output().expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_component_is_pushed_run_by_tag_and_then_by_digest_without_the_registry() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let greet = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/hello/components/greet.wasm");
    std::fs::copy(greet, here.join("greet.wasm")).unwrap();
    let server = Server::start(false);
    let host = server.address.clone();
    let name = format!("oci://{host}/team/greet:1.0.0");

    let pushed = hotcell(here, &["component", "push", "greet.wasm", &name]);
    assert!(pushed.status.success(), "{}", text(&pushed.stderr));
    let pinned = text(&pushed.stdout).trim().to_owned();
    assert!(pinned.starts_with(&format!("{name}@sha256:")), "{pinned}");

    let write = |component: &str| {
        let document = format!(
            "document: {{ dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }}\ndo: [{{ greet: {{ call: wasm, with: {{ \
             component: '{component}', input: {{ name: Ada }} }} }} }}]"
        );
        std::fs::write(here.join("workflow.yaml"), document).unwrap();
    };
    write(&name);
    let denied = hotcell(here, &["run", "workflow.yaml"]);
    assert_eq!(denied.status.code(), Some(2), "{}", text(&denied.stderr));
    assert!(text(&denied.stderr).contains(&format!("--allow-net {host}")), "{}", text(&denied.stderr));

    let ran = hotcell(here, &["run", "workflow.yaml", "--allow-net", &host]);
    assert_eq!(text(&ran.stdout), "{\"greeting\":\"Hello Ada!\"}\n", "{}", text(&ran.stderr));

    let pulled = hotcell(here, &["component", "pull", &pinned, "--output", "again.wasm"]);
    assert!(pulled.status.success(), "{}", text(&pulled.stderr));
    assert!(std::fs::read(here.join("again.wasm")).unwrap() == std::fs::read(here.join("greet.wasm")).unwrap());

    drop(server);
    write(&pinned);
    let ran = hotcell(here, &["run", "workflow.yaml"]);
    assert_eq!(text(&ran.stdout), "{\"greeting\":\"Hello Ada!\"}\n", "{}", text(&ran.stderr));
}

#[test]
fn a_path_may_be_pinned_too() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("greet.wasm"), b"not this").unwrap();
    let document = format!(
        "document: {{ dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }}\ndo: [{{ greet: {{ call: wasm, with: {{ component: \
         'greet.wasm@sha256:{}' }} }} }}]",
        "0".repeat(64)
    );
    std::fs::write(here.join("workflow.yaml"), document).unwrap();
    let refused = hotcell(here, &["run", "workflow.yaml"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("it was changed since"), "{}", text(&refused.stderr));
}
