@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// Finds out that a terminal drops part of what is typed: the rest of a line that is too long for it.
///
/// Source: termios(3), canonical mode.
final class LongLines: @unchecked Sendable {
  // Used by one thread, as `ShownOutput`.
  private let terminal: CInt
  private var length = 0
  private var isSaid = false

  static let complaint = """
    a line of more than \(TerminalSettings.maxLineLength) bytes, of which the program's terminal drops the rest: begat pipe \
    has no terminal
    """

  /// - Parameter terminal: the number of its controlling side.
  init(terminal: CInt) { self.terminal = terminal }

  /// - Returns: true once.
  func isCut(by bytes: UnsafeRawBufferPointer) -> Bool {
    if isSaid { return false }
    for byte in bytes {
      length = byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") ? 0 : length + 1
      if length > TerminalSettings.maxLineLength {
        length = 0
        isSaid = Descriptor.withBorrowed(terminal) { (try? TerminalSettings(of: $0).readsLines) ?? false }
        if isSaid { return true }
      }
    }
    return false
  }
}
