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
