import Glibc

/// What a standard stream of a program to start is.
public enum ProgramStream: Hashable, Sendable {
  /// The caller's own.
  case inherited
  /// Empty for reading, bottomless for writing.
  case null
  /// An open descriptor of the caller's, who keeps it.
  case descriptor(CInt)
  /// Of the standard error: wherever the standard output goes (`2>&1`).
  case asOutput
}

/// The three standard streams of one start, as descriptors of the caller's.
struct ProgramStreams: ~Copyable {
  private let null: Descriptor?
  let numbers: [CInt]

  init(input: ProgramStream, output: ProgramStream, errors: ProgramStream) throws(SystemCallError) {
    let isNullNeeded = input == .null || output == .null || errors == .null
    let null: Descriptor? = isNullNeeded ? try Descriptor.open("/dev/null", .readWrite) : nil
    let nullNumber = isNullNeeded ? Self.number(of: null) : -1
    func number(_ stream: ProgramStream, _ standard: CInt) -> CInt {
      switch stream {
      case .inherited: standard
      case .null: nullNumber
      case .descriptor(let number): number
      case .asOutput: standard == STDERR_FILENO ? number(output, STDOUT_FILENO) : standard
      }
    }
    numbers = [number(input, STDIN_FILENO), number(output, STDOUT_FILENO), number(errors, STDERR_FILENO)]
    self.null = null
  }

  private static func number(of descriptor: borrowing Descriptor?) -> CInt {
    switch descriptor {
    case .some(let descriptor): descriptor.number
    case .none: -1
    }
  }
}

extension Program {
  /// Starts the program on these streams and with no other descriptor.
  public func spawn(
    input: ProgramStream = .inherited, output: ProgramStream = .inherited, errors: ProgramStream = .inherited
  ) throws(SystemCallError) -> ChildProcess {
    let streams = try ProgramStreams(input: input, output: output, errors: errors)
    let child = try spawn(descriptors: streams.numbers)
    withExtendedLifetime(streams) {}
    return child
  }

  /// Runs the program to its end: Perl's `system` with a list, without a shell.
  ///
  /// - Throws: why it cannot be executed, for one.
  public func run(
    input: ProgramStream = .inherited, output: ProgramStream = .inherited, errors: ProgramStream = .inherited
  ) throws(SystemCallError) -> ExitStatus {
    try spawn(input: input, output: output, errors: errors).wait()
  }

  /// Starts the program and lets it go, as the shell's `&` does for whoever forgets about it: it is a child of the
  /// process that takes orphans in, so it never becomes a zombie here, and nobody learns how it ends.
  ///
  /// - Returns: its number, which may be another process's once it has ended.
  /// - Throws: why it cannot be executed, for one.
  @discardableResult
  public func startDetached(
    input: ProgramStream = .null, output: ProgramStream = .inherited, errors: ProgramStream = .inherited
  ) throws(SystemCallError) -> pid_t {
    var program = self
    program.isDetached = true
    // Its parent is gone on purpose.
    program.deathSignal = nil
    let streams = try ProgramStreams(input: input, output: output, errors: errors)
    let process = try program.start(descriptors: streams.numbers)
    withExtendedLifetime(streams) {}
    return process
  }
}
