import NetworkServices
import ProxyProtocol
@_spi(Begat) import UnixCore

/// The variables that describe the client to a program: UCSPI's, as tcpserver and s6 set them, systemd's, and those of
/// a PROXY header.
///
/// A client controls only numbers here, and the name of its Unix socket, which is validated first.
///
/// Source: cr.yp.to/proto/ucspi-tcp.txt, s6-ipcserverd, systemd.socket(5) Accept=.
struct ClientVariables {
  /// The server's end.
  var local: SocketAddress?
  var remote: SocketAddress?
  /// The credentials of the process at the other end of a Unix socket.
  var credentials: PeerCredentials?
  /// How many connections the client's source has, this one included.
  var connectionsOfSource: Int
  /// The proxy's data; nil if the client connected directly.
  var proxied: ProxiedEnds?

  init(
    local: SocketAddress?, remote: SocketAddress?, credentials: PeerCredentials?, connectionsOfSource: Int,
    proxied: ProxiedEnds?
  ) {
    self.local = local
    self.remote = remote
    self.credentials = credentials
    self.connectionsOfSource = connectionsOfSource
    self.proxied = proxied
  }

  /// Sets up what a copy of the addresses needs of the run-time library: a type that is made at first use.
  @inline(never)
  func warmUp() {
    let copies = [local, remote]
    precondition(copies.count == 2)
  }

  func write(to variables: inout PreparedProgram.Variables) {
    guard let remote else { return }
    if remote.isUnix { writeUnix(remote, to: &variables) } else { writeInternet(remote, to: &variables) }
    if let proxied { writeProxied(proxied, to: &variables) }
  }

  private func writeProxied(_ ends: ProxiedEnds, to variables: inout PreparedProgram.Variables) {
    if let proxy = ends.proxy, !proxy.isUnix {
      variables.add("PROXY_ADDR") { proxy.writeHost(to: &$0) }
      variables.add("PROXY_PORT") { $0.append(decimal: proxy.port ?? 0) }
    }
    ends.extensions.withUnsafeBytes { bytes in
      ProxyExtensions(bytes).forEachVariable { name, value in variables.add(name) { value.write(to: &$0) } }
    }
  }

  private func writeInternet(_ remote: SocketAddress, to variables: inout PreparedProgram.Variables) {
    variables.add("PROTO") { $0.append("TCP") }
    if let local {
      variables.add("TCPLOCALIP") { local.writeHost(to: &$0) }
      variables.add("TCPLOCALPORT") { $0.append(decimal: local.port ?? 0) }
    }
    variables.add("TCPREMOTEIP") { remote.writeHost(to: &$0) }
    variables.add("TCPREMOTEPORT") { $0.append(decimal: remote.port ?? 0) }
    variables.add("TCPCONNNUM") { $0.append(decimal: UInt(connectionsOfSource)) }
    variables.add("REMOTE_ADDR") { remote.writeHost(to: &$0) }
    variables.add("REMOTE_PORT") { $0.append(decimal: remote.port ?? 0) }
  }

  private func writeUnix(_ remote: SocketAddress, to variables: inout PreparedProgram.Variables) {
    variables.add("PROTO") { $0.append("IPC") }
    if let credentials {
      variables.add("IPCREMOTEEUID") { $0.append(decimal: credentials.user) }
      variables.add("IPCREMOTEEGID") { $0.append(decimal: credentials.group) }
    }
    if let name = ClientVariables.name(of: local) { variables.add("IPCLOCALPATH") { $0.append(name) } }
    if let name = ClientVariables.name(of: remote) {
      variables.add("IPCREMOTEPATH") { $0.append(name) }
      variables.add("REMOTE_ADDR") { $0.append(name) }
    }
    variables.add("IPCCONNNUM") { $0.append(decimal: UInt(connectionsOfSource)) }
  }

  /// `/path` or `@name`, if it consists of harmless characters.
  static func name(of address: SocketAddress?) -> String? {
    guard let name = address?.unixName else { return nil }
    return try? name.word(of: harmless)
  }

  private static let harmless = ASCIISet.letters.union(.digits).union("/@._-+:,")
}

extension Connection {
  /// The connection's two ends, for a program's environment.
  var clientVariables: ClientVariables {
    ClientVariables(
      local: peer.proxied?.destination ?? localAddress, remote: peer.address, credentials: peer.credentials,
      connectionsOfSource: peer.connections, proxied: peer.proxied)
  }
}

extension SocketAddress {
  /// Appends an internet address without its port, a mapped one as IPv4.
  fileprivate func writeHost(to text: inout ByteWriter) {
    switch self {
    case .ipv4(let host, _): host.write(to: &text)
    case .ipv6(let host, _, _):
      if let mapped = host.unmapped { mapped.write(to: &text) } else { host.write(to: &text) }
    case .unixPath, .unixAbstract, .unixUnnamed: break
    }
  }
}
