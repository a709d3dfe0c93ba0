import Glibc

/// A program on a terminal of its own, talked to as a user would.
///
/// Programs that find a pipe keep their output back until a block is full; on a terminal they write line by line, and
/// prompt.  The conversation owns the program's whole session: letting go of it hangs the terminal up, and kills and
/// fetches whatever is left, background jobs too.  A program that is to stay must leave the session (setsid(2)).
///
/// What the program writes waits in a buffer of bounded size; bytes that nobody took in time are dropped, the oldest
/// first, and counted in `droppedByteCount`.  Not for several threads at once.
///
/// Source: pty(7).
public struct TerminalConversation: ~Copyable, Sendable {
  var channel: TerminalChannel
  var buffer: ConversationBuffer
  /// What the user typed after the escape character (`interact`), for the next one.
  var typedAhead: [UInt8] = []
  /// Sees everything that the program writes, once, as it is read: before `expect` and the like look at it, and though
  /// it may be dropped later.  What it throws comes out of the call that read.
  public var watch: (@Sendable (UnsafeRawBufferPointer) throws(CallFailure) -> Void)?

  /// Starts the program with a new terminal as its descriptors 0, 1 and 2.
  ///
  /// The terminal is as the kernel makes it: it echoes what is sent, and it shows LF as CR LF.
  ///
  /// - Parameter program: gets a session of its own.  Its environment is the caller's duty, `TERM` too.
  /// - Parameter bufferLimit: how many bytes may wait for `expect` and `read`.
  /// - Parameter adjust: changes the terminal before the program starts, such as `{ $0.echoes = false }`.
  public init(
    _ program: Program, size: TerminalSize = .standard, bufferLimit: Int = 65536,
    adjust: (inout TerminalSettings) -> Void = { _ in }
  ) throws(CallFailure) {
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

  /// The program's number, as long as its status is not fetched.
  public var process: pid_t { channel.session.process }

  /// The terminal's path, which another program may open to look at it.
  public var terminalPath: String { channel.terminal.path }

  /// How many bytes were dropped so far, because nobody took them in time.
  public var droppedByteCount: UInt64 { buffer.dropped }

  /// How many bytes wait.
  public var waitingByteCount: Int { buffer.count }

  /// The terminal's settings at this moment: a program that asks for a password has turned `echoes` off.
  public func settings() throws(CallFailure) -> TerminalSettings {
    try TerminalSettings(of: channel.terminal.controlling)
  }

  public func size() throws(CallFailure) -> TerminalSize { try channel.terminal.controlling.terminalSize() }

  /// Gives the terminal another size; the program is told by SIGWINCH.
  public func resize(to size: TerminalSize) throws(CallFailure) {
    try channel.terminal.controlling.setTerminalSize(size)
  }

  /// From now on every wait ends with `ECANCELED` once the descriptor is readable, such as a `SignalQueue`'s.  It stays
  /// the caller's, who keeps it open.  `end` does not heed it.
  public mutating func cancelWaits(by descriptor: borrowing Descriptor) {
    channel.cancellation = descriptor.number
  }

  /// The group in the terminal's foreground: the job that a shell runs just now.
  public func foregroundGroup() throws(CallFailure) -> pid_t? {
    try channel.terminal.controlling.foregroundGroup()
  }

  /// Sends a signal to everybody in the session.
  public func send(_ signal: Signal) { channel.session.send(signal) }

  /// Waits for the program's end, while taking what it writes, and kills what it left in its session.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline.
  public mutating func awaitEnd(until deadline: Deadline = .never) throws(CallFailure) -> ExitStatus {
    // Else it might wait for room for its last words, and never end.
    while !channel.hasEnded {
      if try fill() {
        try channel.mustBeWanted()
        if deadline.hasPassed { throw CallFailure("poll", errno: .timedOut) }
      } else if !channel.hasEnded {
        var others = PollSet()
        if !(try channel.wait(also: &others, until: deadline)) { throw CallFailure("poll", errno: .timedOut) }
      }
    }
    // It may live on without its terminal.
    while !channel.session.hasEnded {
      var others = PollSet()
      if !(try channel.wait(also: &others, until: deadline)) { throw CallFailure("poll", errno: .timedOut) }
    }
    guard let status = try channel.session.status(until: deadline) else { throw CallFailure("poll", errno: .timedOut) }
    return status
  }

  /// Ends the session: SIGTERM to everybody, after half of `patience` SIGHUP, which interactive shells obey, and at last
  /// SIGKILL.  What the program writes meanwhile can be read afterwards.
  public mutating func end(patience: Duration = .seconds(5)) throws(CallFailure) -> ExitStatus {
    channel.cancellation = -1
    for signal in [Signal.terminate, .hangUp] {
      if channel.session.hasEnded { break }
      send(signal)
      // A stopped process ends only when it may go on.
      send(.resume)
      do throws(CallFailure) { return try awaitEnd(until: Deadline(after: patience / 2)) } catch {
        if error.errno != .timedOut { throw error }
      }
    }
    send(.kill)
    return try awaitEnd()
  }

  /// Reads once what is there into the buffer; false when nothing is there now, or nothing will be.
  mutating func fill() throws(CallFailure) -> Bool {
    buffer.trim()
    return try fillBeyondLimit()
  }

  /// The same without dropping anything.
  mutating func fillBeyondLimit() throws(CallFailure) -> Bool {
    try withUnsafeTemporaryAllocation(byteCount: 16384, alignment: 16) { (room) throws(CallFailure) in
      guard let count = try channel.read(into: room), count > 0 else { return false }
      let bytes = UnsafeRawBufferPointer(rebasing: room[..<count])
      buffer.append(bytes)
      try watch?(bytes)
      return true
    }
  }
}
