@_spi(Begat) import NameService
@_spi(Begat) import UnixCore

/// What the commands have in common that ask many hosts at once.
public struct SurveySettings: Sendable {
  /// A host as it was typed, and what that means.
  public struct Host: Sendable {
    public let word: String
    public let target: ConnectionTarget

    public init(word: String, target: ConnectionTarget) {
      self.word = word
      self.target = target
    }

    /// Fit for a terminal.
    var shown: String { escaped(word.utf8) }
  }

  /// At least one; each has a row, those named twice have two.
  public var hosts: [Host]
  public var transport = Transport.tcp
  /// For all of them together, their names included.
  public var timeout: Duration = .seconds(10)
  /// Whether one JSON object is printed instead of rows.
  public var json = false

  public init(hosts: [Host]) { self.hosts = hosts }

  func survey(_ rule: AnswerRule) -> Survey {
    Survey(targets: hosts.map(\.target), transport: transport, rule: rule, timeout: timeout)
  }
}
