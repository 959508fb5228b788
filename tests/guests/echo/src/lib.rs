//! A task for tests: returns its input.

use hotcell::Value;

#[hotcell::task]
fn echo(input: Value) -> Value {
    input
}
