//! The socket between a worker and its host. Both ends write alike; only the worker takes files that come with messages.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::Serialize;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::Notify;

use super::wire;

/// How much is read at once.
const READ: usize = 64 << 10;
/// The most files that come with one message.
const FILES: usize = 2;

/// One end of the socket. Messages are written at once, from whatever thread sends them; what the socket does not take is
/// written later by [`Socket::write_rest`], in order.
#[derive(Clone)]
pub(super) struct Socket {
    shared: Arc<Shared>,
}

struct Shared {
    stream: UnixStream,
    outgoing: Mutex<VecDeque<Outgoing>>,
    more: Notify,
}

/// A frame of which something has not been written yet.
struct Outgoing {
    bytes: Vec<u8>,
    written: usize,
    /// They go with the first byte.
    files: Vec<OwnedFd>,
}

impl Socket {
    /// Takes an end over. Needs a tokio runtime.
    pub(super) fn new(stream: std::os::unix::net::UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        let stream = UnixStream::from_std(stream)?;
        Ok(Socket { shared: Arc::new(Shared { stream, outgoing: Mutex::default(), more: Notify::new() }) })
    }

    /// Sends a message. That the other end is gone is not told here but to who reads.
    pub(super) fn send(&self, message: &impl Serialize) -> Result<(), wire::Nonsense> {
        self.send_with(message, Vec::new())
    }

    /// Sends a message and files with it.
    pub(super) fn send_with(&self, message: &impl Serialize, files: Vec<OwnedFd>) -> Result<(), wire::Nonsense> {
        let mut frame = Outgoing { bytes: wire::frame(message)?, written: 0, files };
        let mut outgoing = self.outgoing();
        // Most of the time there is room, whatever the runtime knows of it.
        if outgoing.is_empty() && self.write(&mut frame).is_ok_and(|whole| whole) {
            return Ok(());
        }
        outgoing.push_back(frame);
        drop(outgoing);
        self.shared.more.notify_one();
        Ok(())
    }

    /// Writes what could not be written at once, until the other end is gone.
    pub(super) async fn write_rest(&self) -> io::Result<()> {
        loop {
            self.shared.more.notified().await;
            while !self.outgoing().is_empty() {
                self.shared.stream.writable().await?;
                let written = self.shared.stream.try_io(Interest::WRITABLE, || {
                    let mut outgoing = self.outgoing();
                    while let Some(frame) = outgoing.front_mut() {
                        if !self.write(frame)? {
                            return Err(io::ErrorKind::WouldBlock.into());
                        }
                        outgoing.pop_front();
                    }
                    Ok(())
                });
                match written {
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                    _ => {}
                }
            }
        }
    }

    /// Writes as much as there is room for: whether that is all.
    fn write(&self, frame: &mut Outgoing) -> io::Result<bool> {
        while frame.written < frame.bytes.len() {
            let files: Vec<BorrowedFd<'_>> = frame.files.iter().map(AsFd::as_fd).collect();
            let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES))];
            let mut control = SendAncillaryBuffer::new(&mut room);
            if !files.is_empty() {
                control.push(SendAncillaryMessage::ScmRights(&files));
            }
            let rest = IoSlice::new(&frame.bytes[frame.written..]);
            match sendmsg(&self.shared.stream, &[rest], &mut control, SendFlags::NOSIGNAL) {
                Ok(written) => {
                    frame.written += written;
                    frame.files.clear();
                }
                Err(Errno::AGAIN) => return Ok(false),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// Waits for bytes and adds them to what came. False at the end. Files that come with them are closed by the system.
    pub(super) async fn read(&self, incoming: &mut wire::Incoming) -> io::Result<bool> {
        let mut buffer = [0; READ];
        loop {
            self.shared.stream.readable().await?;
            match self.shared.stream.try_read(&mut buffer) {
                Ok(read) => {
                    incoming.push(&buffer[..read]);
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The same, with files that come: in the order of the messages that they belong to.
    pub(super) async fn read_with(
        &self,
        incoming: &mut wire::Incoming,
        files: &mut VecDeque<OwnedFd>,
    ) -> io::Result<bool> {
        let mut buffer = vec![0; READ];
        loop {
            self.shared.stream.readable().await?;
            let read = self.shared.stream.try_io(Interest::READABLE, || {
                let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES))];
                let mut control = RecvAncillaryBuffer::new(&mut room);
                let mut buffers = [IoSliceMut::new(&mut buffer)];
                let read = recvmsg(&self.shared.stream, &mut buffers, &mut control, RecvFlags::CMSG_CLOEXEC)?;
                for message in control.drain() {
                    if let RecvAncillaryMessage::ScmRights(came) = message {
                        files.extend(came);
                    }
                }
                Ok(read.bytes)
            });
            match read {
                Ok(read) => {
                    incoming.push(&buffer[..read]);
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn outgoing(&self) -> MutexGuard<'_, VecDeque<Outgoing>> {
        // Nothing that can panic runs while it is held.
        self.shared.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
