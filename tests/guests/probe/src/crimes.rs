//! What a task should not do: keep the host busy, and take what there is.

use std::hint::black_box;
use std::sync::Mutex;

/// What `remember` wrote. In a fresh cell, nobody has written.
static MEMORY: Mutex<Option<String>> = Mutex::new(None);

pub(crate) fn remember(message: String) -> Option<String> {
    MEMORY.lock().expect("nobody panics while holding it").replace(message)
}

pub(crate) fn spin_forever() -> ! {
    let mut round = 0_u64;
    loop {
        round = black_box(round.wrapping_add(1));
    }
}

pub(crate) fn spin(rounds: u64) -> u64 {
    (0..rounds).fold(0, |sum, round| black_box(sum ^ round.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}

/// Touches each block, as memory that is only reserved costs the host nothing.
pub(crate) fn allocate(mebibytes: u32) -> usize {
    // Not collected, which would ask for room for all of them first.
    let mut blocks = Vec::new();
    for block in 0..mebibytes {
        blocks.push(black_box(vec![block as u8 | 1; 1024 * 1024]));
    }
    black_box(&blocks).len()
}

/// The buffer makes each frame some hundred bytes of the stack in linear memory; looking at it after the call keeps the compiler
/// from making a loop of it.
#[inline(never)]
pub(crate) fn recurse(depth: u32) -> u32 {
    let frame = black_box([depth; 64]);
    if depth == 0 { 0 } else { 1 + recurse(black_box(depth - 1)).wrapping_add(black_box(frame[0]) - depth) }
}
