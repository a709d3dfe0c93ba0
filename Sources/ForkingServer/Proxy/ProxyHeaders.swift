import Admission
import NetworkServices
import ProxyProtocol
import Settings
@_spi(Begat) import UnixCore

/// Reads the headers by which proxies name their clients.
///
/// A header is peeked at, and received once it is complete, so that the next byte is the client's.
struct ProxyHeaders: ~Copyable {
  /// The peers whose headers are trusted; others are refused.
  private let trusted: AccessRules
  private let versions: ProxyVersion
  /// How long a header may take from the acceptance of its connection on.
  let timeout: Duration
  /// Whether programs get the data of a header besides addresses.
  private let keepsExtensions: Bool
  private let memory: MemoryMapping?
  /// Memory that forks do not copy, so that writing to it never copies a page.  Empty for a service without proxies.
  private let room: UnsafeMutableRawBufferPointer

  /// The state of a connection's header.
  enum Finding {
    case header(ProxyHeader)
    /// More bytes are needed.
    case incomplete(hasBegun: Bool)
    case invalid(HeaderFault)
    /// The peer has closed the connection without a byte, or it has failed.
    case gone
  }

  init(_ options: ListenerOptions) throws(SystemCallError) {
    trusted = AccessRules(allow: options.admission.proxies, deny: [])
    versions = options.proxyVersion
    timeout = options.proxyTimeout
    keepsExtensions = options.runsPrograms
    guard options.requiresProxies else {
      memory = nil
      room = UnsafeMutableRawBufferPointer(start: nil, count: 0)
      return
    }
    let memory = try MemoryMapping.private(size: ProxyHeader.maxLength)
    room = memory.unsafeBytes
    self.memory = consume memory
  }

  /// Whether a peer's headers are trusted.
  func trusts(_ peer: Client) -> Bool { trusted.decision(on: peer.address, user: peer.user).isAllowed }

  /// Looks for a header in the first bytes of a connection, without receiving them.
  func find(in connection: borrowing Descriptor) -> Finding {
    let count: Int
    do throws(SystemCallError) { count = try connection.peek(into: room) } catch {
      return error.code == .wouldBlock ? .incomplete(hasBegun: false) : .gone
    }
    guard count > 0 else { return .gone }
    switch ProxyHeader.parse(UnsafeRawBufferPointer(rebasing: room[..<count]), accepting: versions) {
    case .header(let header): return .header(header)
    case .invalid(let problem): return .invalid(.problem(problem))
    case .incomplete:
      let hasEnded = PollSet.readiness(of: connection.number, for: .endOfSending).contains(.endOfSending)
      return hasEnded ? .invalid(.endOfStream) : .incomplete(hasBegun: true)
    }
  }

  /// Receives a header that `find` has found; its connection then has the ends that the header names.
  ///
  /// - Throws: what recv(2) throws.
  func take(
    _ header: ProxyHeader, from peer: inout AcceptedClient, prefix: SourcePrefix
  ) throws(SystemCallError) {
    var taken = 0
    while taken < header.length {
      let rest = UnsafeMutableRawBufferPointer(rebasing: room[taken..<header.length])
      let count = try peer.connection.receive(into: rest, waiting: false)
      guard count > 0 else { throw SystemCallError("recv", on: "PROXY header", code: .connectionReset) }
      taken += count
    }
    guard let addresses = header.addresses else {
      peer.isOfProxy = true
      return
    }
    let extensions = keepsExtensions && !header.extensions.isEmpty ? Array(room[header.extensions]) : []
    peer.setClient(
      Client(address: addresses.source, prefix: prefix),
      ProxiedEnds(proxy: peer.client.address, destination: addresses.destination, extensions: extensions))
  }
}
