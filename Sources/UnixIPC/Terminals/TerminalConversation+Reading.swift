import Glibc

extension TerminalConversation {
  /// What waits, or what comes next; empty at the end of the file.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline.
  public mutating func read(until deadline: Deadline = .never) throws(CallFailure) -> [UInt8] {
    while buffer.count == 0 {
      if try fill() { break }
      if channel.hasEnded { return [] }
      try waitForOutput(until: deadline)
    }
    return buffer.take(buffer.count)
  }

  /// The next line without its end, LF or CR LF; at the end of the file what is left, then nil.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline, `EMSGSIZE` for a line that is longer than the buffer may be: `read` takes it.
  public mutating func readLine(until deadline: Deadline = .never) throws(CallFailure) -> [UInt8]? {
    var searched = 0
    while true {
      if let end = buffer.find([UInt8(ascii: "\n")], from: searched) {
        if end > buffer.limit { throw CallFailure("read", errno: Errno(rawValue: EMSGSIZE)) }
        var line = Array(buffer.take(end + 1).dropLast())
        LineEnd.removeReturn(from: &line)
        return line
      }
      searched = buffer.count
      if searched > buffer.limit { throw CallFailure("read", errno: Errno(rawValue: EMSGSIZE)) }
      if try fillBeyondLimit() { continue }
      if channel.hasEnded { return searched == 0 ? nil : buffer.take(searched) }
      try waitForOutput(until: deadline)
    }
  }

  mutating func waitForOutput(until deadline: Deadline) throws(CallFailure) {
    var others = PollSet()
    if !(try channel.wait(also: &others, until: deadline)) { throw CallFailure("read", errno: .timedOut) }
  }
}
