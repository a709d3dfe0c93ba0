import Settings

/// One thing that is wrong with the configuration, or worth a warning.
///
/// Its description is one line: `/etc/begat/begatd.toml:7:11: service.hello.backlog: expected …`.
public struct ConfigurationProblem: Error, Hashable, Sendable, CustomStringConvertible {
  public let file: String
  /// Nil when the whole file is meant.
  public let place: Place?
  /// The key with the tables around it.
  public let key: String?
  public let message: String

  /// A problem with a whole file.
  public init(file: String, message: String) {
    self.file = file
    self.message = message
    place = nil
    key = nil
  }

  public init(at place: Place, key: String? = nil, message: String) {
    file = place.file
    self.place = place
    self.key = key
    self.message = message
  }

  public var description: String {
    var text = place?.description ?? printable(file)
    if let key { text += ": \(key)" }
    return text + ": \(message)"
  }
}

/// Everything that is wrong with a configuration; never empty.
public struct ConfigurationProblems: Error, Hashable, Sendable, CustomStringConvertible {
  public let problems: [ConfigurationProblem]

  /// One line for each problem.
  public var description: String { problems.map(\.description).joined(separator: "\n") }
}
