import CPlatform
import Glibc

/// A program laid out as execve(2) wants it, once, to be started many times with some variables of each start.
///
/// Each start writes its variables into the object's own memory: it belongs to one thread, as the compiler ensures.  In
/// the program, only the dispositions are reset that were changed when the object was made, and the inherited variables
/// are those of that time.
///
/// Asking for all dispositions at each start would take a system call for each of 64 signals.  A handler that another
/// thread installs after the object was made may therefore run in the new process just before execve(2), when that
/// process still shares the caller's memory and a signal reaches it: install handlers before programs are prepared.
@_spi(Begat) public final class PreparedProgram {
  /// Writes the variables of one start.
  @_spi(Begat) public struct Variables {
    fileprivate var text: ByteWriter
    fileprivate let pointers: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>
    fileprivate var count = 0
    fileprivate let start: UnsafeMutablePointer<CChar>

    /// Adds `name=` and what `value` writes, which must not contain NUL.  What does not fit is left out whole.
    @_spi(Begat) public mutating func add(_ name: StaticString, _ value: (inout ByteWriter) -> Void) {
      var attempt = text
      attempt.append(name)
      attempt.append(UInt8(ascii: "="))
      value(&attempt)
      attempt.append(0)
      guard !attempt.isTruncated, count < pointers.count else { return }
      pointers[count] = start + text.count
      count += 1
      text = attempt
    }
  }

  /// How many variables one start may add, and how many bytes they may have together.
  private static let variableCount = 32
  private static let variableRoom = 4096

  private var native = platform_spawn()
  private let path: String
  private let directory: String?
  /// Whether C would start another program than was named: the rest of a text after a NUL would be lost.
  private let isInvalid: Bool
  private let fixedVariables: Int
  /// All that was allocated for it.
  private var strings: [UnsafeMutablePointer<CChar>] = []
  private let arguments: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>
  private let environment: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>
  private let limits: UnsafeMutableBufferPointer<platform_limit>
  private let identity: UnsafeMutablePointer<platform_identity>
  private let groups: UnsafeMutableBufferPointer<gid_t>
  private let room: UnsafeMutableRawBufferPointer

  /// Lays a program out.
  public init(_ program: Program) {
    path = program.path.description
    directory = program.directory?.description
    let words = [program.argumentZeroBytes ?? program.path.bytes] + program.argumentBytes
    let variables = program.environment.entries
    let texts = [program.path.bytes, program.directory?.bytes ?? []] + words + variables
    isInvalid = program.environment.hasInvalidName || texts.contains { $0.contains(0) }
    arguments = .allocate(capacity: words.count + 1)
    fixedVariables = variables.count + (program.setsListenPID ? 1 : 0)
    // NULL comes last.
    environment = .allocate(capacity: fixedVariables + PreparedProgram.variableCount + 1)
    limits = .allocate(capacity: program.limits.count)
    identity = .allocate(capacity: 1)
    groups = .allocate(capacity: program.identity?.groups.count ?? 0)
    room = .allocate(byteCount: PreparedProgram.variableRoom, alignment: 1)
    arguments.initialize(repeating: nil)
    environment.initialize(repeating: nil)
    native.ignored_signals = program.ignoredSignals.bits
    native.changed_signals = platform_changed_signals() & ~native.ignored_signals

    native.file = program.fileNumber ?? -1
    native.path = UnsafePointer(copy(program.path.bytes))
    native.directory = program.directory.map { UnsafePointer(copy($0.bytes)) }
    for (index, word) in words.enumerated() { arguments[index] = copy(word) }
    for (index, variable) in variables.enumerated() { environment[index] = copy(variable) }
    if program.setsListenPID {
      let variable = copy(Array("LISTEN_PID=0000000000".utf8))
      environment[variables.count] = variable
      native.process_digits = variable + 11
    }
    for (index, limit) in program.limits.enumerated() {
      limits[index] = platform_limit(resource: limit.resource.rawValue, soft: limit.soft, hard: limit.hard)
    }
    native.limits = UnsafePointer(limits.baseAddress)
    native.limit_count = CInt(clamping: limits.count)
    if let wanted = program.identity {
      _ = groups.initialize(from: wanted.groups)
      identity.initialize(
        to: platform_identity(
          user: wanted.user, group: wanted.group, groups: UnsafePointer(groups.baseAddress), group_count: groups.count))
      native.identity = UnsafePointer(identity)
    }
    native.arguments = UnsafePointer(arguments.baseAddress)
    native.environment = UnsafePointer(environment.baseAddress)
    native.file_mode_mask = program.umask.map { CInt($0 & 0o777) } ?? -1
    native.nice = program.nice
    native.death_signal = program.parentDeathSignal?.rawValue ?? 0
    native.orphan = program.isDetached
    native.new_session = program.leadsSession || program.controlsTerminal
    native.controlling_terminal = program.controlsTerminal
    native.new_group = program.leadsGroup
  }

  deinit {
    for string in strings { string.deallocate() }
    arguments.deallocate()
    environment.deallocate()
    limits.deallocate()
    identity.deallocate()
    groups.deallocate()
    room.deallocate()
  }

  private func copy(_ text: [UInt8]) -> UnsafeMutablePointer<CChar> {
    let copy = NativeStrings.copy(text)
    strings.append(copy)
    return copy
  }

  /// As `Program.start`, with variables of this start.
  @_spi(Begat) public func start(descriptors: [CInt], variables write: (inout Variables) -> Void = { _ in })
    throws(SystemCallError) -> pid_t
  {
    guard !isInvalid else { throw SystemCallError("execve", on: path, code: .invalidArgument) }
    let free = UnsafeMutableBufferPointer(rebasing: environment[fixedVariables..<environment.count - 1])
    var variables = Variables(
      text: ByteWriter(room), pointers: free, start: room.baseAddress!.assumingMemoryBound(to: CChar.self))
    write(&variables)
    environment[fixedVariables + variables.count] = nil

    var failedStep: UnsafePointer<CChar>?
    var error = ErrorCode(rawValue: 0)
    let child = descriptors.withUnsafeBufferPointer { descriptors in
      native.descriptors = descriptors.baseAddress
      native.descriptor_count = CInt(clamping: descriptors.count)
      let child = platform_spawn(&native, &failedStep)
      if child == -1 { error = ErrorCode.current }
      return child
    }
    guard child != -1 else {
      let step = failedStep.map { String(cString: $0) } ?? "vfork"
      throw SystemCallError(step, on: step == "chdir" ? directory : path, code: error)
    }
    return child
  }
}
