import Glibc
@_spi(Begat) import UnixCore

/// Bytes on their way between a user and a program on a terminal.
struct Interaction {
  private let escape: UInt8?
  /// For the error that says what could not be written.
  private let outputName: String
  /// Typed, and not taken by the program yet.
  private var pending: [UInt8] = []
  private var hasInputEnded = false
  private var hasEscaped = false
  /// Whether the last byte typed began a line's rest: the end-of-file key then only hands the rest over.
  private var isInsideLine = false
  /// When to look whether the program wants to be told once more that the input has ended, and how long after that.
  private var nextLook = Deadline.never
  private var lookInterval = Duration.milliseconds(20)

  /// As much may wait in either direction.
  private static let room = 16384

  init(escape: UInt8?, outputName: String) {
    self.escape = escape
    self.outputName = outputName
  }

  mutating func run(
    _ conversation: inout TerminalConversation, input: borrowing Descriptor, output: borrowing NonBlockingOutput,
    changes: CInt, _ takeSize: (inout TerminalConversation) -> Void
  ) throws(SystemCallError) -> InteractionEnd {
    let ahead = conversation.typedAhead
    conversation.typedAhead = []
    take(ahead, &conversation)
    while true {
      if conversation.buffer.count < Interaction.room { _ = try conversation.fillBeyondLimit() }
      try writeToProgram(&conversation)
      if nextLook.hasPassed { try repeatEnd(&conversation) }
      if hasEscaped {
        try leave(&conversation, output: output)
        return .escaped
      }
      let mayRead = conversation.buffer.count < Interaction.room
      if conversation.channel.hasEnded, conversation.buffer.count == 0, conversation.channel.session.hasEnded {
        return .ended(try conversation.waitForExit())
      }
      // What is not asked about must not be polled: a hang-up is reported unasked, over and over.
      var others = PollSet()
      let typing = others.add(!hasInputEnded && pending.count < Interaction.room ? input.number : -1, .readable)
      let showing = others.add(conversation.buffer.count > 0 ? output.number : -1, .writable)
      let resizing = others.add(changes, .readable)
      let isReady = try conversation.channel.wait(
        reading: mayRead, writing: !pending.isEmpty, also: &others, until: nextLook)
      // Else only a deadline of the thread's can end it.
      guard isReady || nextLook.hasPassed else {
        throw SystemCallError("poll", on: conversation.terminalPath, code: .timedOut)
      }
      if !others[typing].isEmpty { try readFromUser(&conversation, input) }
      if !others[showing].isEmpty { try writeToUser(&conversation, output) }
      // Stopped and continued, or in the background meanwhile, this process was not told.
      if !others[resizing].isEmpty || others[typing].isEmpty && others[showing].isEmpty { takeSize(&conversation) }
    }
  }

  private mutating func readFromUser(
    _ conversation: inout TerminalConversation, _ input: borrowing Descriptor
  ) throws(SystemCallError) {
    let typed = try withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) {
      (room) throws(SystemCallError) -> [UInt8]? in
      do throws(SystemCallError) { return Array(room[..<(try input.read(into: room))]) } catch {
        switch error.code {
        case .wouldBlock: return nil
        // The user's terminal hung up.
        case ErrorCode.ioError: return []
        default: throw SystemCallError("read", code: error.code)
        }
      }
    }
    guard let typed else { return }
    if typed.isEmpty { try endInput(&conversation) } else { take(typed, &conversation) }
  }

  private mutating func take(_ typed: [UInt8], _ conversation: inout TerminalConversation) {
    guard let end = typed.firstIndex(where: { $0 == escape }) else {
      pending += typed
      if let last = typed.last { isInsideLine = last != UInt8(ascii: "\n") && last != UInt8(ascii: "\r") }
      return
    }
    pending += typed[..<end]
    conversation.typedAhead = Array(typed[(end + 1)...])
    hasEscaped = true
  }

  /// A terminal has no end to pass on, but a key that means it, unless it is quite raw.
  private mutating func endInput(_ conversation: inout TerminalConversation) throws(SystemCallError) {
    hasInputEnded = true
    nextLook = Deadline(after: lookInterval)
    let settings = try conversation.settings()
    guard let key = endKey(settings) else { return }
    pending += isInsideLine && settings.readsLines ? [key, key] : [key]
  }

  private func endKey(_ settings: TerminalSettings) -> UInt8? {
    settings.readsLines || settings.sendsSignals ? settings.byte(for: .endOfFile) : nil
  }

  /// The end of a file stays, but the key is taken once, and lost where the program changes its terminal's mode or throws
  /// away what was typed.  No event tells that it reads again.
  private mutating func repeatEnd(_ conversation: inout TerminalConversation) throws(SystemCallError) {
    lookInterval = min(lookInterval * 2, .milliseconds(500))
    nextLook = Deadline(after: lookInterval)
    guard pending.isEmpty, !conversation.channel.hasEnded, !conversation.channel.session.hasEnded,
      !(try conversation.channel.terminal.hasUnreadInput()), let key = endKey(try conversation.settings())
    else { return }
    pending = [key]
    try writeToProgram(&conversation)
  }

  private mutating func writeToProgram(_ conversation: inout TerminalConversation) throws(SystemCallError) {
    guard !pending.isEmpty else { return }
    let count: Int
    do throws(SystemCallError) { count = try conversation.channel.write(pending[...]) } catch {
      guard error.code == ErrorCode.ioError else { throw error }
      // The program has closed its terminal: no process reads it any more.
      pending = []
      return
    }
    let sent = pending[..<count]
    pending.removeFirst(count)
    try conversation.show(sent: sent)
  }

  private func writeToUser(
    _ conversation: inout TerminalConversation, _ output: borrowing NonBlockingOutput
  ) throws(SystemCallError) {
    do throws(SystemCallError) {
      let bytes = conversation.buffer.bytes.prefix(4096)
      let count = try bytes.withUnsafeBytes { bytes -> Result<Int, SystemCallError> in
        do throws(SystemCallError) { return .success(try output.write(bytes)) } catch { return .failure(error) }
      }.get()
      conversation.buffer.remove(count)
    } catch {
      if error.code != .wouldBlock { throw SystemCallError("write", on: outputName, code: error.code) }
    }
  }

  /// What was typed before the escape character is the program's, if it takes it; what it wrote is the user's.
  private mutating func leave(
    _ conversation: inout TerminalConversation, output: borrowing NonBlockingOutput
  ) throws(SystemCallError) {
    do throws(SystemCallError) { try conversation.send(pending, until: Deadline(after: .seconds(1))) } catch {
      if error.code != .timedOut, error.code != ErrorCode.ioError { throw error }
    }
    while conversation.buffer.count > 0 {
      var others = PollSet()
      let showing = others.add(output.number, .writable)
      guard try conversation.channel.wait(reading: false, also: &others, until: .never) else {
        throw SystemCallError("write", on: outputName, code: .timedOut)
      }
      if !others[showing].isEmpty { try writeToUser(&conversation, output) }
    }
  }
}
