//! A worker that an attacker has taken over, after it was confined as every worker is: machine code of the attacker's choice runs
//! in it. It does what the test tells it, and tells what came of it as the output of its call.

#![expect(unsafe_code, reason = "an attacker makes system calls as they are")]

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode};

use libc::c_long;
use serde::Serialize;

/// The numbers of the messages of `wire.rs`.
mod message {
    pub(super) const READY: u32 = 0;
    pub(super) const ENDED: u32 = 2;
    pub(super) const LOG: u32 = 3;
    pub(super) const ASK: u32 = 5;
    pub(super) const CALL: u32 = 2;
    pub(super) const ANSWER: u32 = 4;
}

/// Waits for a call, and attacks.
pub(crate) fn main(attack: &str) -> ExitCode {
    let parent = std::os::unix::process::parent_id();
    let program = std::env::current_exe().expect("a path");
    hotcell_sandbox::confine_as_worker();
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned().expect("a socket"));
    let mut host = Host { socket };
    host.receive();
    host.send(&(message::READY, Vec::<u8>::new()));
    loop {
        let frame = host.receive();
        let Ok(((message::CALL, number), _)) = postcard::take_from_bytes::<(u32, u64)>(&frame) else { continue };
        match attack {
            "system" => {
                let attempts = attempts(parent, &program);
                host.end(number, &serde_json::to_string(&attempts).expect("JSON"));
            }
            // The calls of others have other numbers, which are easy to guess.
            "forge" => {
                (1..number + 100).filter(|other| *other != number).for_each(|other| host.end(other, "\"forged\""))
            }
            "ask-for-others" => {
                let others = (1..number + 100).filter(|other| *other != number);
                others.for_each(|other| host.send(&(message::ASK, other, (0_u32, "token"))));
            }
            // At once, so that no answer comes in between.
            "ask-twice" => host.write(&framed(&(message::ASK, number, (0_u32, "token"))).repeat(100)),
            "ask-for-more" => {
                host.send(&(message::ASK, number, (0_u32, "password")));
                let answer = loop {
                    let frame = host.receive();
                    if let Ok(((message::ANSWER, answered, 0, secret), _)) =
                        postcard::take_from_bytes::<(u32, u64, u32, Option<String>)>(&frame)
                    {
                        assert_eq!(answered, number);
                        break secret;
                    }
                };
                host.end(number, &serde_json::to_string(&answer).expect("JSON"));
            }
            "flood" => loop {
                host.send(&(message::LOG, number, 2_u32, 0_u32, "x".repeat(16_000)));
            },
            "deceive" => {
                host.send(&(message::LOG, number, 2_u32, 0_u32, "\u{1b}[2Jall is well"));
                host.end(number, "1");
            }
            "garbage" => host.write(&[0x55; 100_000]),
            "too-long" => host.write(&u32::MAX.to_le_bytes()),
            "nested" => host.end(number, &"[".repeat(1_000_000)),
            other => panic!("unknown: {other}"),
        }
    }
}

fn framed(message: &impl Serialize) -> Vec<u8> {
    let bytes = postcard::to_stdvec(message).expect("it can be encoded");
    let mut frame = (bytes.len() as u32).to_le_bytes().to_vec();
    frame.extend(bytes);
    frame
}

/// The other end of the socket.
struct Host {
    socket: UnixStream,
}

impl Host {
    fn send(&mut self, message: &impl Serialize) {
        self.write(&framed(message));
    }

    fn end(&mut self, call: u64, output: &str) {
        let nothing = (0_u64, 0_u32);
        self.send(&(message::ENDED, call, (0_u32, output), (nothing, nothing, nothing, 0_u64, 0_u64, 0_u64)));
    }

    /// Once the host has had enough, this process is killed.
    fn write(&mut self, bytes: &[u8]) {
        if self.socket.write_all(bytes).is_err() {
            std::process::exit(0);
        }
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut length = [0; 4];
        let mut frame = Vec::new();
        let received = self.socket.read_exact(&mut length).and_then(|()| {
            frame.resize(u32::from_le_bytes(length) as usize, 0);
            self.socket.read_exact(&mut frame)
        });
        if received.is_err() {
            std::process::exit(0);
        }
        frame
    }
}

/// What can be tried against the system, and how each attempt ended: `allowed`, or why not.
fn attempts(parent: u32, file: &std::path::Path) -> BTreeMap<String, String> {
    let mut outcomes = BTreeMap::new();
    let mut tried = |what: &str, outcome: io::Result<()>| {
        let outcome = match outcome {
            Ok(()) => "allowed".to_owned(),
            Err(error) => format!("{:?}", error.raw_os_error()),
        };
        outcomes.insert(what.to_owned(), outcome);
    };
    tried("tcp", std::net::TcpStream::connect("127.0.0.1:9").map(drop));
    tried("udp", std::net::UdpSocket::bind("127.0.0.1:0").map(drop));
    tried("listen", std::net::TcpListener::bind("127.0.0.1:0").map(drop));
    tried("unix socket", UnixStream::connect("/run/dbus/system_bus_socket").map(drop));
    tried("/etc/passwd", std::fs::read("/etc/passwd").map(drop));
    tried("a file of the host's", std::fs::read(file).map(drop));
    tried("its metadata", std::fs::metadata(file).map(drop));
    tried("a folder", std::fs::read_dir("/").map(drop));
    tried("a new file", std::fs::write(std::env::temp_dir().join("hotcell-compromised"), "x"));
    tried("the host's memory", std::fs::read(format!("/proc/{parent}/mem")).map(drop));
    tried("the host's environment", std::fs::read(format!("/proc/{parent}/environ")).map(drop));
    tried("its own memory as a file", std::fs::read("/proc/self/maps").map(drop));
    tried("a program", Command::new("/bin/true").status().map(drop));
    tried("files that were left open", left_open());
    let parent = c_long::from(parent as i32);
    for (what, number, arguments) in [
        ("socket", libc::SYS_socket, [libc::AF_INET as c_long, libc::SOCK_STREAM as c_long, 0]),
        ("raw socket", libc::SYS_socket, [libc::AF_PACKET as c_long, libc::SOCK_RAW as c_long, 0]),
        ("netlink", libc::SYS_socket, [libc::AF_NETLINK as c_long, libc::SOCK_RAW as c_long, 0]),
        ("execve", libc::SYS_execve, [c"/bin/true".as_ptr() as c_long, 0, 0]),
        ("execveat", libc::SYS_execveat, [libc::AT_FDCWD as c_long, c"/bin/true".as_ptr() as c_long, 0]),
        ("a process", libc::SYS_clone, [libc::SIGCHLD as c_long, 0, 0]),
        ("ptrace the host", libc::SYS_ptrace, [libc::PTRACE_ATTACH as c_long, parent, 0]),
        ("ptrace itself", libc::SYS_ptrace, [libc::PTRACE_TRACEME as c_long, 0, 0]),
        ("process_vm_readv", libc::SYS_process_vm_readv, [parent, 0, 0]),
        ("process_vm_writev", libc::SYS_process_vm_writev, [parent, 0, 0]),
        ("kill the host", libc::SYS_kill, [parent, 0, 0]),
        ("tgkill the host", libc::SYS_tgkill, [parent, parent, 0]),
        ("pidfd_open", libc::SYS_pidfd_open, [parent, 0, 0]),
        ("the host's limits", libc::SYS_prlimit64, [parent, libc::RLIMIT_NOFILE as c_long, 0]),
        ("unshare", libc::SYS_unshare, [libc::CLONE_NEWUSER as c_long, 0, 0]),
        ("mount", libc::SYS_mount, [0, 0, 0]),
        ("bpf", libc::SYS_bpf, [0, 0, 0]),
        ("perf_event_open", libc::SYS_perf_event_open, [0, 0, 0]),
        ("io_uring", libc::SYS_io_uring_setup, [1, 0, 0]),
        ("userfaultfd", libc::SYS_userfaultfd, [0, 0, 0]),
        ("keys", libc::SYS_keyctl, [0, 0, 0]),
        ("being dumpable", libc::SYS_prctl, [libc::PR_SET_DUMPABLE as c_long, 1, 0]),
        ("outliving the host", libc::SYS_prctl, [libc::PR_SET_PDEATHSIG as c_long, 0, 0]),
        ("a socket pair", libc::SYS_socketpair, [libc::AF_UNIX as c_long, libc::SOCK_STREAM as c_long, 0]),
        ("openat", libc::SYS_openat, [libc::AT_FDCWD as c_long, c"/etc/passwd".as_ptr() as c_long, 0]),
        ("openat2", libc::SYS_openat2, [libc::AT_FDCWD as c_long, c"/etc/passwd".as_ptr() as c_long, 0]),
        ("chdir", libc::SYS_chdir, [c"/etc".as_ptr() as c_long, 0, 0]),
        ("an image of a device", libc::SYS_ioctl, [0, libc::TIOCSTI as c_long, 0]),
    ] {
        let [a, b, c] = arguments;
        // SAFETY: the arguments are numbers, and texts that live as long as the program; the calls are refused, or fail.
        let result = unsafe { libc::syscall(number, a, b, c, 0, 0) };
        tried(what, if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) });
    }
    outcomes
}

/// Reads something from whatever descriptor there is but its own three and the socket.
fn left_open() -> io::Result<()> {
    for descriptor in 3..1_024 {
        let mut byte = 0_u8;
        // SAFETY: there is room for the one byte that is read.
        let read = unsafe { libc::pread(descriptor, (&raw mut byte).cast(), 1, 0) };
        if read > 0 {
            return Ok(());
        }
    }
    Err(io::Error::from_raw_os_error(libc::EBADF))
}
