import Glibc
@_spi(Begat) import UnixCore

/// A client of an internet datagram socket.
final class DatagramClient {
  private let socket: Descriptor
  private let target: RawSocketAddress

  /// - Parameter source: the address to ask from, with a port, which may be 0.
  init(_ address: String, from source: String? = nil) throws {
    guard let target = SocketAddress(address) else { throw HarnessFailure("no address: \(address)") }
    self.target = try RawSocketAddress(target)
    if let source {
      guard let source = SocketAddress(source) else { throw HarnessFailure("no address: \(source)") }
      // Not connected: it hears whoever answers, though others were asked.
      socket = try DatagramSocket(source).release()
      try socket.setOption(SOL_SOCKET, SO_BROADCAST, 1)
    } else {
      socket = try Descriptor.socket(family: self.target.family, kind: .datagram)
      try ClientSocket.connect(socket, to: target)
    }
  }

  func send(_ bytes: [UInt8]) throws {
    let number = socket.number
    let count = bytes.withUnsafeBytes { bytes in
      target.withPointer { sendto(number, bytes.baseAddress, bytes.count, 0, $0, $1) }
    }
    guard count == bytes.count else {
      throw SystemCallError("sendto", on: target.address?.description, code: ErrorCode(rawValue: errno))
    }
  }

  /// The next datagram; nil after the time.
  func receive(within limit: Duration = .seconds(5)) throws -> [UInt8]? {
    guard socket.wait(for: .readable, until: UnixCore.Deadline(after: limit)) else { return nil }
    return try [UInt8](unsafeUninitializedCapacity: 65_536) { room, count in
      count = try socket.receive(into: UnsafeMutableRawBufferPointer(room))
    }
  }

  /// How many datagrams have come by now.
  func receiveAll() throws -> Int {
    var count = 0
    while try receive(within: .zero) != nil { count += 1 }
    return count
  }

  /// Sends a datagram and returns the answer.
  static func ask(_ address: String, _ question: [UInt8] = [0], from source: String? = nil) throws -> [UInt8] {
    let client = try DatagramClient(address, from: source)
    try client.send(question)
    guard let answer = try client.receive() else { throw HarnessFailure("\(address): no answer within 5 s") }
    return answer
  }
}
