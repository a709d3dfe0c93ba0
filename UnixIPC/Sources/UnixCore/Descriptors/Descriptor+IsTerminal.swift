import Glibc

extension Descriptor {
  /// Whether this is a terminal.
  ///
  /// Source: isatty(3).
  public var isTerminal: Bool { isatty(number) == 1 }
}
