@_spi(Begat) import UnixCore

/// What a program wrote, and how it ended: backticks with bounds.
public struct CapturedOutput: Sendable {
  /// Why nothing more was read.
  public enum Ending: Sendable {
    /// The program closed its output, and ended.
    case complete
    /// The program had written more bytes than the limit, and was ended.
    case outputLimit
    /// The deadline had passed, and the program was ended.
    case timedOut
    /// The capture was cancelled, and the program was ended.
    case cancelled
  }

  /// The path of the program.
  public let path: UnixPath
  /// What the program wrote to its standard output.
  public let output: [UInt8]
  /// What the program wrote to its standard error; empty but for `Conversation.Errors.separate`.
  public let errors: [UInt8]
  /// How the program ended.
  public let status: ExitStatus
  /// Why nothing more was read.
  public let ending: Ending
  /// Whether the program took all of its input.
  public let isInputTaken: Bool

  /// The output as text; bytes that are no UTF-8 are shown as U+FFFD.
  public var string: String { String(decoding: output, as: UTF8.self) }

  /// Whether the program ended by itself, with success.
  public var isSuccess: Bool { ending == .complete && status.isSuccess }

  /// Returns the capture itself, for a call to follow.
  ///
  ///     let date = try Program(path: "/bin/date").capture(limit: 100).checkSuccess().string
  ///
  /// - Throws: `ProgramError`, with the end of what the program wrote, unless it ended by itself, with success.
  @discardableResult
  public func checkSuccess() throws(ProgramError) -> CapturedOutput {
    if isSuccess { return self }
    throw ProgramError(path, status: status, reason: ending.reason, output: errors.isEmpty ? output : errors)
  }
}

extension CapturedOutput: CustomStringConvertible {
  /// One line: the program, its status, and how much it wrote.
  public var description: String {
    let reason = ending.reason.map { " (\($0))" } ?? ""
    return "\(path): \(status)\(reason), \(output.count) bytes of output, \(errors.count) of errors"
  }
}

extension CapturedOutput.Ending {
  /// Why the program was ended; nil if it ended by itself.
  fileprivate var reason: String? {
    switch self {
    case .complete: nil
    case .outputLimit: "it wrote too much"
    case .timedOut: "it took too long"
    case .cancelled: "cancelled"
    }
  }
}

extension Program {
  /// Runs the program, without a shell, and collects what it writes.
  ///
  /// - Parameter input: what it reads; if it does not read all of it, that is no error.
  /// - Parameter errors: what its standard error is.
  /// - Parameter limit: how many bytes are kept, of both streams together; a program that writes more is ended.
  /// - Parameter deadline: when the program is ended.  What it started and left behind with its output open is waited
  ///   for until then as well.
  /// - Parameter cancellation: ends the program when it is cancelled.
  /// - Parameter gracePeriod: how long a program that is ended has from SIGTERM to SIGKILL.
  /// - Throws: as `spawn`.
  public func capture(
    input: some Collection<UInt8> = EmptyCollection(), errors: consuming Conversation.Errors = .inherited, limit: Int,
    until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil,
    gracePeriod: Duration = .seconds(5)
  ) throws(SystemCallError) -> CapturedOutput {
    let limit = max(0, limit)
    var conversation = try Conversation(with: self, errors: errors)
    conversation.cancellation = cancellation
    let bytes = Array(input)
    var progress = Progress()
    do throws(SystemCallError) {
      try conversation.collect(input: bytes, limit: limit, until: deadline, &progress)
    } catch {
      switch error.code {
      case .timedOut: progress.ending = .timedOut
      case .canceled: progress.ending = .cancelled
      default: throw error
      }
    }
    let output = conversation.takeOutput()
    let errorOutput = conversation.readErrors()
    // Its output has ended, and yet it may live on.
    let status = conversation.conclude(ending: &progress.ending, until: deadline, gracePeriod: gracePeriod)
    return CapturedOutput(
      path: path, output: output.cut(to: limit), errors: errorOutput.cut(to: max(0, limit - output.count)),
      status: status, ending: progress.ending, isInputTaken: progress.sent == bytes.count)
  }

  /// How far a capture has come.
  fileprivate struct Progress {
    var sent = 0
    var isInputRefused = false
    var ending = CapturedOutput.Ending.complete
  }
}

extension Conversation {
  /// Sends the input and takes the output, up to its end or the limit.
  fileprivate mutating func collect(
    input bytes: [UInt8], limit: Int, until deadline: Deadline, _ progress: inout Program.Progress
  ) throws(SystemCallError) {
    var hasBegun = false
    if bytes.isEmpty { endInput() }
    // A program may close its output and read on.
    while !isOutputAtEnd || progress.sent < bytes.count && !progress.isInputRefused, waitingCount <= limit {
      if hasBegun { try mustBe(before: deadline) }
      hasBegun = true
      // Address space costs nothing until it is used; moving what has come, again and again, does.
      if waitingCount > 1 << 20 { reserve(min(limit, 1 << 30)) }
      let turn = try carry(progress.isInputRefused ? [] : bytes, from: progress.sent, until: deadline)
      progress.sent += turn.sent
      progress.isInputRefused = progress.isInputRefused || turn.isInputRefused
      if progress.sent == bytes.count { endInput() }
    }
    if waitingCount > limit { progress.ending = .outputLimit }
  }

  /// The program's status, in time or by force.
  fileprivate mutating func conclude(
    ending: inout CapturedOutput.Ending, until deadline: Deadline, gracePeriod: Duration
  )
    -> ExitStatus
  {
    endInput()
    guard ending == .complete else { return terminate(gracePeriod: gracePeriod) }
    do throws(SystemCallError) { return try child.waitForExit(until: deadline, cancelledBy: cancellation) } catch {
      ending = error.code == .canceled ? .cancelled : .timedOut
      return terminate(gracePeriod: gracePeriod)
    }
  }
}

extension [UInt8] {
  /// The first `limit` bytes, in an array that takes no more than twice their room.
  fileprivate func cut(to limit: Int) -> [UInt8] {
    count <= limit && capacity / 2 <= count ? self : Array(prefix(limit))
  }
}
