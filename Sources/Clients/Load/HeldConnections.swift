@_spi(Begat) import UnixCore

/// Connections that are opened and left alone, so that the rate beside them can be measured.
struct HeldConnections: ~Copyable {
  private let sockets: UnsafeMutableBufferPointer<Descriptor>
  private var count = 0
  /// Why there are fewer than wanted.
  private(set) var failure: SystemCallError?

  /// Opens `wanted` connections one after the other, until one fails.
  init(
    _ wanted: Int, to address: SocketAddress, from sources: inout SourceAddresses, as clients: inout ClaimedClients,
    within limit: Duration
  ) {
    sockets = .allocate(capacity: wanted)
    while count < wanted, failure == nil {
      do throws(SystemCallError) {
        let socket = try ClientSocket.connect(
          to: address, from: sources.take(), until: Deadline(after: limit))
        try socket.sendAll(clients.header(clients.take()), until: Deadline(after: limit))
        sockets.initializeElement(at: count, to: socket)
        count += 1
      } catch { failure = error }
    }
  }

  deinit {
    sockets.extracting(..<count).deinitialize()
    sockets.deallocate()
  }

  /// How many the other side has not ended; what it sent is read and dropped.
  func countOpen() -> Int {
    withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 16) { buffer in
      (0..<count).count { Self.isOpen(sockets[$0], reading: buffer) }
    }
  }

  private static func isOpen(_ socket: borrowing Descriptor, reading buffer: UnsafeMutableRawBufferPointer) -> Bool {
    do throws(SystemCallError) {
      // Bounded: a peer that never stops sending is there.
      for _ in 0..<1000 where try socket.receive(into: buffer, waiting: false) == 0 { return false }
      return true
    } catch { return error.code == .wouldBlock }
  }
}
