/// A program that ran and did not succeed.
///
/// Its description is a line for a log: `/usr/bin/lpr: exit 1: lpr: no default destination`.
public struct ProgramError: Error, Hashable, Sendable {
  /// The program's path; of a forked child, the name that ``ExitStatus/checkSuccess(of:)-(String)`` was given.
  public let path: UnixPath
  /// How it ended.
  public let status: ExitStatus
  /// Why it was ended before its time, such as "it took too long"; nil if it ended by itself.
  public let reason: String?
  /// The end of what it wrote, of its standard error if that was captured, at most 256 bytes; empty if nothing was.
  public let outputEnd: [UInt8]

  /// Creates an error.
  ///
  /// - Parameter path: the program's path.
  /// - Parameter status: how it ended.
  /// - Parameter reason: why it was ended before its time; nil if it ended by itself.
  /// - Parameter output: what it wrote, of which the end is kept.
  public init(_ path: UnixPath, status: ExitStatus, reason: String? = nil, output: some Collection<UInt8> = []) {
    self.path = path
    self.status = status
    self.reason = reason
    outputEnd = Array(output.suffix(256))
  }
}

extension ProgramError: CustomStringConvertible {
  /// One line, fit for a terminal: the status, the reason, and the last line that the program wrote, escaped.
  public var description: String {
    var text = "\(path): \(status)"
    if let reason { text += " (\(reason))" }
    if let line = outputEnd.split(separator: UInt8(ascii: "\n")).last {
      text += ": " + escaped(line, doublingBackslashes: false)
    }
    return text
  }
}

extension ExitStatus {
  /// Throws unless the program succeeded.
  ///
  ///     try program.run().checkSuccess(of: program)
  ///
  /// - Parameter program: is named in the error.
  public func checkSuccess(of program: Program) throws(ProgramError) {
    if !isSuccess { throw ProgramError(program.path, status: self) }
  }

  /// Throws unless the child succeeded: for a forked one, which has no program of its own.
  ///
  ///     try kid.close().checkSuccess(of: "the writing child")
  ///
  /// - Parameter name: stands in the place of a program's path in the error.
  public func checkSuccess(of name: String) throws(ProgramError) {
    if !isSuccess { throw ProgramError(UnixPath(name), status: self) }
  }
}
