import CPlatform
import Glibc

extension ProcessControl {
  /// Makes the calling process another program, with its number, its parent, its terminal and its descriptors that are not
  /// close-on-exec; returns only if it cannot.
  ///
  /// Ignored and blocked signals stay so: a caller that changed some restores them before.
  ///
  /// - Parameters:
  ///   - path: the program's file.
  ///   - arguments: without the program's name.
  ///   - name: the name under which it runs, `argv[0]`; nil for its path.
  ///   - environment: the variables that it gets.
  /// - Throws: `EINVAL` for a path, an argument or a variable with a NUL, for one.
  ///
  /// Source: execve(2).
  public static func becomeProgram(
    at path: UnixPath, arguments: [[UInt8]], argumentZero name: [UInt8]? = nil,
    environment: Program.Environment = .inherited
  ) throws(SystemCallError) -> Never {
    try becomeProgram(at: path, file: nil, arguments: arguments, argumentZero: name, environment: environment)
  }

  /// Makes the calling process another program, whose file may be open already.
  ///
  /// - Parameters:
  ///   - path: the program's file.
  ///   - file: the descriptor of the file, which is executed whatever the path leads to; nil for the file at the path.
  ///   - arguments: without the program's name.
  ///   - name: the name under which it runs, `argv[0]`; nil for its path.
  ///   - environment: the variables that it gets.
  /// - Throws: as the form without a descriptor.
  ///
  /// Source: execve(2), execveat(2).
  @_spi(Begat) public static func becomeProgram(
    at path: UnixPath, file: CInt?, arguments: [[UInt8]], argumentZero name: [UInt8]? = nil,
    environment: Program.Environment = .inherited
  ) throws(SystemCallError) -> Never {
    let words = [name ?? path.bytes] + arguments
    let variables = environment.isInherited ? [] : environment.entries
    guard !environment.hasInvalidName, !(words + variables).contains(where: { $0.contains(0) }) else {
      throw SystemCallError("execve", on: path.description, code: .invalidArgument)
    }
    let nativeWords = words.map(NativeStrings.copy)
    let nativeVariables = variables.map(NativeStrings.copy)
    defer { for string in nativeWords + nativeVariables { string.deallocate() } }
    _ = try check("execve", path: path) { path in
      environment.isInherited
        ? platform_execute(file ?? -1, path, nativeWords + [nil], platform_environment())
        : platform_execute(file ?? -1, path, nativeWords + [nil], nativeVariables + [nil])
    }
    preconditionFailure("execve returned")
  }

  /// Makes the calling process another program, with arguments that are texts.
  ///
  /// - Parameters:
  ///   - path: the program's file.
  ///   - arguments: without the program's name.
  ///   - name: the name under which it runs, `argv[0]`; nil for its path.
  ///   - environment: the variables that it gets.
  /// - Throws: as the form with bytes.
  ///
  /// Source: execve(2).
  public static func becomeProgram(
    at path: String, arguments: [String], argumentZero name: String? = nil,
    environment: Program.Environment = .inherited
  ) throws(SystemCallError) -> Never {
    try becomeProgram(
      at: UnixPath(path), arguments: arguments.map { Array($0.utf8) }, argumentZero: name.map { Array($0.utf8) },
      environment: environment)
  }
}
