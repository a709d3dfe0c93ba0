import Glibc
import UnixIPC

/// A client of an internet datagram socket.
final class DatagramClient {
  private let socket: Descriptor

  init(_ address: String) throws {
    guard let target = SocketAddress(address) else { throw HarnessFailure("no address: \(address)") }
    let isIPv6 = if case .ipv6 = target { true } else { false }
    socket = try Descriptor.socket(family: isIPv6 ? AF_INET6 : AF_INET, kind: datagramKind)
    try ClientSocket.connect(socket, to: target)
  }

  func send(_ bytes: [UInt8]) throws { _ = try bytes.withUnsafeBytes { try socket.send($0) } }

  /// The next datagram; nil after the time.
  func receive(within limit: Duration = .seconds(5)) throws -> [UInt8]? {
    guard socket.waitUntilReadable(milliseconds: CInt(clamping: limit.milliseconds)) else { return nil }
    return try [UInt8](unsafeUninitializedCapacity: 65_536) { room, count in
      count = try socket.receive(into: UnsafeMutableRawBufferPointer(room))
    }
  }

  /// Sends a datagram and returns the answer.
  static func ask(_ address: String, _ question: [UInt8] = [0]) throws -> [UInt8] {
    let client = try DatagramClient(address)
    try client.send(question)
    guard let answer = try client.receive() else { throw HarnessFailure("\(address): no answer within 5 s") }
    return answer
  }
}
