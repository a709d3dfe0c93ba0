import Glibc
@_spi(Begat) import UnixCore

extension TerminalConversation {
  /// Types the bytes.  What the program writes meanwhile is taken into the buffer, so that neither waits for the other.
  ///
  /// While the terminal reads lines, a line may have 4095 bytes; the kernel drops the rest of a longer one.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline, when some bytes may be on their way; `EIO` when the program has closed its
  ///   terminal.
  public mutating func send(_ bytes: [UInt8], until deadline: Deadline = .never) throws(SystemCallError) {
    var sent = 0
    while sent < bytes.count {
      let count = try channel.write(bytes[sent...])
      try show(sent: bytes[sent..<(sent + count)])
      sent += count
      guard count == 0 else { continue }
      var others = PollSet()
      // What the program writes ends the wait too, without end where it never reads.
      if !(try channel.wait(writing: true, also: &others, until: deadline)) || deadline.isExpired {
        throw SystemCallError("write", on: terminalPath, code: .timedOut)
      }
      _ = try fill()
    }
  }

  func show(sent bytes: ArraySlice<UInt8>) throws(SystemCallError) {
    guard let watchSent, !bytes.isEmpty else { return }
    try bytes.withUnsafeBufferPointer { (bytes) throws(SystemCallError) in
      try watchSent(UnsafeRawBufferPointer(bytes))
    }
  }

  /// Types a text; see ``send(_:until:)-([UInt8],_)``.
  public mutating func send(_ text: String, until deadline: Deadline = .never) throws(SystemCallError) {
    try send(Array(text.utf8), until: deadline)
  }

  /// Types the text and the Enter key: a CR, which a terminal that reads lines turns into LF (ICRNL).
  ///
  /// - Throws: `EMSGSIZE` for a line of more than 4095 bytes while the terminal reads lines, and nothing is typed: the
  ///   kernel would drop the rest.  Otherwise as ``send(_:until:)-([UInt8],_)`` does.
  public mutating func sendLine(_ text: String = "", until deadline: Deadline = .never) throws(SystemCallError) {
    let longest = text.utf8.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }.map(\.count).max() ?? 0
    if longest > TerminalSettings.maxLineLength, try settings().readsLines {
      throw SystemCallError("write", on: terminalPath, code: .messageTooLong)
    }
    try send(text + "\r", until: deadline)
  }

  /// Types the terminal's end-of-file key (VEOF, Ctrl-D), which means it at the beginning of a line; elsewhere it only
  /// hands over what was typed so far.
  public mutating func sendEndOfFile(until deadline: Deadline = .never) throws(SystemCallError) {
    try send([settings().byte(for: .endOfFile) ?? 0x04], until: deadline)
  }

  /// Types a letter, or one of `@[\]^_?`, with the Control key: `sendControl("c")` interrupts.
  ///
  /// - Throws: `EINVAL` for another character.
  public mutating func sendControl(_ key: Character, until deadline: Deadline = .never) throws(SystemCallError) {
    guard let byte = key.asciiValue, (0x3f...0x5f).contains(byte) || (0x61...0x7a).contains(byte) else {
      throw SystemCallError("write", on: "Control-\(key)", code: .invalidArgument)
    }
    try send([byte == UInt8(ascii: "?") ? 0x7f : byte & 0x1f], until: deadline)
  }
}
