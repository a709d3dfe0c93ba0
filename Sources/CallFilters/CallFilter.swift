import CConfinement
import Glibc
@_spi(Begat) import UnixCore

/// A filter of system calls, ready to be loaded.
///
/// It is memory of its own, outside the heap, which is given back when the filter is loaded: forked processes find nothing
/// of it.
///
/// Source: seccomp(2).
public struct CallFilter: ~Copyable {
  private let program: MemoryMapping

  init(_ program: consuming MemoryMapping) { self.program = program }

  /// How many instructions it has, of 8 bytes each.
  public var instructionCount: Int { program.unsafeBytes.count / 8 }

  /// Subjects the calling process and its children to the filter, forever.  They must have no_new_privs.
  public consuming func enter() throws(SystemCallError) {
    guard confinement_load_filter(program.unsafeBytes.baseAddress, UInt32(instructionCount)) == 0 else {
      throw SystemCallError("prctl", on: "PR_SET_SECCOMP", code: ErrorCode(rawValue: errno))
    }
  }
}
