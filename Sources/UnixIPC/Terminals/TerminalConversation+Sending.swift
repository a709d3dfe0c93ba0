import Glibc

extension TerminalConversation {
  /// Types the bytes.  What the program writes meanwhile is taken into the buffer, so that neither waits for the other.
  ///
  /// While the terminal reads lines, one may have 4095 bytes; the kernel drops what is longer.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline, when some bytes may be on their way; `EIO` when the program has closed its
  ///   terminal.
  public mutating func send(_ bytes: [UInt8], until deadline: Deadline = .never) throws(CallFailure) {
    var sent = 0
    while sent < bytes.count {
      let count = try channel.write(bytes[sent...])
      sent += count
      guard count == 0 else { continue }
      var others = PollSet()
      // What the program writes ends the wait too, without end where it never reads.
      if !(try channel.wait(writing: true, also: &others, until: deadline)) || deadline.hasPassed {
        throw CallFailure("write", on: terminalPath, errno: .timedOut)
      }
      _ = try fill()
    }
  }

  public mutating func send(_ text: String, until deadline: Deadline = .never) throws(CallFailure) {
    try send(Array(text.utf8), until: deadline)
  }

  /// Types the text and the Enter key: a CR, which a terminal that reads lines turns into LF (ICRNL).
  public mutating func sendLine(_ text: String = "", until deadline: Deadline = .never) throws(CallFailure) {
    try send(text + "\r", until: deadline)
  }

  /// Types the terminal's end-of-file key (VEOF, Ctrl-D), which means it at the beginning of a line; elsewhere it only
  /// hands over what was typed so far.
  public mutating func sendEndOfFile(until deadline: Deadline = .never) throws(CallFailure) {
    try send([settings().byte(for: .endOfFile) ?? 0x04], until: deadline)
  }

  /// Types a letter, or one of `@[\]^_?`, with the Control key: `sendControl("c")` interrupts.
  ///
  /// - Throws: `EINVAL` for another character.
  public mutating func sendControl(_ key: Character, until deadline: Deadline = .never) throws(CallFailure) {
    guard let byte = key.asciiValue, (0x3f...0x5f).contains(byte) || (0x61...0x7a).contains(byte) else {
      throw CallFailure("write", on: "Control-\(key)", errno: .invalidArgument)
    }
    try send([byte == UInt8(ascii: "?") ? 0x7f : byte & 0x1f], until: deadline)
  }
}
