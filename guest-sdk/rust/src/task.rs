//! The attribute that makes a function a task.

/// Makes a function the task of its crate.
///
/// The function takes the task's input by value, as any type that implements `serde::Deserialize`, or nothing when it
/// does not care. It returns the output, as any type that implements `serde::Serialize`, or a `Result` of such a type
/// and of anything that becomes a [`Problem`](crate::Problem): a `Problem` itself, or any `std::error::Error`.
///
/// ```
/// #[hotcell::task]
/// fn greet(name: String) -> String {
///     format!("Hello {name}!")
/// }
/// # fn main() { assert_eq!(greet("Ada".into()), "Hello Ada!"); }
/// ```
///
/// The function itself stays as it is, so that tests can call it. It cannot be generic, `async` or a method. A crate is
/// one task; a second one, in whatever module, does not compile:
///
/// ```compile_fail,E0428
/// #[hotcell::task]
/// fn one() {}
///
/// mod more {
///     #[hotcell::task]
///     fn two() {}
/// }
/// # fn main() {}
/// ```
pub use hotcell_macros::task;
