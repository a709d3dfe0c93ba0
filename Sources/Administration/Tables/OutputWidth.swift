import Glibc
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// How many characters a line of standard output may have.
enum OutputWidth {
  /// The terminal's columns; else `COLUMNS`, which watch(1) and others set for commands that they show; nil for as many as
  /// there are, in a pipe or file.
  static var current: Int? {
    let size = Descriptor.withBorrowed(STDOUT_FILENO) { try? $0.terminalSize() }
    if let size, size.columns > 0 { return Int(size.columns) }
    return variable ?? (size == nil ? nil : Int(TerminalSize.standard.columns))
  }

  private static var variable: Int? {
    guard let value = getenv("COLUMNS") else { return nil }
    return Int(decimal: String(cString: value)).flatMap { (1...10_000).contains($0) ? $0 : nil }
  }
}
