import CSharedLayouts
import Settings
@_spi(Begat) import UnixCore

/// Records on their way to begatd: gathered while there is work, sent together before the listener waits again.
///
/// Kept in memory that forks do not copy.
public struct RecordBatch: ~Copyable {
  private let memory: MemoryMapping
  private var count = 0

  public init() throws(SystemCallError) {
    memory = try MemoryMapping.private(size: ListenerChannel.largestMessage)
  }

  public var isEmpty: Bool { count == 0 }
  public var isFull: Bool { count == ListenerChannel.recordsPerMessage }

  /// Adds a record; there must be room.
  public mutating func append(_ record: begat_record) {
    let offset = ListenerChannel.headerSize + count * MemoryLayout<begat_record>.stride
    memory.unsafeBytes.storeBytes(of: record, toByteOffset: offset, as: begat_record.self)
    count += 1
  }

  /// Hands the records over and starts anew.
  ///
  /// - Parameter channel: nil where there is no begatd: then `show` gets each record.
  /// - Parameter next: the channel that takes the place of one whose begatd has ended; nil if there is none.
  /// - Returns: how many were dropped because the channel was full or closed.
  public mutating func flush(
    to channel: borrowing Descriptor?, orTo next: borrowing Descriptor? = nil, show: (ConnectionRecord) -> Void
  ) -> Int {
    guard count > 0 else { return 0 }
    let size = ListenerChannel.headerSize + count * MemoryLayout<begat_record>.stride
    let message = UnsafeRawBufferPointer(rebasing: memory.unsafeBytes[..<size])
    ListenerChannel.writeHeader(.connections, value: UInt32(count), into: memory.unsafeBytes)
    defer { count = 0 }
    switch channel {
    case .some(let channel):
      do throws(SystemCallError) {
        _ = try channel.send(message, waiting: false)
        return 0
      } catch {
        guard error.code == .brokenPipe || error.code == .connectionReset else { return count }
        switch next {
        case .some(let next): return (try? next.send(message, waiting: false)) == nil ? count : 0
        case nil: return count
        }
      }
    case nil:
      if case .connections(let records) = ListenerChannel.listenerMessage(message) { records.forEach(show) }
      return 0
    }
  }
}

/// The listener's side of the channel.
extension ListenerChannel {
  public static func sendReady(on channel: borrowing Descriptor) throws(SystemCallError) {
    try sendHeader(.ready, value: 0, on: channel)
  }

  public static func sendAlive(_ number: UInt32, on channel: borrowing Descriptor) throws(SystemCallError) {
    try sendHeader(.alive, value: number, on: channel)
  }

  /// A text longer than 2,000 bytes is cut.
  public static func sendLog(
    _ severity: Severity, _ text: String, _ kind: LogKind = .other, on channel: borrowing Descriptor
  ) throws(SystemCallError) {
    try sendHeader(.log, value: severity.rawValue | UInt32(kind.rawValue) << 8, text: text, on: channel)
  }

  /// Sends a line of a connection's program.
  ///
  /// - Parameter record: says which connection it is.
  /// - Parameter line: at most 1,500 bytes; what is longer is cut.
  public static func sendProgramLine(
    _ line: UnsafeRawBufferPointer, of record: begat_record, on channel: borrowing Descriptor
  ) throws(SystemCallError) {
    let size = headerSize + MemoryLayout<begat_record>.stride
    let failure = withUnsafeTemporaryAllocation(byteCount: size + 1500, alignment: 8) { room -> SystemCallError? in
      writeHeader(.program, value: 0, into: room)
      room.storeBytes(of: record, toByteOffset: headerSize, as: begat_record.self)
      var body = ByteWriter(UnsafeMutableRawBufferPointer(rebasing: room[size...]))
      body.append(line)
      do throws(SystemCallError) {
        _ = try channel.send(UnsafeRawBufferPointer(rebasing: room[..<(size + body.count)]), waiting: false)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }

  public static func sendRetired(on channel: borrowing Descriptor) throws(SystemCallError) {
    try sendHeader(.retired, value: 0, on: channel)
  }

  /// - Parameter number: of the order.
  public static func sendEnded(_ number: UInt32, count: Int, on channel: borrowing Descriptor) throws(SystemCallError) {
    try send(.ended, value: number, body: begat_end_report(count: UInt64(max(0, count))), on: channel)
  }
}

extension begat_record {
  /// A record of a connection.
  ///
  /// - Parameter socket: the listening socket's number.
  /// - Parameter via: the proxy that has named the client; no address if the client connected directly.
  /// - Parameter text: decides how much of the addresses is in it.
  public init(
    _ event: ConnectionRecord.Event, process: Int32, peer: PeerFields, via: PeerFields = PeerFields(nil), user: UInt32,
    socket: Int32, text: PeerText,
    duration: Int64 = 0, received: UInt64 = 0, sent: UInt64 = 0, outcome: Outcome = .complete, ender: Ender = .service
  ) {
    let code = outcome.code
    let peer = text.masked(peer)
    let via = text.masked(via)
    self.init(
      pid: process, family: peer.family, port: peer.port, address: peer.bytes, scope: peer.scope,
      uid: text.form == .full ? user : 0, duration: duration, bytes_received: received, bytes_sent: sent,
      outcome: code.outcome, detail: code.detail, socket: socket, event: event.rawValue, ender: ender.rawValue,
      address_form: text.form.number, reserved: 0, via_family: via.family, via_port: via.port,
      via_address: via.bytes, via_scope: via.scope)
  }
}
