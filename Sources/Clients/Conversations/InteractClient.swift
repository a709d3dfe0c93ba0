import Glibc
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// `begat interact`: a program on a terminal of its own, to which first steps are done and then the user is handed over.
public struct InteractClient: Sendable {
  public var settings: ConversationSettings
  public var escape = EscapeKey.standard
  /// A file for all that the program writes.
  public var log: String?
  /// A file for all that is sent to it, except values of variables.
  public var sentLog: String?
  /// The size of the program's terminal; nil is that of the user's, or the standard one.
  public var size: TerminalSize?
  /// Whether the program's terminal shows what is sent.
  public var echoes = true

  public init(_ settings: ConversationSettings) { self.settings = settings }

  /// - Returns: the exit status.
  public func run() -> CInt {
    let command = CommandRun(command: "begat interact")
    return command.attempt(failure: ExitStatuses.failure) {
      if !settings.ignoresInput, settings.steps.last != .expectEnd { try StandardStream.checkInput() }
      let program: Program
      do throws(SystemCallError) { program = try self.program() } catch { return command.complain(ofCommand: error) }
      let log: Descriptor? =
        self.log == nil ? nil : try Descriptor.open(self.log ?? "", [.writeOnly, .create, .truncate])
      let sentLog: Descriptor? =
        self.sentLog == nil ? nil : try Descriptor.open(self.sentLog ?? "", [.writeOnly, .create, .truncate])
      return try converse(with: program, log: log, sentLog: sentLog, ConversationFrame(command))
    }
  }

  private func program() throws(SystemCallError) -> Program {
    var program = try settings.program()
    // Killed, this process can end nothing more; a hang-up alone would not end every process.
    program.parentDeathSignal = .kill
    // Keys typed on the program's own terminal are meant for it, even if our shell started us with these signals
    // ignored.
    program.ignoredSignals.remove(.interrupt)
    program.ignoredSignals.remove(.quit)
    return program
  }

  private func converse(
    with program: Program, log: consuming Descriptor?, sentLog: consuming Descriptor?,
    _ frame: consuming ConversationFrame
  ) throws -> CInt {
    let cancellation = try Cancellation(whenReadable: frame.signals.descriptor)
    let output = try ShownOutput(
      isShowing: !settings.isQuiet, log: log, logPath: self.log ?? "", sentLog: sentLog,
      sentLogPath: self.sentLog ?? "", cancellation: cancellation)
    var conversation: TerminalConversation
    do throws(SystemCallError) {
      conversation = try TerminalConversation(program, size: size ?? Self.usersSize(), bufferLimit: 1 << 17) {
        $0.echoes = echoes
      }
    } catch { return try frame.conclude(start: error) }
    conversation.cancellation = cancellation
    conversation.watch = { (bytes) throws(SystemCallError) in try output.take(bytes) }
    let lines = LongLines(terminal: conversation.descriptor.number)
    let command = frame.command
    conversation.watchSent = { (bytes) throws(SystemCallError) in
      if lines.isCut(by: bytes) { command.complain(LongLines.complaint) }
      try output.takeSent(bytes)
    }
    let ending = talk(&conversation, output)
    output.isShowing = false
    let ownStatus =
      ending.isProgramGone ? try? conversation.waitForExit(until: Deadline(after: .milliseconds(500))) : nil
    switch ending {
    case .ended(let status): return ExitStatuses.of(status)
    case .failed(let reason):
      output.patience = .atEnd
      conversation.terminate(gracePeriod: .seconds(2))
      return frame.conclude(reason, ownStatus)
    }
  }

  private func talk(_ conversation: inout TerminalConversation, _ output: ShownOutput) -> ConversationEnding {
    do {
      var runner = StepRunner(steps: settings.steps, limit: settings.limit, output: output) {
        (line) throws(SystemCallError) in try output.show(line)
      }
      try runner.run(&conversation)
      return .ended(try handOver(&conversation, output))
    } catch { return .failed(error) }
  }

  private func handOver(
    _ conversation: inout TerminalConversation, _ output: ShownOutput
  ) throws(SystemCallError) -> ExitStatus {
    if settings.steps.last == .expectEnd { return try conversation.waitForExit() }
    // It has been shown, or is now.
    let waiting = conversation.waitingByteCount > 0 ? try conversation.read() : []
    if !output.isShowing { try output.show(waiting) }
    if settings.ignoresInput {
      output.isShowing = true
      return try conversation.waitForExit()
    }
    output.isShowing = false
    let isUser = StandardStream.input.isTerminal
    if isUser, StandardStream.errors.isTerminal, let key = escape.name {
      StandardStream.complain("[\(key) ends the program]")
    }
    switch try conversation.interact(escape: isUser ? escape.byte : nil) {
    case .ended(let status): return status
    case .escaped: return conversation.terminate(gracePeriod: .seconds(2))
    }
  }

  /// That of the terminal which the user looks at, if there is one.
  private static func usersSize() -> TerminalSize {
    for stream in [StandardStream.output, .input, .errors] {
      let size = Descriptor.withBorrowed(stream.rawValue) { try? $0.terminalSize() }
      if let size, size.columns > 0, size.rows > 0 { return size }
    }
    return .standard
  }
}
