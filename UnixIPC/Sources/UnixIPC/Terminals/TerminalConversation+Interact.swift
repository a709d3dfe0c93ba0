import Glibc
@_spi(Begat) import UnixCore

/// Why an interaction ended.
public enum InteractionEnd: Hashable, Sendable {
  /// The user typed the escape character; the program continues.
  case escaped
  /// The program has ended.
  case ended(ExitStatus)
}

extension TerminalConversation {
  /// Connects standard input and output to the program until it ends or the user types the escape character.
  ///
  /// - Parameter escape: is not sent to the program; nil for none.  The default is Ctrl-].
  public mutating func interact(escape: UInt8? = 0x1d) throws(SystemCallError) -> InteractionEnd {
    try Descriptor.withBorrowed(STDIN_FILENO) { (input) throws(SystemCallError) in
      try Descriptor.withBorrowed(STDOUT_FILENO) { (output) throws(SystemCallError) in
        try interact(input: input, output: output, escape: escape)
      }
    }
  }

  /// Copies between the user and the program until it ends or the escape character is typed.
  ///
  /// If `input` is a terminal, it is raw meanwhile (``TerminalMode/withRaw(_:_:)``), and the program's terminal gets its
  /// size, now and whenever it changes; SIGWINCH is blocked in the calling thread meanwhile, so no other thread may take
  /// it.  If `input` is no terminal, its end is passed on as the end-of-file key, and again whenever the program has taken
  /// it and reads on: like the end of a file, it is found by every further read.  What waits in the buffer is shown first,
  /// and everything that the program wrote is shown before this returns.
  ///
  /// - Parameter input: what the user types.
  /// - Parameter output: what the user sees.  A reader that takes nothing makes the program wait, never this process.
  /// - Parameter escape: is not sent to the program; nil for none.  The default is Ctrl-].
  /// - Throws: `EPIPE` if the output has no reader.
  public mutating func interact(
    input: borrowing Descriptor, output: borrowing Descriptor, escape: UInt8? = 0x1d
  ) throws(SystemCallError) -> InteractionEnd {
    let name = output.number == STDOUT_FILENO ? "standard output" : "descriptor \(output.number)"
    var interaction = Interaction(escape: escape, outputName: name)
    let output = NonBlockingOutput(try output.duplicate())
    guard input.isTerminal else {
      return try interaction.run(&self, input: input, output: output, changes: -1) { _ in }
    }
    var before = SignalSet()
    pthread_sigmask(SIG_BLOCK, nil, &before.native)
    defer { before.setThreadMask() }
    let changes = try SignalQueue(SignalSet(Signal(rawValue: SIGWINCH)))
    try TerminalMode.holdRaw(input)
    defer { TerminalMode.releaseRaw() }
    let terminal = input.number
    let takeSize = { (conversation: inout TerminalConversation) in
      while changes.take() != nil {}
      // A terminal of no size, as a serial line has, says nothing; and one that hung up ends the interaction anyway.
      let size = Descriptor.withBorrowed(terminal) { try? $0.terminalSize() }
      if let size, size.columns > 0, size.rows > 0 { try? conversation.resize(to: size) }
    }
    takeSize(&self)
    return try interaction.run(&self, input: input, output: output, changes: changes.descriptor.number, takeSize)
  }
}
