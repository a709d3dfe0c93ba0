/// The first fault of a text that is not TOML: where it is, what it is and what to write instead.
public struct TOMLError: Error, Hashable, Sendable, CustomStringConvertible {
  public let position: TextPosition
  /// One line for the person who edits the file; characters quoted from the text are made printable.
  public let message: String

  public init(position: TextPosition, message: String) {
    self.position = position
    self.message = message
  }

  /// The position, a colon and the message: `3:7: write true or false, not yes`.
  public var description: String { "\(position.line):\(position.column): \(message)" }
}
