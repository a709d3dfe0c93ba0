import CSharedLayouts
@_spi(Begat) import UnixCore

/// Records on their way to begatd: gathered while there is work, sent together before the listener waits again.
///
/// Kept in memory that forks do not copy.
public struct RecordBatch: ~Copyable {
  private let memory: MemoryMapping
  private var count = 0

  public init() throws(SystemCallError) {
    memory = try MemoryMapping.shared(size: ListenerChannel.largestMessage, isInherited: false)
  }

  public var isEmpty: Bool { count == 0 }
  public var isFull: Bool { count == ListenerChannel.recordsPerMessage }

  /// Adds a record; there must be room.
  public mutating func append(
    process: Int32, peer: PeerFields, user: UInt32, duration: Int64, received: UInt64, sent: UInt64, outcome: Outcome
  ) {
    let code = outcome.code
    let record = begat_record(
      pid: process, family: peer.family, port: peer.port, address: peer.bytes, scope: peer.scope, uid: user,
      duration: duration, bytes_received: received, bytes_sent: sent, outcome: code.outcome, detail: code.detail,
      reserved: 0)
    let offset = ListenerChannel.headerSize + count * MemoryLayout<begat_record>.stride
    memory.unsafeBytes.storeBytes(of: record, toByteOffset: offset, as: begat_record.self)
    count += 1
  }

  /// Hands the records over and starts anew.
  ///
  /// - Parameter channel: nil where there is no begatd: then `show` gets each record.
  /// - Returns: how many were dropped because the channel was full or closed.
  public mutating func flush(to channel: borrowing Descriptor?, show: (ConnectionRecord) -> Void) -> Int {
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
      } catch { return count }
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
  public static func sendLog(_ severity: Severity, _ text: String, on channel: borrowing Descriptor)
    throws(SystemCallError)
  {
    try sendHeader(.log, value: severity.rawValue, text: text, on: channel)
  }

  public static func sendRetired(on channel: borrowing Descriptor) throws(SystemCallError) {
    try sendHeader(.retired, value: 0, on: channel)
  }

  /// - Parameter number: of the order.
  public static func sendEnded(_ number: UInt32, count: Int, on channel: borrowing Descriptor) throws(SystemCallError) {
    try send(.ended, value: number, body: begat_end_report(count: UInt64(max(0, count))), on: channel)
  }
}
