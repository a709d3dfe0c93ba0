import CSharedLayouts
@_spi(Begat) import UnixCore

/// How serious a log line is; the numbers are syslog(3)'s.
public enum Severity: UInt32, Sendable {
  case error = 3
  case warning = 4
  case notice = 5
  case info = 6
  case debug = 7
}

/// What a listener says to begatd.
public enum ListenerMessage: Hashable, Sendable {
  /// All is read and bound; clients are being accepted.
  case ready
  /// The answer to `SupervisorMessage.question` of the same number.
  case alive(UInt32)
  case connections([ConnectionRecord])
  /// Parts of the text may be escaped already.
  case log(Severity, UntrustedBytes)
}

/// What begatd says to a listener.  To stop one it sends SIGTERM, as anybody may.
public enum SupervisorMessage: Hashable, Sendable {
  /// Answered at once while the listener's loop turns.
  case question(UInt32)
}

/// The messages of the channel between begatd and a listener: a pair of Unix sockets that keep messages apart
/// (`SOCK_SEQPACKET`).  What cannot be read is for the reader to ignore: the other end may be another version, or worse.
public enum ListenerChannel {
  /// How many records one message carries at most.
  public static let recordsPerMessage = 64
  /// No message is longer, in bytes.
  public static let largestMessage = headerSize + recordsPerMessage * MemoryLayout<begat_record>.stride

  static let headerSize = MemoryLayout<begat_message>.size

  enum Kind: UInt16 {
    case ready = 1
    case alive = 2
    case connections = 3
    case log = 4
    case question = 5
  }

  /// Writes the header of a message of this kind.
  static func writeHeader(_ kind: Kind, value: UInt32, into room: UnsafeMutableRawBufferPointer) {
    let header = begat_message(version: UInt16(BEGAT_CHANNEL_VERSION), kind: kind.rawValue, value: value)
    room.storeBytes(of: header, as: begat_message.self)
  }

  private static func readHeader(_ bytes: UnsafeRawBufferPointer) -> (kind: Kind, value: UInt32)? {
    guard bytes.count >= headerSize else { return nil }
    let header = bytes.loadUnaligned(as: begat_message.self)
    guard header.version == UInt16(BEGAT_CHANNEL_VERSION), let kind = Kind(rawValue: header.kind) else { return nil }
    return (kind, header.value)
  }

  /// Nil for bytes that are no message.
  public static func listenerMessage(_ bytes: UnsafeRawBufferPointer) -> ListenerMessage? {
    guard let (kind, value) = readHeader(bytes) else { return nil }
    let rest = UnsafeRawBufferPointer(rebasing: bytes[headerSize...])
    switch kind {
    case .ready: return .ready
    case .alive: return .alive(value)
    case .connections:
      let stride = MemoryLayout<begat_record>.stride
      guard value <= UInt32(recordsPerMessage), rest.count == Int(value) * stride else { return nil }
      return .connections(
        (0..<Int(value)).compactMap { index in
          ConnectionRecord(rest.loadUnaligned(fromByteOffset: index * stride, as: begat_record.self))
        })
    case .log:
      guard let severity = Severity(rawValue: value) else { return nil }
      return .log(severity, UntrustedBytes(rest))
    case .question: return nil
    }
  }

  /// Nil for bytes that are no message.
  public static func supervisorMessage(_ bytes: UnsafeRawBufferPointer) -> SupervisorMessage? {
    guard let (kind, value) = readHeader(bytes), kind == .question else { return nil }
    return .question(value)
  }

  /// Sends without waiting; a full channel throws `EAGAIN`.
  public static func send(_ message: SupervisorMessage, on channel: borrowing Descriptor) throws(SystemCallError) {
    switch message {
    case .question(let number): try sendHeader(.question, value: number, on: channel)
    }
  }

  static func sendHeader(_ kind: Kind, value: UInt32, text: String = "", on channel: borrowing Descriptor)
    throws(SystemCallError)
  {
    let failure = withUnsafeTemporaryAllocation(byteCount: 2048, alignment: 8) { room -> SystemCallError? in
      writeHeader(kind, value: value, into: room)
      var body = ByteWriter(UnsafeMutableRawBufferPointer(rebasing: room[headerSize...]))
      body.append(text)
      do throws(SystemCallError) {
        _ = try channel.send(UnsafeRawBufferPointer(rebasing: room[..<(headerSize + body.count)]), waiting: false)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }
}
