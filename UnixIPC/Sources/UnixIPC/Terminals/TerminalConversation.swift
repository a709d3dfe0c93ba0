import Glibc
@_spi(Begat) import UnixCore

/// A program on a terminal of its own, which this process uses as a user would.
///
/// A program that writes to a pipe keeps its output back until a block is full; on a terminal it writes line by line, and
/// prompts.  The conversation owns the program's whole session: discarding it hangs the terminal up, and kills and reaps
/// what is left, background jobs too.  A program that is to stay must leave the session (setsid(2)).
///
/// What the program writes waits in a buffer of bounded size; bytes that were not taken in time are dropped, the oldest
/// first, and counted in ``droppedByteCount``.  A conversation is for one thread at a time.
///
/// Source: pty(7).
public struct TerminalConversation: ~Copyable, Sendable {
  var channel: TerminalChannel
  var buffer: ConversationBuffer
  /// What the user typed after the escape character (`interact`), for the next one.
  var typedAhead: [UInt8] = []
  /// Sees everything that the program writes, once, as it is read: before `expect` and the like look at it, and even if it
  /// is dropped later.  An error that it throws comes out of the call that read.
  public var watch: (@Sendable (UnsafeRawBufferPointer) throws(SystemCallError) -> Void)?
  /// Sees everything that is typed, once, as it is sent: with ``watch``, a log of the conversation.  Passwords are typed,
  /// too.  An error that it throws comes out of the call that sent.
  public var watchSent: (@Sendable (UnsafeRawBufferPointer) throws(SystemCallError) -> Void)?

  /// Starts the program with a new terminal as its descriptors 0, 1 and 2.
  ///
  /// The terminal is as the kernel makes it: it echoes what is sent, and it shows LF as CR LF.
  ///
  /// - Parameter program: gets a session of its own.  The caller sets its environment, `TERM` too.
  /// - Parameter size: the terminal's size.
  /// - Parameter bufferLimit: how many bytes may wait for `expect` and `read`.
  /// - Parameter adjust: changes the terminal before the program starts, such as `{ $0.echoes = false }`.
  public init(
    _ program: Program, size: TerminalSize = .standard, bufferLimit: Int = 65536,
    adjust: (inout TerminalSettings) -> Void = { _ in }
  ) throws(SystemCallError) {
    let terminal = try PseudoTerminal(size: size)
    let side = try terminal.openTerminalSide()
    var settings = try TerminalSettings(of: side)
    adjust(&settings)
    try settings.apply(to: side)
    try terminal.controlling.setNonBlocking(true)
    var program = program
    program.controlsTerminal = true
    let session = try TerminalSession(program, descriptors: [side.number, side.number, side.number])
    channel = TerminalChannel(terminal: terminal, session: session)
    buffer = ConversationBuffer(limit: bufferLimit)
  }

  /// The program's number, until it is reaped.
  public var process: pid_t { channel.session.process }

  /// The terminal's path, which another program may open to look at it.
  public var terminalPath: String { channel.terminal.path }

  /// The terminal's controlling side, to wait for several conversations by one ``Poller``.
  ///
  /// It is readable when the program has written something or closed its terminal.  Before a wait, look at
  /// ``waitingByteCount``: bytes that were read already make it readable no more.  Afterwards, call `expect` or `read` with
  /// a deadline that is over (`.immediate`).  Do not read from it or write to it.
  public var descriptor: Descriptor { _read { yield channel.terminal.controlling } }

  /// How many bytes were dropped so far, because they were not taken in time.
  public var droppedByteCount: UInt64 { buffer.dropped }

  /// How many bytes wait to be taken, at most the buffer's limit.
  public var waitingByteCount: Int { buffer.count }

  /// Reads the terminal's present settings: a program that asks for a password has turned `echoes` off.
  public func settings() throws(SystemCallError) -> TerminalSettings {
    try TerminalSettings(of: channel.terminal.controlling)
  }

  /// Reads the terminal's size.
  public func size() throws(SystemCallError) -> TerminalSize { try channel.terminal.controlling.terminalSize() }

  /// Changes the terminal's size; the kernel informs the program by SIGWINCH.
  public func resize(to size: TerminalSize) throws(SystemCallError) {
    try channel.terminal.controlling.setTerminalSize(size)
  }

  /// Ends all waits with `ECANCELED` when it is cancelled; nil for none.  `terminate` ignores it.
  public var cancellation: Cancellation? {
    get { channel.cancellation }
    set { channel.cancellation = newValue }
  }

  /// Finds the process group in the terminal's foreground: the job that a shell runs at present.
  public func foregroundGroup() throws(SystemCallError) -> pid_t? {
    try channel.terminal.controlling.foregroundGroup()
  }

  /// Sends a signal to all processes of the session.
  public func send(_ signal: Signal) { channel.session.send(signal) }

  /// Reads once what is there into the buffer; false when nothing is there now, or nothing will be.
  mutating func fill() throws(SystemCallError) -> Bool {
    defer { buffer.trim() }
    return try fillBeyondLimit()
  }

  /// Reads once without dropping anything.
  ///
  /// - Parameter size: the most that is read.
  mutating func fillBeyondLimit(room size: Int = 16384) throws(SystemCallError) -> Bool {
    try withUnsafeTemporaryAllocation(byteCount: min(size, 16384), alignment: 16) { (room) throws(SystemCallError) in
      guard let count = try channel.read(into: room), count > 0 else { return false }
      let bytes = UnsafeRawBufferPointer(rebasing: room[..<count])
      buffer.append(bytes)
      try watch?(bytes)
      return true
    }
  }
}
