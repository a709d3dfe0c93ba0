import Admission
import UnixIPC

/// The settings of a listener.  begatd renders them as command-line options, begat-listener reads them; people type
/// the same.
public struct ListenerOptions: Hashable, Sendable {
  public var name = ""
  public var serve: BuiltIn?
  /// What is executed instead of a built-in service; the rest of it also holds for added commands.
  public var program = ProgramSettings()
  /// Whether a process between client and program watches the time and counts bytes.
  public var relay = false
  /// Whether the program gets the listening sockets instead of connections.
  public var wait = false
  public var commands: [AddedCommand] = []
  public var sockets: [CInt] = []
  public var listenStream: [String] = []
  public var listenDatagram: [String] = []
  public var bindOptions = BindOptions()
  public var backlog: CInt = 4096
  public var admission = AdmissionLimits()
  /// Said to the refused, without waiting for them; nil for nothing.
  public var refusal: String?
  public var firstByteTimeout: Duration?
  public var idleTimeout: Duration? = .seconds(600)
  public var maxDuration: Duration?
  public var drainTimeout: Duration = .seconds(30)
  public var keepAlive = true
  public var resolveNames = true
  public var log = ConnectionLog.connections
  public var user: UInt32?
  public var group: UInt32?
  public var groups: [UInt32] = []
  public var databases: [String] = []
  public var offensive = false
  public var maxLength: Int?
  /// Ports at which a datagram service of ours answers: two of them must not talk to each other.
  public var datagramPorts: [UInt16] = []
  public var stdio = false
  public var channel: CInt?
  public var scoreboard: CInt?
  public var names: CInt?
  public var nameRequests: CInt?
  public var help = false
  public var version = false

  public init() {}

  /// The limits of datagrams, which have a default rate of their own.
  public var datagramAdmission: AdmissionLimits {
    var limits = admission
    limits.rate = limits.rate ?? .datagrams
    limits.ratePerSource = limits.ratePerSource ?? .datagramsPerSource
    limits.whenFull = .refuse
    return limits
  }
}

extension ListenerOptions {
  /// What is wrong with a command line; one line, with what to do.
  public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
  }

  /// Reads `--option value` and `--option=value`; after `--` stands the program to execute.
  ///
  /// - Parameter words: without the program's own name.
  public init(parsing words: [String]) throws(Problem) {
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == "--" {
        program.words = Array(rest)
        break
      }
      guard word.hasPrefix("--") else { throw Problem(description: "\(quoted(word)): not an option; see --help") }
      let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let key = parts.first.map(String.init) ?? ""
      guard let option = ListenerOption.all.first(where: { $0.name == key }) else {
        throw Problem(description: "--\(quoted(key)): unknown option; see --help")
      }
      var value = parts.count == 2 ? String(parts[1]) : nil
      if option.placeholder == nil {
        guard value == nil else { throw Problem(description: "--\(key) takes no value") }
      } else if value == nil {
        value = rest.popFirst()
        guard value != nil else {
          throw Problem(description: "--\(key): its value \(option.placeholder ?? "") is missing")
        }
      }
      guard option.apply(&self, value ?? "") else {
        throw Problem(description: "--\(key) \(quoted(value ?? "")): expected \(option.expectation)")
      }
    }
  }

  /// The command line that `init(parsing:)` reads as these settings.
  public var arguments: [String] {
    let options = ListenerOption.all.flatMap { option in
      option.values(self).flatMap { option.placeholder == nil ? ["--\(option.name)"] : ["--\(option.name)", $0] }
    }
    let commands = commands.flatMap { command in
      ["--command", "\(command.name)=\(command.words.first ?? "")"]
        + command.words.dropFirst().flatMap { ["--command-argument", $0] }
    }
    return options + commands + (program.words.isEmpty ? [] : ["--"] + program.words)
  }

  private func quoted(_ text: String) -> String { escaped(text.utf8) }
}
