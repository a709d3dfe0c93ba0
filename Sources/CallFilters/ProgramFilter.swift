import CSeccomp
import Glibc
@_spi(Begat) import UnixCore

/// The filter of programs and of the listener that executes them: a list of what no service needs.
///
/// It is what container engines refuse by default, and ptrace(2) with its relatives.  Most of these calls need
/// capabilities anyway; to a program without any, they are ways into the kernel.
public enum ProgramFilter {
  private static let refused: [StaticString] = [
    // Other processes' memory and descriptors.
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
    // Large parts of the kernel that were ways into it.
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
    "add_key", "request_key", "keyctl", "lookup_dcookie", "vm86", "vm86old", "modify_ldt",
    // Namespaces and mounts.
    "unshare", "setns", "mount", "umount", "umount2", "pivot_root", "chroot", "mount_setattr", "move_mount",
    "open_tree",
    "fsopen", "fsconfig", "fsmount", "fspick", "open_by_handle_at", "quotactl", "quotactl_fd", "swapon", "swapoff",
    "nfsservctl",
    // The machine.
    "init_module", "finit_module", "delete_module", "create_module", "kexec_load", "kexec_file_load", "reboot", "acct",
    "syslog", "iopl", "ioperm", "settimeofday", "stime", "clock_settime", "clock_settime64", "clock_adjtime",
    "clock_adjtime64", "adjtimex", "vhangup", "uselib", "ustat", "sysfs", "_sysctl", "sethostname", "setdomainname",
    "move_pages", "migrate_pages", "set_mempolicy", "mbind",
  ]

  /// Namespaces that clone(2) makes: CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
  private static let namespaces: [UInt64] = [
    0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
  ]
  /// AF_ALG, AF_PACKET, AF_VSOCK, AF_XDP.
  private static let families: [UInt64] = [38, 17, 40, 44]
  /// TIOCSTI and TIOCLINUX put input into a terminal.
  private static let terminalInput: [UInt64] = [0x5412, 0x541c]

  /// - Parameter permitsNetwork: whether sockets can be made other than Unix sockets.
  public static func make(permitsNetwork: Bool = true) throws(SystemCallError) -> CallFilter {
    let builder = try FilterBuilder(otherwise: .permit)
    #if arch(x86_64)
      // A program may be one of 32 bits.
      try builder.add(UInt32(bitPattern: SCMP_ARCH_X86))
      try builder.add(UInt32(bitPattern: SCMP_ARCH_X32))
    #endif
    try builder.add(.fail(EPERM), refused)
    // The C library makes threads and processes by clone(2) then, whose flags a filter can see.
    try builder.add(.fail(ENOSYS), ["clone3"])
    for flag in namespaces { try builder.add(.fail(EPERM), ["clone"], if: [.argument(0, masked: flag, is: flag)]) }
    if !permitsNetwork {
      try builder.add(.fail(EAFNOSUPPORT), ["socket"], if: [.argument(0, isNot: UInt64(AF_UNIX))])
      // The older way of 32 bits, whose arguments a filter cannot see.
      try builder.add(.fail(EAFNOSUPPORT), ["socketcall"])
    }
    // The kernel looks at 32 bits of both.
    for family in families {
      try builder.add(.fail(EAFNOSUPPORT), ["socket"], if: [.argument(0, masked: 0xffff_ffff, is: family)])
    }
    for request in terminalInput {
      try builder.add(.fail(EPERM), ["ioctl"], if: [.argument(1, masked: 0xffff_ffff, is: request)])
    }
    return try builder.finish()
  }
}
