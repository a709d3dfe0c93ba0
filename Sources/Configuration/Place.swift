/// A line of a configuration file.
public struct Place: Hashable, Sendable, CustomStringConvertible {
  public let file: String
  /// From 1.
  public let line: Int

  public init(file: String, line: Int) {
    self.file = file
    self.line = line
  }

  public var description: String { "\(printable(file)):\(line)" }
}

/// The key that decided on something, and where it stands: `/etc/begat/begatd.toml:14: service.hello.deny`.
public struct Origin: Hashable, Sendable, CustomStringConvertible {
  public let place: Place
  /// With the tables around it.
  public let key: String

  public init(place: Place, key: String) {
    self.place = place
    self.key = key
  }

  public var description: String { "\(place): \(key)" }
}
