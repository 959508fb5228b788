//! Files in memory, in which components and what they are compiled to go from process to process.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

/// An empty file.
pub(super) fn create() -> io::Result<File> {
    Ok(memfd_create("hotcell", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?.into())
}

/// A file with this content, which nobody can change any more.
pub(super) fn with(content: &[u8]) -> io::Result<File> {
    let mut file = create()?;
    file.write_all(content)?;
    seal(&file)?;
    Ok(file)
}

/// From now on the file stays as it is, for whoever has it. Fails while it is mapped for writing.
pub(super) fn seal(file: &File) -> io::Result<()> {
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    Ok(fcntl_add_seals(file, seals)?)
}

/// All of a file, if that is not too much. Where others have read to does not matter: they share one position.
pub(super) fn read(file: &File, limit: usize) -> io::Result<Vec<u8>> {
    // `File::metadata` looks files up by their paths, too, which workers may not.
    let length = usize::try_from(rustix::fs::fstat(file)?.st_size).unwrap_or(usize::MAX);
    if length > limit {
        return Err(io::Error::other("the file is too large"));
    }
    let mut content = vec![0; length];
    file.read_exact_at(&mut content, 0)?;
    Ok(content)
}
