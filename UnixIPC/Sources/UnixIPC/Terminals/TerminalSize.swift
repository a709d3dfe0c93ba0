@_spi(Begat) import UnixCore

/// How many characters a terminal shows.
///
/// Source: ioctl_tty(2), struct winsize.
public struct TerminalSize: Hashable, Sendable {
  public var columns: UInt16
  public var rows: UInt16

  public init(columns: UInt16, rows: UInt16) {
    self.columns = columns
    self.rows = rows
  }

  /// 80 columns of 24 rows.
  public static let standard = TerminalSize(columns: 80, rows: 24)
}

extension TerminalSize: CustomStringConvertible {
  /// "80x24".
  public var description: String { "\(columns)x\(rows)" }
}
