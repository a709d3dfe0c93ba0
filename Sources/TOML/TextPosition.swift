/// A place in a text: line and column, both counted from 1.
///
/// Columns count characters (Unicode scalars), tabs included; a byte order mark at the start is not counted.
public struct TextPosition: Hashable, Sendable, Comparable {
  public let line: Int
  public let column: Int

  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  public static func < (left: TextPosition, right: TextPosition) -> Bool {
    (left.line, left.column) < (right.line, right.column)
  }

  /// How a message about a fault on `line` refers to this place: the line is enough unless it is the same one.
  func reference(from line: Int) -> String {
    self.line == line ? "line \(self.line), column \(column)" : "line \(self.line)"
  }
}
