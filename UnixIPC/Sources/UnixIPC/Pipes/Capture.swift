@_spi(Begat) import UnixCore

/// What a program wrote, and how it ended: backticks with bounds.
public struct Capture: Sendable {
  /// Why nothing more was read.
  public enum Ending: Sendable {
    /// The program closed its output, and ended.
    case complete
    /// It had written more than was asked for, and was ended.
    case cut
    /// The time was up, and it was ended.
    case late
    /// Nobody wanted it any more, and it was ended.
    case cancelled
  }

  public let output: [UInt8]
  /// Empty but for `Conversation.Errors.separate`.
  public let errors: [UInt8]
  public let status: ExitStatus
  public let ending: Ending
  /// Whether the program took all of its input.
  public let isInputTaken: Bool

  /// Whether it ended by itself, with success.
  public var isSuccess: Bool { ending == .complete && status.isSuccess }
}

extension Program {
  /// Runs the program, without a shell, and collects what it writes.
  ///
  /// - Parameter input: what it reads; that it does not read all of it is no error.
  /// - Parameter limit: how many bytes are kept, of both streams together; a program that writes more is ended.
  /// - Parameter deadline: when the program is ended.  What it started and left behind with its output open is waited
  ///   for until then as well.
  /// - Parameter cancellation: a descriptor that ends the program when it becomes readable, such as a `SignalQueue`'s.
  /// - Parameter patience: how long a program that is ended has from SIGTERM to SIGKILL.
  /// - Throws: why it cannot be executed, for one.
  public func capture(
    input: some Collection<UInt8> = EmptyCollection(), errors: Conversation.Errors = .inherited, limit: Int,
    until deadline: Deadline = .never, cancelledBy cancellation: CInt? = nil, patience: Duration = .seconds(5)
  ) throws(SystemCallError) -> Capture {
    let limit = max(0, limit)
    var conversation = try Conversation(with: self, errors: errors)
    if let cancellation { conversation.cancellation = cancellation }
    let bytes = Array(input)
    var sent = 0
    var isRefused = false
    var hasBegun = false
    var ending = Capture.Ending.complete
    if bytes.isEmpty { conversation.endInput() }
    do throws(SystemCallError) {
      // A program may close its output and read on.
      while !conversation.isOutputAtEnd || sent < bytes.count && !isRefused, conversation.waitingCount <= limit {
        if hasBegun { try conversation.mustBe(before: deadline) }
        hasBegun = true
        // Address space costs nothing until it is used; moving what has come, again and again, does.
        if conversation.waitingCount > 1 << 20 { conversation.reserve(min(limit, 1 << 30)) }
        let turn = try conversation.carry(isRefused ? [] : bytes, from: sent, until: deadline)
        sent += turn.sent
        isRefused = isRefused || turn.isInputRefused
        if sent == bytes.count { conversation.endInput() }
      }
      if conversation.waitingCount > limit { ending = .cut }
    } catch {
      switch error.code {
      case .timedOut: ending = .late
      case .canceled: ending = .cancelled
      default: throw error
      }
    }
    let output = conversation.takeOutput()
    let errorOutput = conversation.readErrors()
    // Its output has ended, and yet it may live on.
    let status = try conversation.conclude(ending: &ending, until: deadline, patience: patience)
    return Capture(
      output: output.cut(to: limit), errors: errorOutput.cut(to: max(0, limit - output.count)), status: status,
      ending: ending, isInputTaken: sent == bytes.count)
  }
}

extension Conversation {
  fileprivate consuming func conclude(ending: inout Capture.Ending, until deadline: Deadline, patience: Duration)
    throws(SystemCallError) -> ExitStatus
  {
    endInput()
    if ending == .complete {
      if let status = status(by: deadline) { return status }
      ending = .late
    }
    return try end(patience: patience)
  }
}

extension [UInt8] {
  /// The first `limit` bytes, in an array that takes no more than twice their room.
  fileprivate func cut(to limit: Int) -> [UInt8] {
    count <= limit && capacity / 2 <= count ? self : Array(prefix(limit))
  }
}
