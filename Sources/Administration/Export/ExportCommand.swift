import Configuration
@_spi(Begat) import UnixCore

/// The command `begat export`: makes another program's configuration from begatd's.
public enum ExportCommand {
  /// The output and the exit status.
  public struct Outcome: Sendable, Hashable {
    /// For standard output.
    public let output: String
    /// For standard error: problems or warnings, each a line.
    public let complaints: [String]
    /// 0, 1 if no service can be exported, or 78 for a configuration with problems: `EX_CONFIG` of sysexits(3).
    public let exitStatus: CInt
  }

  /// Exports without printing.
  ///
  /// - Parameter file: nil means the file that begatd would read.
  public static func haproxy(file: String?, _ options: BalancerOptions) -> Outcome {
    do throws(ConfigurationProblems) {
      let export = HAProxyExport(try Configuration.load(file: file, acceptsStreams: true), options)
      guard !export.services.isEmpty else {
        let reasons = export.omissions.map { "service \($0.service) is left out: \($0.reason)" }
        return Outcome(output: "", complaints: reasons + ["no service can be exported to HAProxy"], exitStatus: 1)
      }
      return Outcome(output: export.text, complaints: export.warnings.map { "warning: \($0)" }, exitStatus: 0)
    } catch {
      return Outcome(output: "", complaints: error.problems.map(\.description), exitStatus: 78)
    }
  }

  /// Exports, prints and returns the exit status; 1 if the output cannot be written.
  public static func runHAProxy(file: String?, _ options: BalancerOptions) -> CInt {
    let outcome = haproxy(file: file, options)
    for complaint in outcome.complaints { Complaint.write(complaint) }
    return StandardOutput.write(outcome.output, of: "begat export haproxy") ? outcome.exitStatus : 1
  }
}
