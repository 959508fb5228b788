//! The interface `hotcell:builtin/http`, as wit-bindgen makes Rust of it.

// Generated code: the component model's ABI hands over raw memory.
#![allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, clippy::undocumented_unsafe_blocks)]

wit_bindgen::generate!({
    path: "wit",
    world: "http-caller",
});
