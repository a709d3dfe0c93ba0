@_spi(Begat) import UnixCore

/// How many columns and rows of characters a terminal shows.
///
/// Source: ioctl_tty(2), struct winsize.
public struct TerminalSize: Hashable, Sendable {
  /// The characters of a row.
  public var columns: UInt16
  /// The rows of the screen.
  public var rows: UInt16

  /// A size in characters.
  public init(columns: UInt16, rows: UInt16) {
    self.columns = columns
    self.rows = rows
  }

  /// 80 columns and 24 rows.
  public static let standard = TerminalSize(columns: 80, rows: 24)
}

extension TerminalSize: CustomStringConvertible {
  /// The size as text: "80x24".
  public var description: String { "\(columns)x\(rows)" }
}
