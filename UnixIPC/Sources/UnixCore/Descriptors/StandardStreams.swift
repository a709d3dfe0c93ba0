import CPlatform
import Glibc

/// Descriptors 0, 1 and 2, which must be open: else the next file opened would be taken for one of them.
public enum StandardStreams {
  /// The standard input, descriptor 0.
  ///
  /// The three streams are the process's: they can be used from anywhere, and closed by ``take(_:)`` alone.
  public static let input = Descriptor(owning: STDIN_FILENO)

  /// The standard output, descriptor 1.
  ///
  ///     try file.copyAll(to: StandardStreams.output)
  ///
  /// Bytes that are written here are not buffered, so they overtake what was printed and not written yet: a program that
  /// also prints calls `fflush(nil)` before.  A reader that is gone is the error `EPIPE`, never a signal.
  public static let output = Descriptor(owning: STDOUT_FILENO)

  /// The standard error, descriptor 2; each call writes immediately.
  ///
  ///     try? StandardStreams.error.writeAll("no answer yet\n")
  ///
  /// ``CommandLineProgram/report(_:)-(String)`` writes a line that begins with the program's name.
  public static let error = Descriptor(owning: STDERR_FILENO)

  /// Opens /dev/null in the place of each one that is closed.
  ///
  /// - Parameter failing: whether they behave like closed ones, of which only the numbers are taken: reading 0 and writing
  ///   the others fails with `EBADF`, so that nothing is lost silently, and a program that this process becomes by
  ///   execve(2) finds them closed, as they were given to it.  Else they are empty and bottomless, and so they are
  ///   inherited.
  /// - Returns: the numbers that were closed.
  @discardableResult
  public static func ensureOpen(failing: Bool = false) throws(SystemCallError) -> [CInt] {
    var filled: [CInt] = []
    while true {
      var filler = try Descriptor.open("/dev/null", failing ? .readOnly : .readWrite)
      guard filler.number <= 2 else { return filled }
      if failing, filler.number == STDIN_FILENO {
        // Closed first: the number is wanted again.
        _ = consume filler
        filler = try Descriptor.open("/dev/null", .writeOnly)
      }
      try filler.setCloseOnExec(failing)
      filled.append(filler.release())
    }
  }

  /// Takes one of them over, so that its end can be passed on: closing the result closes it, because /dev/null has its
  /// place from now on.
  ///
  /// - Parameter number: 0, 1 or 2.
  /// - Throws: `EBADF` if it is closed.
  ///
  /// Source: dup2(2).
  public static func take(_ number: CInt) throws(SystemCallError) -> Descriptor {
    let null = try Descriptor.open("/dev/null", .readWrite)
    let taken = Descriptor(
      owning: try check("fcntl", onDescriptor: number) { platform_fcntl(number, F_DUPFD_CLOEXEC, 3) })
    _ = try check("dup2", onDescriptor: number) { dup2(null.number, number) }
    return taken
  }

  /// Closes what they were, and makes them /dev/null: empty and bottomless.
  ///
  /// - Parameter keepsErrors: whether standard error is left as it is.
  public static func redirectToNull(keepingErrors keepsErrors: Bool = false) {
    guard let null = try? Descriptor.open("/dev/null", .readWrite) else { return }
    for number in 0...(keepsErrors ? 1 : 2) where number != null.number { dup2(null.number, CInt(number)) }
    // If one of them was closed, it is that one.
    if null.number <= 2, (try? null.setCloseOnExec(false)) != nil { _ = null.release() }
  }
}
