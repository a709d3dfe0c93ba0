import Glibc
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import NetworkServices

/// A client on one end of a pair of sockets; a service serves the other end in a thread of its own.
final class ServedClient {
  private var socket: Descriptor?
  private let side: ServiceSide
  private let thread: Background

  init(_ service: any NetworkService, peer: SocketAddress? = nil, names: (any PeerNames)? = nil) throws {
    let pair = try SocketPair(kind: .stream)
    let ours = pair.first
    let theirs = pair.second
    // Whoever waits for the other in vain fails instead of standing still.
    for number in [ours.number, theirs.number] {
      var limit = timeval(tv_sec: 20, tv_usec: 0)
      for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
        try #require(setsockopt(number, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size)) == 0)
      }
    }
    socket = consume ours
    let side = ServiceSide()
    self.side = side
    let number = theirs.release()
    // From here on this thread alone has it.
    nonisolated(unsafe) let service = service
    thread = Background {
      var connection = Connection(
        socket: Descriptor(owning: number), peer: Peer(address: peer, names: names), tally: side.tally)
      side.serve(service, &connection)
    }
  }

  deinit {
    socket = nil
    thread.join()
  }

  func send(_ bytes: some Sequence<UInt8>) throws {
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      let count = try rest.withUnsafeBytes { bytes in try socket?.send(bytes) ?? 0 }
      rest = rest.dropFirst(count)
    }
  }

  func send(_ text: String) throws { try send(text.utf8) }

  /// Says that no more will come.
  func endSending() throws { try socket?.shutDownSending() }

  /// Goes away.
  func close() { socket = nil }

  /// Waits for as many bytes, or for the end.
  func receive(_ count: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 1)
    defer { room.deallocate() }
    while bytes.count < count {
      let part = UnsafeMutableRawBufferPointer(rebasing: room[..<min(room.count, count - bytes.count)])
      let length = try socket?.receive(into: part) ?? 0
      if length == 0 { break }
      bytes += part[..<length]
    }
    return bytes
  }

  func receiveAll() throws -> [UInt8] { try receive(.max) }
  func receiveText() throws -> String { String(decoding: try receiveAll(), as: UTF8.self) }

  /// How the service ended, after it has.
  func outcome() -> ServiceSide {
    thread.join()
    return side
  }
}

/// What is known of a service's end once its thread has ended.
final class ServiceSide: @unchecked Sendable {
  private let received = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
  private let sent = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
  private let waiting = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
  private(set) var failure: ConnectionFailure?

  init() {
    received.initialize(to: 0)
    sent.initialize(to: 0)
    waiting.initialize(to: 0)
  }

  deinit {
    received.deallocate()
    sent.deallocate()
    waiting.deallocate()
  }

  var tally: Tally { Tally(received: received, sent: sent, waiting: waiting) }
  var bytesReceived: UInt64 { received.pointee }
  var bytesSent: UInt64 { sent.pointee }
  var waitedFor: Waiting? { Waiting(rawValue: waiting.pointee) }

  func serve(_ service: any NetworkService, _ connection: inout Connection) {
    do throws(ConnectionFailure) {
      try service.serve(&connection)
      connection.finish()
    } catch { failure = error }
  }
}

/// The service's answer to a datagram; nil for none.
func answer(of service: any DatagramService, to question: String = "", room size: Int = largestDatagram) -> [UInt8]? {
  withUnsafeTemporaryAllocation(byteCount: size, alignment: 16) { room in
    Array(question.utf8).withUnsafeBytes { service.answer($0, into: room) }.map { Array(room[..<$0]) }
  }
}
