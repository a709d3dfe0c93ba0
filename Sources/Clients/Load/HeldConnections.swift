import Glibc
import UnixIPC

/// Connections that are opened and left alone, so that the rate beside them can be measured.
struct HeldConnections: ~Copyable {
  private let sockets: UnsafeMutableBufferPointer<Descriptor>
  private var count = 0
  /// Why there are fewer than wanted.
  private(set) var failure: CallFailure?

  /// Opens `wanted` connections one after the other, until one fails.
  init(_ wanted: Int, to address: SocketAddress, from sources: inout SourceAddresses, within limit: Duration) {
    sockets = .allocate(capacity: wanted)
    while count < wanted, failure == nil {
      do throws(CallFailure) {
        let socket = try Self.open(to: address, from: sources.take(), within: limit)
        sockets.initializeElement(at: count, to: socket)
        count += 1
      } catch { failure = error }
    }
  }

  deinit {
    sockets.extracting(..<count).deinitialize()
    sockets.deallocate()
  }

  private static func open(to address: SocketAddress, from source: SocketAddress?, within limit: Duration)
    throws(CallFailure) -> Descriptor
  {
    let deadline = Clock.monotonic() + limit.nanoseconds
    while true {
      do throws(CallFailure) {
        let socket = try ClientSocket.start(to: address, from: source)
        var query = pollfd(fd: socket.number, events: Int16(POLLOUT), revents: 0)
        guard poll(&query, 1, CInt(clamping: limit.nanoseconds / 1_000_000)) > 0 else {
          throw CallFailure("connect", on: address.description, errno: .timedOut)
        }
        try ClientSocket.finish(socket, to: address)
        return socket
      } catch {
        // A full backlog of a Unix socket.
        guard address.isUnix, error.errno == .wouldBlock, Clock.monotonic() < deadline else { throw error }
        usleep(2000)
      }
    }
  }

  /// How many the other side has not ended; what it sent is read and dropped.
  func countOpen() -> Int {
    withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 16) { buffer in
      (0..<count).count { Self.isOpen(sockets[$0], reading: buffer) }
    }
  }

  private static func isOpen(_ socket: borrowing Descriptor, reading buffer: UnsafeMutableRawBufferPointer) -> Bool {
    do throws(Errno) {
      // Bounded: a peer that never stops sending is there.
      for _ in 0..<1000 where try socket.receive(into: buffer) == 0 { return false }
      return true
    } catch { return error == .wouldBlock }
  }
}
