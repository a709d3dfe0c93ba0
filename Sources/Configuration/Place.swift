import Settings

/// A place in a configuration file.
public struct Place: Hashable, Sendable, CustomStringConvertible {
  public let file: String
  /// From 1.
  public let line: Int
  /// From 1, in characters.
  public let column: Int

  public init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }

  public var description: String { "\(printable(file)):\(line):\(column)" }
}

/// The key that decided on something, and where it stands: `/etc/begat/begatd.toml:14:1: service.hello.deny`.
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
