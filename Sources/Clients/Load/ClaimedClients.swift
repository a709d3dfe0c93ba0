@_spi(Begat) import UnixCore

/// The clients that the connections of a measurement claim in turn, each by a header of the PROXY protocol.
struct ClaimedClients: ~Copyable {
  /// All headers, one behind the other, and where each ends.
  private let bytes: UnsafeMutableRawBufferPointer
  private let ends: [Int]
  private var next = 0

  /// 198.18.0.1, 198.18.0.2, …: a network for measurements.
  ///
  /// - Parameter version: nil for connections that begin without a header.
  ///
  /// Source: RFC 2544 appendix C.2.2.
  init(_ version: ProxyClaim.Version?, count: Int, to destination: SocketAddress) {
    var clients = SourceAddresses(count: version == nil ? 0 : count, in: IPv4Address(rawValue: 198 << 24 | 18 << 16))
    var headers: [UInt8] = []
    var ends: [Int] = []
    if let version {
      for _ in 0..<clients.count {
        headers += ProxyClaim(version, client: clients.take()).header(from: .ipv4(.any, port: 1024), to: destination)
        ends.append(headers.count)
      }
    }
    bytes = .allocate(byteCount: max(1, headers.count), alignment: 1)
    bytes.copyBytes(from: headers)
    self.ends = ends
  }

  deinit { bytes.deallocate() }

  /// The number of the next client.
  mutating func take() -> Int {
    guard !ends.isEmpty else { return 0 }
    next = next + 1 < ends.count ? next + 1 : 0
    return next
  }

  var count: Int { ends.count }

  /// The bytes that a connection of this client sends first; none where there is no header.
  func header(_ client: Int) -> UnsafeRawBufferPointer {
    guard client < ends.count else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(rebasing: bytes[(client == 0 ? 0 : ends[client - 1])..<ends[client]])
  }
}
