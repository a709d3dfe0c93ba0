@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// A program that steps can be taken with, over pipes or on a terminal.
protocol SteppedConversation: ~Copyable {
  mutating func expect(
    _ patterns: [ConversationPattern], until deadline: Deadline
  ) throws(ConversationError) -> ConversationMatch
  mutating func waitUntilEchoIsOff(until deadline: Deadline) throws(ConversationError)
  mutating func send(_ bytes: [UInt8], until deadline: Deadline) throws(SystemCallError)
  mutating func endInput(until deadline: Deadline) throws(SystemCallError)
  mutating func waitForExit(until deadline: Deadline) throws(SystemCallError) -> ExitStatus
  var droppedByteCount: UInt64 { get }
  var lastBytes: [UInt8] { get }
}

extension TerminalConversation: SteppedConversation {
  mutating func endInput(until deadline: Deadline) throws(SystemCallError) { try sendEndOfFile(until: deadline) }
}

extension Conversation: SteppedConversation {
  /// A pipe shows nothing.
  mutating func waitUntilEchoIsOff(until deadline: Deadline) throws(ConversationError) {}
  mutating func endInput(until deadline: Deadline) throws(SystemCallError) { endInput() }
}
