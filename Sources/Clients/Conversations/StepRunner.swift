import Glibc
import Settings
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// Takes the steps of a conversation, one after the other.
struct StepRunner {
  let steps: [ConversationStep]
  /// Of each step.
  let limit: Duration
  let output: ShownOutput
  /// Shows a line that was waited for.
  let showLine: ([UInt8]) throws(SystemCallError) -> Void
  var secrets = SentSecrets()

  /// - Throws: `StepFailure`, or the `SystemCallError` of an output and of what cancels a wait.
  mutating func run(_ conversation: inout some SteppedConversation & ~Copyable) throws {
    for (place, step) in steps.enumerated() {
      // A reader's delay is the step's too.
      output.patience.deadline = Deadline(after: limit)
      do {
        try take(step, &conversation, until: output.patience.deadline)
      } catch let reason as StepFailure.Reason {
        throw StepFailure(number: place + 1, step: step, reason: reason.blotting(secrets))
      } catch let failure as SystemCallError where failure.code == .wouldBlock && output.hasCaused(failure) {
        let text = "no process reads \(failure.object ?? "it"), and \(DurationText.render(limit)) are over"
        throw StepFailure(number: place + 1, step: step, reason: .other(text))
      }
    }
    output.patience.deadline = .never
  }

  private mutating func take(
    _ step: ConversationStep, _ conversation: inout some SteppedConversation & ~Copyable, until deadline: Deadline
  ) throws {
    switch step {
    case .expect(let bytes): try expect([.literal(bytes)], &conversation, until: deadline)
    case .expectRegex(let text): try expect([Self.pattern(text)], &conversation, until: deadline)
    case .expectNoEcho:
      try reporting { () throws(ConversationError) in try conversation.waitUntilEchoIsOff(until: deadline) }
    case .line: try takeLine(&conversation, until: deadline)
    case .send(let bytes): try reporting(&conversation) { try $0.send(bytes, until: deadline) }
    case .sendEnvironment(let name):
      guard let value = getenv(name) else { throw StepFailure.Reason.other("there is no such variable") }
      let bytes = Array(UnsafeRawBufferPointer(start: value, count: strlen(value)))
      secrets.add(value: bytes)
      output.isSecretSent = true
      defer { output.isSecretSent = false }
      try reporting(&conversation) { try $0.send(bytes, until: deadline) }
    case .sendFile(let path): try sendFile(path, &conversation, until: deadline)
    case .end: try reporting(&conversation) { try $0.endInput(until: deadline) }
    case .expectEnd: try reporting(&conversation) { _ = try $0.waitForExit(until: deadline) }
    }
  }

  @discardableResult
  private func expect(
    _ patterns: [ConversationPattern], _ conversation: inout some SteppedConversation & ~Copyable,
    until deadline: Deadline
  ) throws -> ConversationMatch {
    do {
      return try reporting { () throws(ConversationError) in try conversation.expect(patterns, until: deadline) }
    } catch let failure as SystemCallError where failure.code == .timedOut {
      throw StepFailure.Reason.late(limit, seen: conversation.lastBytes)
    }
  }

  /// A regex over much output is searched for where that is new, and a little before it: otherwise each piece would cost
  /// as much as all of them.  One that looks at what comes before it has to see all.
  private static func pattern(_ text: String) throws -> ConversationPattern {
    let looksBack = ["^", "\\A", "\\G", "(?<"].contains { text.contains($0) }
    return .regex(try Regex(text), lookingBack: looksBack ? nil : Self.lookBack)
  }

  /// How far before the newest output a match may begin, at least; a line is searched from its beginning.
  static let lookBack = 8192

  private func reporting<Result>(_ body: () throws(ConversationError) -> Result) throws -> Result {
    do throws(ConversationError) { return try body() } catch {
      switch error {
      case .timedOut(_, let seen): throw StepFailure.Reason.late(limit, seen: seen)
      case .ended(_, let seen): throw StepFailure.Reason.ended(seen: seen)
      case .regex(let problem): throw StepFailure.Reason.other(problem)
      case .call(let failure): throw failure
      }
    }
  }

  private func takeLine(
    _ conversation: inout some SteppedConversation & ~Copyable, until deadline: Deadline
  ) throws {
    let before = conversation.droppedByteCount
    let match = try expect(["\n", .endOfFile], &conversation, until: deadline)
    if conversation.droppedByteCount != before { throw StepFailure.Reason.lineTooLong }
    // The last line may lack its end.
    if match.index == 1, match.before.isEmpty { throw StepFailure.Reason.ended(seen: []) }
    if !output.isShowing { try showLine(match.before + match.bytes) }
  }

  /// In pieces: a file may be of any size, or have no end.
  private mutating func sendFile(
    _ path: String, _ conversation: inout some SteppedConversation & ~Copyable, until deadline: Deadline
  ) throws {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
    defer { room.deallocate() }
    let file: Descriptor
    do throws(SystemCallError) { file = try Descriptor.open(path, [.readOnly, .nonBlocking]) } catch {
      throw StepFailure.Reason.other("\(error)")
    }
    while true {
      // A FIFO has nothing yet; and it has ended before its first writer has come.
      guard try output.patience.wait(for: .readable, of: file) else {
        throw StepFailure.Reason.other("it has not come to its end after \(DurationText.render(limit))")
      }
      let piece: [UInt8]
      do throws(SystemCallError) { piece = Array(room[..<(try file.read(into: room))]) } catch {
        if error.code == .wouldBlock { continue }
        throw StepFailure.Reason.other("read: \(error)")
      }
      if piece.isEmpty { return }
      secrets.set(filePiece: piece)
      // A terminal that reads lines takes whatever comes, and drops what is too long.
      if deadline.isExpired { throw StepFailure.Reason.late(limit, seen: conversation.lastBytes) }
      try reporting(&conversation) { try $0.send(piece, until: deadline) }
    }
  }

  /// Turns what the program does not take, or not in time, into the step's failure.
  private func reporting<Talk: SteppedConversation & ~Copyable>(
    _ conversation: inout Talk, _ body: (inout Talk) throws -> Void
  ) throws {
    do { try body(&conversation) } catch let failure as SystemCallError {
      switch failure.code {
      case .timedOut: throw StepFailure.Reason.late(limit, seen: conversation.lastBytes)
      case .brokenPipe where !output.hasCaused(failure), ErrorCode.ioError where !output.hasCaused(failure):
        throw StepFailure.Reason.refused
      default: throw failure
      }
    }
  }
}
