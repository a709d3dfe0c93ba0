import Glibc
@_spi(Begat) import UnixCore

/// A TCP address that answers nothing: a listener on loopback whose backlog is full.
package final class SilentListener: Sendable {
  package let address: SocketAddress
  private let listener: Descriptor
  private let filler: Descriptor

  package init(_ host: IPv4Address = .loopback) throws {
    let listener = try ListeningSocket(.ipv4(host, port: 0), backlog: 0)
    guard let address = try listener.descriptor.localAddress().address else {
      throw SystemCallError("getsockname", code: .invalidArgument)
    }
    // Linux takes one more connection than it was asked for.
    filler = try ClientSocket.connect(to: address)
    self.listener = listener.release()
    self.address = address
  }

  /// Takes the connection that fills the backlog.
  package func makeRoom() {
    let connection = accept(listener.number, nil, nil)
    if connection >= 0 { close(connection) }
  }

  /// Whether somebody waits for an answer (`SYN_SENT` in /proc/net/tcp).
  package var isBeingTried: Bool {
    let port = String(address.port ?? 0, radix: 16, uppercase: true)
    let digits = String(repeating: "0", count: 4 - port.count) + port
    guard let table = try? Descriptor.open("/proc/net/tcp", .readOnly) else { return false }
    var text: [UInt8] = []
    withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 1) { room in
      while let count = try? table.read(into: room), count > 0 { text += room[..<count] }
    }
    return String(decoding: text, as: UTF8.self).split(separator: "\n").contains { line in
      let columns = line.split(separator: " ")
      return columns.count > 3 && columns[2].hasSuffix(":" + digits) && columns[3] == "02"
    }
  }
}
