import Glibc

extension ProcessControl {
  /// Makes the calling process another program, with its number, its parent, its terminal and its descriptors that are not
  /// close-on-exec; returns only when it cannot.
  ///
  /// Ignored and blocked signals stay so, as the caller was given them: whoever changed some puts them back before.
  ///
  /// - Parameters:
  ///   - arguments: what it gets as `argv`, its own name first.
  ///   - environment: `NAME=value` each; nothing is inherited.
  ///
  /// Source: execve(2).
  public static func becomeProgram(at path: String, arguments: [String], environment: [String]) throws(CallFailure)
    -> Never
  {
    let words = arguments.map { strdup($0) }
    let variables = environment.map { strdup($0) }
    defer { for string in words + variables { free(string) } }
    _ = try check("execve", on: path) { execve(path, words + [nil], variables + [nil]) }
    preconditionFailure("execve returned")
  }
}
