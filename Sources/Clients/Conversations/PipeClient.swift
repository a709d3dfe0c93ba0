import Glibc
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// `begat pipe`: a program on pipes, with which first steps are done, and to which then standard input and output are
/// joined.
public struct PipeClient: Sendable {
  public var settings: ConversationSettings
  /// A file for the program's standard error; nil is this process's own.
  public var errors: String?
  /// Whether the lines of both outputs go to standard output with their names.
  public var labels = false

  public init(_ settings: ConversationSettings) { self.settings = settings }

  /// - Returns: the exit status.
  public func run() -> CInt {
    let command = CommandRun(command: "begat pipe")
    return command.attempt(failure: ExitStatuses.failure) {
      let program: Program
      if takesInput { try StandardStream.checkInput() }
      do throws(SystemCallError) { program = try self.program() } catch { return command.complain(ofCommand: error) }
      let file: Descriptor? = errors == nil ? nil : try Descriptor.open(errors ?? "", [.writeOnly, .create, .truncate])
      return try converse(with: program, errors: file, ConversationFrame(command))
    }
  }

  /// Whether standard input is the program's after the steps.
  private var takesInput: Bool {
    !settings.ignoresInput && !settings.steps.contains(.end) && settings.steps.last != .expectEnd
  }

  private func program() throws(SystemCallError) -> Program {
    var program = try settings.program()
    program.parentDeathSignal = .terminate
    return program
  }

  private func converse(
    with program: Program, errors: consuming Descriptor?, _ frame: consuming ConversationFrame
  ) throws -> CInt {
    let cancellation = try Cancellation(whenReadable: frame.signals.descriptor)
    let shown = try ShownOutput(isShowing: !settings.isQuiet, log: nil, cancellation: cancellation)
    let output = PipeOutput(
      shown, labels: labels ? LineLabels(isPrintable: StandardStream.output.isTerminal) : nil)
    var conversation: Conversation
    do throws(SystemCallError) { conversation = try start(program, errors: errors) } catch {
      return try frame.conclude(start: error)
    }
    conversation.excess = .isDropped
    conversation.cancellation = cancellation
    conversation.watch = { (stream, bytes) throws(SystemCallError) in try output.take(stream, bytes) }
    let ending = talk(&conversation, output)
    let ownStatus = ending.isProgramGone ? conversation.status(until: Deadline(after: .milliseconds(500))) : nil
    switch ending {
    case .ended(let status): return ExitStatuses.of(status)
    case .failed(let reason):
      _ = conversation.terminate(gracePeriod: .seconds(2))
      return frame.conclude(reason, ownStatus)
    }
  }

  private func start(_ program: Program, errors: consuming Descriptor?) throws(SystemCallError) -> Conversation {
    let capacity = 1 << 18
    switch consume errors {
    case .some(let file):
      return try Conversation(with: program, errors: .descriptor(file.number), capacity: capacity)
    case nil:
      return try Conversation(with: program, errors: labels ? .separate : .inherited, capacity: capacity)
    }
  }

  private func talk(_ conversation: inout Conversation, _ output: PipeOutput) -> ConversationEnding {
    do {
      var runner = StepRunner(steps: settings.steps, limit: settings.limit, output: output.shown) {
        (line) throws(SystemCallError) in try output.show(line)
      }
      try runner.run(&conversation)
      let status = try handOver(&conversation, output)
      try output.finish()
      return .ended(status)
    } catch {
      output.shown.patience = .atEnd
      try? output.finish()
      return .failed(error)
    }
  }

  private func handOver(_ conversation: inout Conversation, _ output: PipeOutput) throws(SystemCallError) -> ExitStatus
  {
    if settings.steps.last == .expectEnd { return try conversation.waitForExit() }
    // It has been shown, or is now.
    let waiting = conversation.waitingByteCount > 0 ? try conversation.read() : []
    if !output.shown.isShowing { try output.show(waiting) }
    output.shown.isShowing = true
    if settings.ignoresInput { conversation.endInput() }
    if !takesInput { return try conversation.waitForExit() }
    return try Descriptor.withBorrowed(StandardStream.input.rawValue) { (input) throws(SystemCallError) in
      try conversation.exchange(input: input)
    }
  }
}
