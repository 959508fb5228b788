//! What hash maps get when they ask for random seeds: always the same, so that the same validation takes the same
//! course. Who makes names collide slows down nobody but their own validation, whose time is bounded.

#![cfg(target_family = "wasm")]
#![allow(unsafe_code, reason = "getrandom asks for it in this way, with `--cfg getrandom_backend=\"custom\"`")]

/// Fills the buffer.
///
/// # Safety
/// `getrandom` calls it with a buffer of this length.
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(buffer: *mut u8, length: usize) -> Result<(), getrandom::Error> {
    // SAFETY: the buffer is as long as `length` says, and belongs to this call until it ends.
    unsafe { std::ptr::write_bytes(buffer, 0x5a, length) };
    Ok(())
}
