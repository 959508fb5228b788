//! The contract `hotcell:task`, as wit-bindgen makes Rust of it. Only what stands in a cell can call it.

// Generated code: the component model's ABI hands over raw memory, and the exports are symbols without mangling.
#![allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, clippy::undocumented_unsafe_blocks)]

wit_bindgen::generate!({
    path: "../../wit/task.wit",
    world: "task",
    pub_export_macro: true,
    export_macro_name: "export_task",
    default_bindings_module: "hotcell::__private::bindings",
});
