//! A worker as tests start it; or one that is in an attacker's hands, and does what the test tells it.

#[cfg(target_os = "linux")]
mod compromised;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["worker"] => hotcell_sandbox::worker_main(),
        ["compile"] => hotcell_sandbox::compiler_main(),
        ["compromised", attack] => compromised::main(attack),
        ref other => panic!("unknown: {other:?}"),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {}
