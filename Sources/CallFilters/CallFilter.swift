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

  /// Makes a filter in a forked process, if one can be had: libseccomp leaves the heap's free memory in small pieces,
  /// on pages that every later forked process would touch.
  ///
  /// - Parameter make: makes the filter.
  public static func makeApart(_ make: () throws(SystemCallError) -> CallFilter) throws(SystemCallError) -> CallFilter {
    let file = try MemoryFile.create(name: "begat-filter", size: 0)
    switch try? ForkedProcess.fork(exitSignal: .child) {
    case nil: return try make()
    case .child:
      do throws(SystemCallError) {
        let filter = try make()
        try file.writeAll(UnsafeRawBufferPointer(filter.program.unsafeBytes))
        ProcessControl.exitImmediately(status: 0)
      } catch { ProcessControl.exitImmediately(status: 1) }
    case .parent(let child):
      // If the child failed, repeat it here, where the reason can be thrown.
      guard try Children.wait(for: child) == .exited(code: 0) else { return try make() }
      return CallFilter(try MemoryMapping.file(file, size: try MemoryFile.size(of: file), writable: false))
    }
  }

  /// How many instructions it has, of 8 bytes each.
  public var instructionCount: Int { program.unsafeBytes.count / 8 }

  /// Subjects the calling process and its children to the filter, forever.  They must have no_new_privs.
  public consuming func enter() throws(SystemCallError) {
    guard confinement_load_filter(program.unsafeBytes.baseAddress, UInt32(instructionCount)) == 0 else {
      throw SystemCallError("prctl", on: "PR_SET_SECCOMP", code: ErrorCode(rawValue: errno))
    }
  }
}
