import Glibc
import Synchronization
@_spi(Begat) import UnixCore

/// Addresses for programs that cannot let the kernel choose.
enum FreePorts {
  private static let next = Atomic<UInt32>(0)

  /// So many addresses, at a loopback address that no other test of this run uses, each with a port that is free.
  static func addresses(_ count: Int) throws -> [String] {
    let number = next.wrappingAdd(1, ordering: .relaxed).newValue
    let host = "127.\(64 + getpid() % 64).\(getpid() / 64 % 256).\(number % 250 + 1)"
    // All are open at once, so that they differ.
    let sockets = try (0..<count).map { _ in try Held(host) }
    return sockets.map(\.address)
  }

  private final class Held {
    private let socket: ListeningSocket
    let address: String

    init(_ host: String) throws {
      guard let wanted = SocketAddress(host: host, port: 0) else { throw HarnessFailure("no address: \(host)") }
      socket = try ListeningSocket(wanted, backlog: 1)
      address = try socket.descriptor.localAddress().address?.description ?? "?"
    }
  }
}
