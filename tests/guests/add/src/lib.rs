//! A task for benchmarks: adds one, so that what is measured is everything around it.

use serde::{Deserialize, Serialize};

/// What goes in and comes out: `{"value":41}`, `{"value":42}`.
#[derive(Deserialize, Serialize)]
struct Counted {
    value: i64,
}

#[hotcell::task]
fn add(Counted { value }: Counted) -> Counted {
    Counted { value: value.wrapping_add(1) }
}
