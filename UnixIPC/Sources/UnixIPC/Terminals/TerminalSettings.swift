import Glibc
@_spi(Begat) import UnixCore

/// How a terminal treats what passes through it: lines, echo, special characters.
///
/// Source: termios(3).
public struct TerminalSettings: Sendable {
  /// When new settings take effect.
  public enum Moment: Sendable {
    /// Immediately; TCSANOW.
    case now
    /// After all that was written so far is transmitted, however long its reader takes; TCSADRAIN.
    case afterOutput
    /// As ``afterOutput``, and what was typed and not read yet is discarded; TCSAFLUSH.
    case afterOutputDiscardingInput
  }

  /// A key with a meaning.
  public enum SpecialCharacter: Sendable {
    /// End of file: VEOF, Ctrl-D.
    case endOfFile
    /// Interrupt: VINTR, Ctrl-C.
    case interrupt
    /// Quit: VQUIT, Ctrl-\.
    case quit
    /// Suspend: VSUSP, Ctrl-Z.
    case suspend
    /// Erase: VERASE, backspace.
    case erase

    fileprivate var index: Int {
      switch self {
      case .endOfFile: Int(VEOF)
      case .interrupt: Int(VINTR)
      case .quit: Int(VQUIT)
      case .suspend: Int(VSUSP)
      case .erase: Int(VERASE)
      }
    }
  }

  /// The C structure, for settings that this type has no name for.
  public var native = termios()

  /// Reads a terminal's settings, from either side.
  ///
  /// - Throws: `ENOTTY` for what is no terminal.
  ///
  /// Source: tcgetattr(3).
  public init(of terminal: borrowing Descriptor) throws(SystemCallError) {
    let number = terminal.number
    _ = try check("tcgetattr") { tcgetattr(number, &native) }
  }

  /// Applies the settings to a terminal.  A process in the terminal's background is stopped by SIGTTOU until it is in the
  /// foreground.
  ///
  /// Source: tcsetattr(3).
  public func apply(to terminal: borrowing Descriptor, _ moment: Moment = .now) throws(SystemCallError) {
    let number = terminal.number
    let action =
      switch moment {
      case .now: TCSANOW
      case .afterOutput: TCSADRAIN
      case .afterOutputDiscardingInput: TCSAFLUSH
      }
    _ = try check("tcsetattr") { withUnsafePointer(to: native) { tcsetattr(number, action, $0) } }
  }

  /// The settings of a raw terminal: every byte passes as it is and immediately, and no key is special.
  ///
  /// Source: cfmakeraw(3).
  public var raw: TerminalSettings {
    var settings = self
    cfmakeraw(&settings.native)
    return settings
  }

  /// The settings of a terminal that does not show what is typed: for passwords.
  public var withoutEcho: TerminalSettings {
    var settings = self
    settings.echoes = false
    return settings
  }

  /// ECHO: what is typed is shown.  If it is turned off, line ends are not shown either (ECHONL).
  public var echoes: Bool {
    get { native.c_lflag & tcflag_t(ECHO) != 0 }
    set {
      set(ECHO, in: \.c_lflag, newValue)
      if !newValue { set(ECHONL, in: \.c_lflag, false) }
    }
  }

  /// The longest line in bytes, without its end, of a terminal that reads lines: N_TTY_BUF_SIZE - 1 in Linux.
  public static let maxLineLength = 4095

  /// ICANON: input comes in lines of at most 4095 bytes, which can be edited until they end.
  public var readsLines: Bool {
    get { native.c_lflag & tcflag_t(ICANON) != 0 }
    set { set(ICANON, in: \.c_lflag, newValue) }
  }

  /// ISIG: keys send signals.
  public var sendsSignals: Bool {
    get { native.c_lflag & tcflag_t(ISIG) != 0 }
    set { set(ISIG, in: \.c_lflag, newValue) }
  }

  /// OPOST and ONLCR: LF is shown as CR LF.
  public var endsLinesWithReturn: Bool {
    get { native.c_oflag & tcflag_t(OPOST) != 0 && native.c_oflag & tcflag_t(ONLCR) != 0 }
    set {
      set(ONLCR, in: \.c_oflag, newValue)
      if newValue { set(OPOST, in: \.c_oflag, true) }
    }
  }

  /// The byte that the key sends; nil if the key is turned off.
  public func byte(for key: SpecialCharacter) -> UInt8? {
    let byte = withUnsafeBytes(of: native.c_cc) { $0[key.index] }
    // _POSIX_VDISABLE
    return byte == 0 ? nil : byte
  }

  private mutating func set(_ flag: CInt, in flags: WritableKeyPath<termios, tcflag_t>, _ isOn: Bool) {
    if isOn { native[keyPath: flags] |= tcflag_t(flag) } else { native[keyPath: flags] &= ~tcflag_t(flag) }
  }
}

extension TerminalSettings: Equatable {
  /// Whether all flags, speeds and special characters are the same.
  public static func == (one: TerminalSettings, other: TerminalSettings) -> Bool {
    let flags = { (settings: termios) in
      [settings.c_iflag, settings.c_oflag, settings.c_cflag, settings.c_lflag, settings.c_ispeed, settings.c_ospeed]
    }
    let keys = { (settings: termios) in withUnsafeBytes(of: settings.c_cc) { Array($0) } }
    return flags(one.native) == flags(other.native) && keys(one.native) == keys(other.native)
  }
}
