import Glibc

/// The calling process as a command of a shell: its name, its words, and the frame of its main function.
///
///     import UnixIPC
///
///     CommandLineProgram.run {
///       let file = try Descriptor.open(CommandLineProgram.arguments.first ?? "-", .readOnly)
///       try file.copyAll(to: StandardStreams.output)
///     }
///
/// Values that own something belong into such a body, or into a `do` block: Swift never destroys a variable at the top
/// level of a main file, so a FIFO would stay behind, and a child would run on.
public enum CommandLineProgram {
  /// Ends the program with a status, from anywhere in the body of ``run(_:)``; owners are let go of on the way.
  public struct Exit: Error, Hashable, Sendable {
    /// The exit status, 0 to 255.
    public let status: CInt
    /// A line for standard error, such as how the program is used; nil for none.
    public let message: String?

    /// Makes an end of the program.
    ///
    /// - Parameter status: the exit status; 64 is usual for wrong arguments (sysexits.h).
    /// - Parameter message: a line for standard error, without the program's name; nil for none.
    public init(status: CInt, message: String? = nil) {
      self.status = status
      self.message = message
    }
  }

  /// The name under which the program was started, without directories.
  public static var name: String {
    let path = CommandLine.arguments.first ?? ""
    return path.split(separator: "/").last.map(String.init) ?? path
  }

  /// The arguments of the program, without its name.
  public static var arguments: [String] { Array(CommandLine.arguments.dropFirst()) }

  /// Runs the body of a program, and ends the process.
  ///
  /// The status is 0 when the body returns.  An error that it throws is reported as `NAME: ERROR`, and the status is 1; an
  /// ``Exit`` has a status and a message of its own.  What was printed is written before, and if that fails, it is an error
  /// as well.  Exit handlers run.
  public static func run(_ body: () throws -> Void) -> Never { exit(status(of: body)) }

  /// The exit status of a body, whose error is reported.
  static func status(of body: () throws -> Void) -> CInt {
    do {
      try body()
      // A full disk shows only now where a file was printed to.
      if fflush(nil) != 0 { throw SystemCallError("write", on: "standard output", code: .current) }
      return 0
    } catch let end as Exit {
      fflush(nil)
      if let message = end.message { try? StandardStreams.error.writeAll(message + "\n") }
      return (0...255).contains(end.status) ? end.status : 255
    } catch {
      fflush(nil)
      report(error)
      return 1
    }
  }

  /// Writes a line with the program's name and a message to standard error: `NAME: MESSAGE`.
  ///
  /// A reader that is gone is no failure, and no signal.
  public static func report(_ message: String) { try? StandardStreams.error.writeAll("\(name): \(message)\n") }

  /// Writes a line with the program's name and an error to standard error: `NAME: ERROR`.
  public static func report(_ error: any Error) { report("\(error)") }
}
