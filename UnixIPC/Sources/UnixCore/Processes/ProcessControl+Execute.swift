import CPlatform
import Glibc

extension ProcessControl {
  /// Makes the calling process another program, with its number, its parent, its terminal and its descriptors that are not
  /// close-on-exec; returns only when it cannot.
  ///
  /// Ignored and blocked signals stay so, as the caller was given them: whoever changed some puts them back before.
  ///
  /// - Parameters:
  ///   - arguments: what it gets as `argv`, its own name first.
  ///   - environment: `NAME=value` each; nil passes on the caller's variables as they are.
  /// - Throws: `EINVAL` for a path, an argument or a variable with a NUL, for one.
  ///
  /// Source: execve(2).
  public static func becomeProgram(at path: String, arguments: [[UInt8]], environment: [[UInt8]]? = nil)
    throws(SystemCallError) -> Never
  {
    // The rest would be lost on the way to C.
    guard !(arguments + (environment ?? [])).contains(where: { $0.contains(0) }) else {
      throw SystemCallError("execve", on: escaped(path.utf8), code: .invalidArgument)
    }
    let words = arguments.map(NativeStrings.copy)
    let variables = (environment ?? []).map(NativeStrings.copy)
    defer { for string in words + variables { string.deallocate() } }
    _ = try check("execve", text: path) {
      environment == nil
        ? execve($0, words + [nil], platform_environment()) : execve($0, words + [nil], variables + [nil])
    }
    preconditionFailure("execve returned")
  }

  /// The same with texts.
  public static func becomeProgram(at path: String, arguments: [String], environment: [String]) throws(SystemCallError)
    -> Never
  {
    try becomeProgram(
      at: path, arguments: arguments.map { Array($0.utf8) }, environment: environment.map { Array($0.utf8) })
  }
}
