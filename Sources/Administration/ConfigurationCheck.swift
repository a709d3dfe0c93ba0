import Configuration
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// What `begat check` and `begatd --check` do: read the configuration as the daemon would, and say what is wrong.
public enum ConfigurationCheck {
  /// What to print and how to end.
  public struct Outcome: Sendable, Hashable {
    /// For standard output: the effective settings or the answer, when all is right.
    public let output: String
    /// For standard error: problems or warnings, each a line.
    public let complaints: String
    /// 0, 1 for a client that is refused, 64 for a question that cannot be understood, or 78: `EX_USAGE` and
    /// `EX_CONFIG` of sysexits(3).
    public let exitStatus: CInt
  }

  /// Checks without printing.
  ///
  /// - Parameter file: nil means the file that begatd would read.
  /// - Parameter width: of the lines of the output.
  public static func outcome(file: String?, width: Int = Configuration.pageWidth) -> Outcome {
    do throws(ConfigurationProblems) {
      let configuration = try Configuration.load(file: file, acceptsStreams: true)
      // The limit of a begatd that is started from here; a service manager may give it another one.
      let limit = (try? ResourceLimit.openFiles.current().hard) ?? .max
      let warnings =
        (configuration.warnings + configuration.warningsByHand()).map(\.description)
        + configuration.sandboxWarnings + [configuration.descriptorWarning(limit: limit)].compactMap { $0 }
      let complaints = warnings.map { "warning: \($0)\n" }.joined()
      return Outcome(output: configuration.checkText(width: width), complaints: complaints, exitStatus: 0)
    } catch {
      return Outcome(output: "", complaints: "\(error)\n", exitStatus: 78)
    }
  }

  /// What would happen to a client.
  ///
  /// - Parameter client: `192.0.2.1`, `2001:db8::1` or `unix:USER`.
  /// - Parameter proxy: the proxy that names the client, in the same form; nil for a client that connects directly.
  public static func explanation(
    file: String?, from client: String, via proxy: String? = nil, to service: String
  ) -> Outcome {
    func misunderstood(_ complaint: String) -> Outcome {
      Outcome(output: "", complaints: complaint + "\n", exitStatus: 64)
    }
    let address: ClientAddress
    do throws(ClientAddress.Problem) { address = try ClientAddress(parsing: client) } catch {
      return misunderstood("--from: \(error)")
    }
    var proxyAddress: ClientAddress?
    do throws(ClientAddress.Problem) {
      if let proxy { proxyAddress = try ClientAddress(parsing: proxy) }
    } catch { return misunderstood("--via: \(error)") }
    guard proxyAddress == nil || address.user == nil else {
      return misunderstood("--from: a proxy names a client by its IPv4 or IPv6 address, found \(address.text)")
    }
    do throws(ConfigurationProblems) {
      let configuration = try Configuration.load(file: file, acceptsStreams: true)
      guard let explanation = configuration.explanation(of: address, via: proxyAddress, to: service) else {
        let near = configuration.nearestService(to: service).map { "; did you mean \($0)?" } ?? ""
        return misunderstood("no service \"\(escaped(service.utf8))\"\(near)")
      }
      return Outcome(output: explanation.text, complaints: "", exitStatus: explanation.isAdmitted ? 0 : 1)
    } catch {
      return Outcome(output: "", complaints: "\(error)\n", exitStatus: 78)
    }
  }

  /// Checks and prints.
  ///
  /// - Parameter command: the name with which the complaints begin, as typed.
  /// - Returns: the exit status; 1 when the output cannot be written.
  public static func run(file: String?, as command: String) -> CInt {
    // A page of a pipe's is no wider than usual: its lines are for people.
    show(outcome(file: file, width: max(40, OutputWidth.current ?? Configuration.pageWidth)), as: command)
  }

  /// Explains and prints.
  ///
  /// - Returns: the exit status.
  public static func run(
    file: String?, from client: String, via proxy: String? = nil, to service: String, as command: String
  ) -> CInt {
    show(explanation(file: file, from: client, via: proxy, to: service), as: command)
  }

  private static func show(_ outcome: Outcome, as command: String) -> CInt {
    // Complaints that cannot be written can be reported nowhere.
    try? StandardStreams.error.writeAll(marked(outcome.complaints, command))
    return StandardOutput.write(outcome.output, of: command) ? outcome.exitStatus : 1
  }

  /// The complaints with the command's name, and with their severities where the journal reads them.
  private static func marked(_ complaints: String, _ command: String) -> String {
    complaints.split(separator: "\n").map { line in
      let severity: Severity = line.hasPrefix("warning: ") ? .warning : .error
      let mark = StandardErrorMessage.isInJournal ? "<\(severity.rawValue)>" : ""
      return "\(mark)\(command): \(line)\n"
    }.joined()
  }
}
