import Configuration
import Glibc

/// What `begat check` and `begatd --check` do: read the configuration as the daemon would, and say what is wrong.
public enum ConfigurationCheck {
  /// What to print and how to end.
  public struct Outcome: Sendable, Hashable {
    /// For standard output: the effective settings, when all is right.
    public let output: String
    /// For standard error: problems or warnings, each a line.
    public let complaints: String
    /// 0 or 78, `EX_CONFIG` of sysexits(3).
    public let exitStatus: CInt
  }

  /// Checks without printing.
  ///
  /// - Parameter file: nil means the file that begatd would read.
  public static func outcome(file: String?) -> Outcome {
    do throws(ConfigurationProblems) {
      let configuration = try Configuration.load(file: file)
      let warnings = configuration.warnings.map { "warning: \($0)\n" }.joined()
      return Outcome(output: configuration.checkText, complaints: warnings, exitStatus: 0)
    } catch {
      return Outcome(output: "", complaints: "\(error)\n", exitStatus: 78)
    }
  }

  /// Checks, prints and tells the exit status; 1 when nobody takes what is printed.
  public static func run(file: String?) -> CInt {
    let outcome = outcome(file: file)
    let isPrinted = write(outcome.complaints, to: STDERR_FILENO) && write(outcome.output, to: STDOUT_FILENO)
    return isPrinted ? outcome.exitStatus : 1
  }

  private static func write(_ text: String, to descriptor: CInt) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return false }
    }
    return true
  }
}
