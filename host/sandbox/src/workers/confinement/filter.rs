//! The system calls that are left: what wasmtime, tokio and the allocator need, and nothing that reaches beyond the process.
//!
//! What is not in the list fails with EPERM rather than ending the process: libraries ask the system for advice that they
//! can do without (how many processors a cgroup has, say), and a guest that has broken out gets no further either way.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::{Eq, MaskedEq};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

/// Needed, and harmless whatever the arguments are.
const ALLOWED: &[c_long] = &[
    // The socket, and the pipe behind standard error. Files come through the socket.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_recvmsg,
    libc::SYS_sendmsg,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_lseek,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    // Memory. Code is made by making it executable after it was written.
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    // The images that the memories of fresh cells are made of.
    libc::SYS_memfd_create,
    libc::SYS_ftruncate,
    // Threads and time.
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_membarrier,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_restart_syscall,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Traps of guests are signals.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    // Waiting.
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    libc::SYS_ppoll,
    libc::SYS_getrandom,
    // Refused by a filter of its own, see `no_clone3`.
    libc::SYS_clone3,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
];

/// Installs the filters. Nothing but the death of the process removes them.
pub(super) fn install() -> Result<(), String> {
    for filter in [no_clone3(), allowed()] {
        let program: BpfProgram = filter
            .and_then(|(rules, default, matched)| SeccompFilter::new(rules, default, matched, arch()?)?.try_into())
            .map_err(|error| format!("the filter cannot be built: {error}"))?;
        seccompiler::apply_filter(&program)
            .map_err(|error| format!("{error}; use a kernel with CONFIG_SECCOMP_FILTER"))?;
    }
    Ok(())
}

fn arch() -> Result<TargetArch, BackendError> {
    std::env::consts::ARCH.try_into()
}

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;
type Filter = Result<(Rules, SeccompAction, SeccompAction), BackendError>;

/// The arguments of `clone3` stand in memory, where a filter cannot look. Without it, the C library starts threads with
/// `clone`, whose arguments can be checked.
fn no_clone3() -> Filter {
    let rules = Rules::from([(libc::SYS_clone3, vec![])]);
    Ok((rules, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32)))
}

fn allowed() -> Filter {
    let mut rules: Rules = ALLOWED.iter().map(|call| (*call, vec![])).collect();
    let mut only = |call: c_long, alternatives: Vec<Vec<SeccompCondition>>| {
        let alternatives: Result<_, _> = alternatives.into_iter().map(SeccompRule::new).collect();
        alternatives.map(|alternatives| drop(rules.insert(call, alternatives)))
    };
    // Threads, but no processes.
    let thread = (libc::CLONE_VM | libc::CLONE_THREAD | libc::CLONE_SIGHAND) as u64;
    only(libc::SYS_clone, vec![vec![argument(0, Qword, MaskedEq(thread), thread)?]])?;
    // A process that gives up signals itself, and nobody else.
    let own = std::process::id().into();
    only(libc::SYS_tgkill, vec![vec![argument(0, Dword, Eq, own)?]])?;
    // The names of threads; among the others is what takes this filter's like away.
    only(libc::SYS_prctl, vec![vec![argument(0, Dword, Eq, libc::PR_SET_NAME as u64)?]])?;
    // What its own limits are, not what they should be.
    only(libc::SYS_prlimit64, vec![vec![argument(0, Dword, Eq, 0)?, argument(2, Qword, Eq, 0)?]])?;
    let fcntl = [libc::F_DUPFD_CLOEXEC, libc::F_GETFD, libc::F_SETFD, libc::F_GETFL, libc::F_SETFL, libc::F_ADD_SEALS];
    let fcntl: Result<_, _> =
        fcntl.into_iter().map(|command| Ok(vec![argument(1, Dword, Eq, command as u64)?])).collect();
    only(libc::SYS_fcntl, fcntl?)?;
    only(libc::SYS_ioctl, vec![vec![argument(1, Dword, Eq, libc::FIONBIO)?]])?;
    Ok((rules, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow))
}

fn argument(
    index: u8,
    length: SeccompCmpArgLen,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(index, length, operator, value)
}
