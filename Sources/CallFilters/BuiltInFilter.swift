import CSeccomp
import Glibc
@_spi(Begat) import UnixCore

/// The filter of a listener that executes no program, and of its connection processes: a list of what they need.
///
/// Other calls fail with `EPERM`, which the C library and the services treat as any failure.  A call by another
/// architecture's numbers ends the process: nothing of ours makes one.
public struct BuiltInFilter {
  /// Calls that a service needs beyond those that all need.
  public struct Needs: OptionSet, Sendable {
    public let rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    /// It answers datagrams: an answer names its receiver.
    public static let datagrams = Needs(rawValue: 1)
    /// It shows who is logged in, from a file that is opened for each client.
    public static let logins = Needs(rawValue: 2)
    /// It removes files at its end that it has made itself.
    public static let ownFiles = Needs(rawValue: 4)
    /// It sets TCP_DEFER_ACCEPT when it begins to accept.
    public static let deferral = Needs(rawValue: 8)
  }

  /// PR_SET_PDEATHSIG, linux/prctl.h
  private static let setParentDeathSignal: UInt64 = 1
  #if arch(x86_64)
    /// CLONE_SETTLS, linux/sched.h: a child has its thread's variables at another place.
    private static let setThreadPointer: UInt64 = 0x0008_0000
  #else
    private static let setThreadPointer: UInt64 = 0
  #endif

  private static let common: [StaticString] = [
    // Bytes and descriptors.  No new socket and no address: those that exist were there before.
    "read", "readv", "write", "writev", "close", "close_range", "dup", "dup2", "dup3", "fcntl", "pipe2", "lseek",
    "fstat",
    "splice",
    "recvfrom", "recvmsg", "shutdown", "accept", "accept4", "getsockname", "getpeername",
    "poll", "ppoll", "epoll_ctl", "epoll_wait", "epoll_pwait",
    // Processes and signals.
    "wait4", "waitid", "kill", "tgkill", "getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid",
    "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait",
    "restart_syscall", "exit", "exit_group",
    "setrlimit", "getrlimit",
    // Time.
    "alarm", "setitimer", "getitimer", "clock_gettime", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
    // Memory and the C library.
    "brk", "munmap", "mremap", "madvise", "futex", "getrandom", "sched_yield", "rseq", "set_robust_list",
  ]

  /// - Parameter exitSignal: announces the end of a process that the listener forks; nil for a process that forks none.
  public static func make(_ needs: Needs, exitSignal: Signal?) throws(SystemCallError) -> CallFilter {
    let builder = try FilterBuilder(otherwise: .fail(EPERM))
    try builder.add(.permit, common)
    // Neither threads nor namespaces, and no memory that is shared with a child.
    if let exitSignal {
      try builder.add(
        .permit, ["clone"], if: [.argument(0, masked: ~setThreadPointer, is: UInt64(exitSignal.rawValue))])
    }
    // No new code.
    try builder.add(.permit, ["mmap", "mprotect"], if: [.argument(2, masked: UInt64(PROT_EXEC), is: 0)])
    // A limit that a connection process sets itself: limits of other processes would end or cripple them.
    try builder.add(.permit, ["prlimit64"], if: [.argument(0, is: 0)])
    try builder.add(.permit, ["prctl"], if: [.argument(0, is: setParentDeathSignal)])
    // Only to the peer of a connected socket.
    try builder.add(.permit, ["sendto"], if: [.argument(4, is: 0)])
    // Whether standard error is a terminal.
    try builder.add(.permit, ["ioctl"], if: [.argument(1, is: UInt64(TCGETS))])
    // The protocols' own options are a large part of the kernel.
    try builder.add(.permit, ["setsockopt"], if: [.argument(1, is: UInt64(SOL_SOCKET))])
    try builder.add(.permit, ["getsockopt"], if: [.argument(1, is: UInt64(SOL_SOCKET))])
    try builder.add(.permit, ["getsockopt"], if: [.argument(1, is: UInt64(IPPROTO_TCP))])
    if needs.contains(.deferral) {
      try builder.add(
        .permit, ["setsockopt"],
        if: [.argument(1, is: UInt64(IPPROTO_TCP)), .argument(2, is: UInt64(TCP_DEFER_ACCEPT))])
    }
    if needs.contains(.datagrams) { try builder.add(.permit, ["recvmmsg", "sendmmsg"]) }
    // EACCES, as for a file that may not be read: the C library goes on without it.
    let files: [StaticString] = ["open", "openat", "access", "faccessat", "faccessat2"]
    if needs.contains(.logins) {
      try builder.add(.permit, ["access", "faccessat", "faccessat2", "newfstatat", "pread64"])
      let changing = UInt64(O_ACCMODE | O_CREAT | O_TRUNC)
      try builder.add(.permit, ["openat"], if: [.argument(2, masked: changing, is: 0)])
      try builder.add(.permit, ["open"], if: [.argument(1, masked: changing, is: 0)])
    } else {
      try builder.add(.fail(EACCES), files)
    }
    if needs.contains(.ownFiles) {
      try builder.add(.permit, ["unlink", "unlinkat", "lstat", "newfstatat"])
    }
    return try builder.finish()
  }
}
