//! Tells the linker how much stack the interpreter has.

/// 32 MiB instead of 1: enough for a recursion of ten thousand levels, which takes some 3 KiB for each. It is part
/// of the cell's memory, though untouched as long as nothing needs it. The host knows it too: `evaluator/programs.rs`.
const STACK: usize = 32 << 20;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!("cargo::rustc-link-arg-cdylib=-zstack-size={STACK}");
    }
}
