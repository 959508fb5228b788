//! Files that are open though this process did not open them.

#![expect(unsafe_code, reason = "closing a descriptor that one does not own is never checked")]

/// Closes all descriptors but the three standard ones: hotcell opens all of its own so that they do not outlive `exec`, but
/// whoever started hotcell may have left some open.
pub(super) fn close_others() -> Result<(), String> {
    // SAFETY: it is called first of all, on the only thread; nothing in this process has opened anything yet that
    // would be used afterwards.
    match unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) } {
        0 => Ok(()),
        _ => Err(format!("close_range: {}; use Linux 5.9 or later", std::io::Error::last_os_error())),
    }
}
