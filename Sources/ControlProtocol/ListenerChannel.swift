import CSharedLayouts
import Settings
@_spi(Begat) import UnixCore

/// A message of a listener to begatd.
public enum ListenerMessage: Hashable, Sendable {
  /// All is read.  Clients are accepted after `SupervisorMessage.begin`.
  case ready
  /// The answer to `SupervisorMessage.question` of the same number.
  case alive(UInt32)
  case connections([ConnectionRecord])
  /// Parts of the text may be escaped already.
  case log(Severity, LogKind, UntrustedBytes)
  /// A line that a connection's program has written; the record says which connection it is.
  case program(ConnectionRecord, UntrustedBytes)
  /// No client will be accepted any more, and the listener's copies of the sockets are closed: a successor may begin.
  ///
  /// Also sent by a listener that stops because of another process's SIGTERM or a failure of its own.
  case retired
  /// The answer to the order of this number: how many connections it has told to end.
  case ended(UInt32, count: Int)
  /// Something that only another version can read, with so many records of connections.
  case foreign(records: Int)
}

/// The messages of the channel between begatd and a listener: a pair of Unix sockets that keep messages apart
/// (`SOCK_SEQPACKET`).
///
/// After an upgrade an old listener meets a new begatd, and after a downgrade a new one an old begatd.  Each message has
/// the version of its sender.  The kinds with which the two hand clients over are read in every version; of the others a
/// reader takes those of its own version, and ignores what it cannot read.
public enum ListenerChannel {
  /// How many records one message carries at most.
  public static let recordsPerMessage = 64
  /// No message is longer, in bytes.
  public static let largestMessage = headerSize + recordsPerMessage * MemoryLayout<begat_record>.stride

  static let headerSize = MemoryLayout<begat_message>.size

  /// No number is ever used for another kind.
  enum Kind: UInt16 {
    case ready = 1
    case alive = 2
    case connections = 3
    case log = 4
    case question = 5
    case begin = 6
    case retire = 7
    case end = 8
    case clear = 9
    case retired = 10
    case ended = 11
    case program = 12
    case state = 13
    case board = 14
    case dropBoard = 15
    case nameRequests = 16

    /// Whether messages of this kind mean the same in all versions.
    ///
    /// These kinds never change, neither in their numbers nor in the layout of what follows the header: a later version may
    /// only append to that, and readers ignore what is longer than they know.  A message that must mean something else gets
    /// a kind of its own.
    var isFrozen: Bool {
      switch self {
      case .ready, .alive, .log, .question, .begin, .retire, .end, .clear, .retired, .ended: true
      case .connections, .program, .state, .board, .dropBoard, .nameRequests: false
      }
    }
  }

  /// The beginning of a message.  Its layout never changes either.
  private struct Header {
    /// Whether it is another version's.
    let isForeign: Bool
    private let number: UInt16
    let value: UInt32

    /// Nil for bytes that are too few.
    init?(_ bytes: UnsafeRawBufferPointer) {
      guard bytes.count >= headerSize else { return nil }
      let native = bytes.loadUnaligned(as: begat_message.self)
      isForeign = native.version != UInt16(BEGAT_CHANNEL_VERSION)
      number = native.kind
      value = native.value
    }

    /// Nil where this version cannot read what follows.
    var kind: Kind? { Kind(rawValue: number).flatMap { isForeign && !$0.isFrozen ? nil : $0 } }

    /// How many records a message has that cannot be read: at least their number is the same in all versions.
    var foreignRecords: UInt32 { number == Kind.connections.rawValue ? value : 0 }
  }

  /// Writes the header of a message of this kind.
  static func writeHeader(_ kind: Kind, value: UInt32, into room: UnsafeMutableRawBufferPointer) {
    let header = begat_message(version: UInt16(BEGAT_CHANNEL_VERSION), kind: kind.rawValue, value: value)
    room.storeBytes(of: header, as: begat_message.self)
  }

  /// The kind of a message and the value in its header; nil for bytes that this version cannot read.
  static func readHeader(_ bytes: UnsafeRawBufferPointer) -> (kind: Kind, value: UInt32)? {
    Header(bytes).flatMap { header in header.kind.map { ($0, header.value) } }
  }

  /// The value behind the header; nil if there are too few bytes.
  static func body<Body: BitwiseCopyable>(of bytes: UnsafeRawBufferPointer, as type: Body.Type) -> Body? {
    guard bytes.count >= headerSize + MemoryLayout<Body>.size else { return nil }
    return bytes.loadUnaligned(fromByteOffset: headerSize, as: type)
  }

  /// Nil for bytes that are no message.
  public static func listenerMessage(_ bytes: UnsafeRawBufferPointer) -> ListenerMessage? {
    guard let header = Header(bytes) else { return nil }
    let value = header.value
    guard let kind = header.kind else {
      // Each has at least a byte.
      return header.isForeign ? .foreign(records: min(Int(header.foreignRecords), bytes.count)) : nil
    }
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
      guard let severity = Severity(rawValue: value & 0xff), header.isForeign || value >> 16 == 0 else { return nil }
      let kind = LogKind(rawValue: UInt8(truncatingIfNeeded: value >> 8))
      return (kind ?? (header.isForeign ? .other : nil)).map { .log(severity, $0, UntrustedBytes(rest)) }
    case .program:
      let stride = MemoryLayout<begat_record>.stride
      guard rest.count >= stride, let record = ConnectionRecord(rest.loadUnaligned(as: begat_record.self)) else {
        return nil
      }
      return .program(record, UntrustedBytes(UnsafeRawBufferPointer(rebasing: rest[stride...])))
    case .retired: return .retired
    case .ended:
      guard let report = body(of: bytes, as: begat_end_report.self) else { return nil }
      return .ended(value, count: Int(clamping: report.count))
    case .question, .begin, .clear, .retire, .end, .state, .board, .dropBoard, .nameRequests: return nil
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

  /// Sends a header with an open file, without waiting.
  static func sendHeader(_ kind: Kind, value: UInt32, passing file: SharedFile, on channel: borrowing Descriptor)
    throws(SystemCallError)
  {
    let failure = withUnsafeTemporaryAllocation(byteCount: headerSize, alignment: 8) { room -> SystemCallError? in
      writeHeader(kind, value: value, into: room)
      do throws(SystemCallError) {
        _ = try channel.send(UnsafeRawBufferPointer(room), passing: [file.descriptor.number], waiting: false)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }

  /// Sends a header and what belongs to it, without waiting.
  static func send<Body: BitwiseCopyable>(
    _ kind: Kind, value: UInt32, body: Body, on channel: borrowing Descriptor
  ) throws(SystemCallError) {
    let size = headerSize + MemoryLayout<Body>.size
    let failure = withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { room -> SystemCallError? in
      writeHeader(kind, value: value, into: room)
      room.storeBytes(of: body, toByteOffset: headerSize, as: Body.self)
      do throws(SystemCallError) {
        _ = try channel.send(UnsafeRawBufferPointer(room), waiting: false)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }
}
