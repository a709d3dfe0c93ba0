import CPlatform
import Glibc
@_spi(Begat) import UnixCore

extension Descriptor {
  /// The terminal's path; nil for a descriptor of another file, and for a terminal of another mount namespace.
  ///
  /// Source: ttyname_r(3).
  public var terminalPath: String? {
    var name = [CChar](repeating: 0, count: Int(PATH_MAX))
    guard ttyname_r(number, &name, name.count) == 0 else { return nil }
    return String(decoding: name.lazy.map { UInt8(bitPattern: $0) }.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Finds the process group that may read from the terminal and gets its signals; nil if there is none.
  ///
  /// - Throws: `ENOTTY` unless the terminal is the caller's controlling terminal or a controlling side.
  ///
  /// Source: tcgetpgrp(3).
  public func foregroundGroup() throws(SystemCallError) -> pid_t? {
    let group = try check("tcgetpgrp") { tcgetpgrp(number) }
    // 0 in Linux, or a number above all that exist, as POSIX has it.
    return group > 0 && kill(-group, 0) != -1 || group > 0 && ErrorCode.current == .notPermitted ? group : nil
  }

  /// Reads the terminal's size.
  ///
  /// - Throws: `ENOTTY` if it is no terminal.
  ///
  /// Source: ioctl_tty(2), TIOCGWINSZ.
  public func terminalSize() throws(SystemCallError) -> TerminalSize {
    var size = TerminalSize(columns: 0, rows: 0)
    _ = try check("TIOCGWINSZ") { platform_window_size(number, &size.columns, &size.rows) }
    return size
  }

  /// Sets the terminal's size, from either side.  If it changes, the terminal's foreground gets SIGWINCH.
  ///
  /// Source: ioctl_tty(2), TIOCSWINSZ.
  public func setTerminalSize(_ size: TerminalSize) throws(SystemCallError) {
    _ = try check("TIOCSWINSZ") { platform_set_window_size(number, size.columns, size.rows) }
  }

  /// Opens the calling process's controlling terminal, whatever its standard streams are.
  ///
  /// - Throws: `ENXIO` if it has none.
  ///
  /// Source: tty(4).
  public static func openControllingTerminal() throws(SystemCallError) -> Descriptor {
    try open("/dev/tty", .readWrite)
  }
}
