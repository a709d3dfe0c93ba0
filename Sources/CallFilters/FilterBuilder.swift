import CSeccomp
import Glibc
@_spi(Begat) import UnixCore

/// Collects rules about system calls and makes a filter of them.
///
/// Source: seccomp_init(3), seccomp_rule_add(3).
struct FilterBuilder: ~Copyable {
  /// The kernel's answer to a call.
  enum Action {
    case permit
    /// The call fails.
    case fail(CInt)

    fileprivate var native: UInt32 {
      switch self {
      case .permit: 0x7fff_0000  // SCMP_ACT_ALLOW
      case .fail(let error): 0x0005_0000 | UInt32(error & 0xffff)  // SCMP_ACT_ERRNO
      }
    }
  }

  /// A condition about one of a call's arguments, as 64 bits.
  struct Condition {
    fileprivate let native: scmp_arg_cmp

    static func argument(_ index: UInt32, is value: UInt64) -> Condition {
      Condition(native: scmp_arg_cmp(arg: index, op: SCMP_CMP_EQ, datum_a: value, datum_b: 0))
    }

    static func argument(_ index: UInt32, isNot value: UInt64) -> Condition {
      Condition(native: scmp_arg_cmp(arg: index, op: SCMP_CMP_NE, datum_a: value, datum_b: 0))
    }

    /// Whether the bits of a mask have this value.
    static func argument(_ index: UInt32, masked mask: UInt64, is value: UInt64) -> Condition {
      Condition(native: scmp_arg_cmp(arg: index, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value))
    }
  }

  private let context: scmp_filter_ctx

  /// - Parameter action: for calls without a rule.
  init(otherwise action: Action) throws(SystemCallError) {
    guard let context = seccomp_init(action.native) else {
      throw SystemCallError("seccomp_init", code: .noMemory)
    }
    // As a tree instead of a list: the kernel runs the filter once for each call's number when it is loaded.  Without
    // that it is only slower to load.
    seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2)
    self.context = context
  }

  deinit { seccomp_release(context) }

  /// Lets the filter see calls by another architecture's numbers as well; without that, such a call ends the process.
  func add(_ architecture: UInt32) throws(SystemCallError) {
    let result = seccomp_arch_add(context, architecture)
    if result != -EEXIST { try done(result, "seccomp_arch_add", nil) }
  }

  /// Adds a rule for each of the calls, which holds if all conditions do.
  func add(_ action: Action, _ calls: [StaticString], if conditions: [Condition] = []) throws(SystemCallError) {
    for call in calls {
      let number = call.utf8Start.withMemoryRebound(to: CChar.self, capacity: call.utf8CodeUnitCount + 1) {
        seccomp_syscall_resolve_name($0)
      }
      // A call that this library is too old to know, or that this machine's architecture has not.
      if number == -1 { throw SystemCallError("seccomp_syscall_resolve_name", on: "\(call)", code: .invalidArgument) }
      let natives = conditions.map(\.native)
      try done(
        seccomp_rule_add_array(context, action.native, number, UInt32(natives.count), natives), "seccomp_rule_add", call
      )
    }
  }

  /// The filter as the kernel takes it; what the library has allocated for it is free again afterwards.
  consuming func finish() throws(SystemCallError) -> CallFilter {
    let file = try MemoryFile.create(name: "begat-filter", size: 0)
    try done(seccomp_export_bpf(context, file.number), "seccomp_export_bpf", nil)
    let size = try MemoryFile.size(of: file)
    return CallFilter(try MemoryMapping.file(file, size: size, writable: false))
  }

  private func done(_ result: CInt, _ step: String, _ call: StaticString?) throws(SystemCallError) {
    guard result < 0 else { return }
    throw SystemCallError(step, on: call.map { "\($0)" }, code: ErrorCode(rawValue: -result))
  }
}
