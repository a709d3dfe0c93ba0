import Glibc
@_spi(Begat) import UnixCore

extension TerminalConversation {
  /// Takes what waits, or waits for what comes next; empty at the end of the file.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline.
  public mutating func read(until deadline: Deadline = .never) throws(SystemCallError) -> [UInt8] {
    while buffer.count == 0 {
      if try fill() { break }
      if channel.hasEnded { return [] }
      try waitForOutput(until: deadline)
    }
    return buffer.take(buffer.count)
  }

  /// Takes the next line without its end, LF or CR LF; at the end of the file what is left, then nil.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline, `EMSGSIZE` for a line that is longer than the buffer's limit: `read` takes it.
  public mutating func readLine(until deadline: Deadline = .never) throws(SystemCallError) -> [UInt8]? {
    var searched = 0
    while true {
      if let end = buffer.find([UInt8(ascii: "\n")], from: searched) {
        if end > buffer.limit { throw SystemCallError("read", code: ErrorCode.messageTooLong) }
        var line = Array(buffer.take(end + 1).dropLast())
        LineEnd.removeReturn(from: &line)
        return line
      }
      searched = buffer.count
      if searched > buffer.limit { throw SystemCallError("read", code: ErrorCode.messageTooLong) }
      // One byte more than the limit may turn out to be the line's end.
      if try fillBeyondLimit(room: min(buffer.limit - searched, 16383) + 1) { continue }
      if channel.hasEnded { return searched == 0 ? nil : buffer.take(searched) }
      try waitForOutput(until: deadline)
    }
  }

  /// Takes the next line as bytes that must be checked before use, without its end; nil at the end of the file.
  ///
  /// - Throws: as ``readLine(until:)`` does.
  public mutating func readUntrustedLine(until deadline: Deadline = .never) throws(SystemCallError) -> UntrustedBytes? {
    try readLine(until: deadline).map { UntrustedBytes($0) }
  }

  mutating func waitForOutput(until deadline: Deadline) throws(SystemCallError) {
    var others = PollSet()
    if !(try channel.wait(also: &others, until: deadline)) { throw SystemCallError("read", code: .timedOut) }
  }
}
