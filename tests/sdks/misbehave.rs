//! Does what it should not: `{"crime": "memory" | "spin" | "log"}`.

use serde::Deserialize;

#[derive(Deserialize)]
struct Plan {
    crime: String,
}

#[hotcell::task]
fn misbehave(plan: Plan) -> String {
    let mut kept = Vec::new();
    while plan.crime == "memory" {
        kept.push(vec![1_u8; 1 << 20]);
    }
    while plan.crime == "spin" {
        std::hint::spin_loop();
    }
    for line in 0..20_000 {
        hotcell::info(format_args!("line {line} of a flood that nobody reads"));
    }
    plan.crime
}
